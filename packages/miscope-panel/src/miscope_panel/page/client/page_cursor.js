// The one step cursor of the page, whose keys are heard everywhere on it.
export function render({model, el}) {
  step_cursor({model, el, hub: page, more_keys: [["/", "search the views"], ["r", "refresh: what was trained and computed since"]]})
}
