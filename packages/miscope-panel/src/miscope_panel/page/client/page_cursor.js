// The one step cursor of the page, whose keys are heard everywhere on it.
export function render({model, el}) {
  const settled = (step) => model.asked === step && model.followed === step && !miscope.waiting.size
  const more_keys = [["1 – 9", "open a lens, put it away"], ["/", "search views and lenses"], ["i", "about the card in hand"],
    ["[ ]", "neuron before, after"], ["{ }", "head before, after"],
    ["r", "refresh: what was trained and computed since"], ["p", "pin the step, with a note"],
    ["z 0", "zoom in on the step, show all steps"]]
  // What is marked along the steps of the variant, for the cards.
  const share = () => {
    if (!model.active) return
    miscope.course = {variant: model.variant, pins: model.pins, stages: model.shows_stages ? model.stages : []}
    announce("course")
  }
  for (const name of ["active", "variant", "pins", "stages", "shows_stages"]) model.on(name, share)
  share()
  const extra = (track) => {
    const [stages, pins] = [cursor_stages(model, track), cursor_pins(model, track)]
    return {
      paint: () => [stages, pins].forEach((part) => part.paint()),
      show: (step) => {
        pins.show(step)
        track.told(step, [stages.of(step), pins.of(step)])
      },
      stops: pins.stops,
      keys: {p: pins.open},
    }
  }
  shared_range(model)
  step_cursor({model, el, hub: page, settled, more_keys, extra})
}
