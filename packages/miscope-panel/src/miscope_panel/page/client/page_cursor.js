// The one step cursor of the page, whose keys are heard everywhere on it.
export function render({model, el}) {
  const asked_for = (step) => model.asked === step && model.followed === step
  const settled = (step) => asked_for(step) && !miscope.waiting.size
  const arrived = (step) => asked_for(step) && !miscope.late.size
  // Where one variant is looked at there is a sidebar beside the cards, and what is selected in all of them.
  const of_one = [["1 – 9", "open a lens, put it away"], ["/", "search views and lenses"],
    ["[ ]", "neuron before, after"], ["{ }", "head before, after"]]
  const more_keys = () => [...(model.variant ? of_one : []), ["i", "about the card in hand"], ["r", "refresh: what was trained and computed since"],
    ...(model.variant && (model.can_pin || model.pins.length) ? [["p", model.can_pin ? "pin the step, with a note" : "pins"]] : []),
    ...(model.variant || model.courses.length ? [["L", "time axes: linear, log"]] : []), ["z 0", "zoom in on the step, show all steps"],
    ["Tab", "from one part of the page to the next"], ...(model.variant ? [["\u2191 \u2193", "within a list: lenses, views"]] : [])]
  // What is marked along the steps of the variant, or of each that is compared, for the cards.
  const share = () => {
    if (!model.active) return
    const {variant, pins, stages, courses, shows_stages} = model
    miscope.courses = (courses.length ? courses : [{variant, pins, stages}]).map((one) => (shows_stages ? one : {...one, stages: []}))
    announce("course")
  }
  for (const name of ["active", "variant", "pins", "stages", "courses", "shows_stages"]) model.on(name, share)
  share()
  const extra = (track) => {
    const [range, stages, pins] = [shared_range(model, track), cursor_stages(model, track), cursor_pins(model, track)]
    const axes = cursor_axes(model, track)
    return {
      paint: () => [range, stages, pins, axes].forEach((part) => part.paint()),
      show: (step) => {
        pins.show(step)
        track.told(step, [stages.of(step), pins.of(step)])
      },
      stops: pins.stops,
      keys: {p: pins.open, L: axes.turn},
    }
  }
  step_cursor({model, el, hub: page, settled, arrived, more_keys, extra})
}
