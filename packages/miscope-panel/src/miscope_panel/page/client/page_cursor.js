// The one step cursor of the page, whose keys are heard everywhere on it.
export function render({model, el}) {
  const settled = (step) => model.asked === step && model.followed === step && !miscope.waiting.size
  step_cursor({model, el, hub: page, settled, more_keys: [["/", "search the views"], ["r", "refresh: what was trained and computed since"]]})
}
