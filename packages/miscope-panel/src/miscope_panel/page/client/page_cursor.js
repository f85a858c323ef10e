// The one step cursor of the page, whose keys are heard everywhere on it.
export function render({model, el}) {
  const settled = (step) => model.asked === step && model.followed === step && !miscope.waiting.size
  const more_keys = [["1 – 9", "open a lens, put it away"], ["/", "search views and lenses"], ["i", "about the card in hand"],
    ["[ ]", "neuron before, after"], ["{ }", "head before, after"],
    ["r", "refresh: what was trained and computed since"]]
  step_cursor({model, el, hub: page, settled, more_keys})
}
