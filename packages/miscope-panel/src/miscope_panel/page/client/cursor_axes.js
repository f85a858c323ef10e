// What cards have in common, turned once: how steps are laid out, what is marked along them, and whether views at a step
// keep their scale.
const cursor_axes = (model, {before}) => {
  const button = h("button", {class: "scale", type: "button", title: "Axes of all cards", "aria-haspopup": "dialog",
    "aria-expanded": "false", onclick: () => (panel.hidden ? open() : close())}, "axes")
  const clock = h("select", {"aria-label": "time axis", onchange: () => (model.clock = clock.value)})
  const box = (name) => {
    const made = h("input", {type: "checkbox", onchange: () => (model[name] = made.checked)})
    return made
  }
  const [marks, stages, scale] = ["event_marks", "shows_stages", "same_scale"].map(box)
  const of_stages = h("label", {}, "stages of training", stages)
  const panel = h("div", {class: "pins axes", role: "dialog", "aria-label": "Axes of all cards", hidden: true},
    h("label", {}, "time axis", clock), h("label", {}, "event marks", marks), of_stages,
    h("label", {}, "same scale at every step", scale))
  before.after(button, panel)

  function open() {
    panel.hidden = false
    button.setAttribute("aria-expanded", "true")
    clock.focus()
  }
  function close() {
    panel.hidden = true
    button.setAttribute("aria-expanded", "false")
  }
  panel.addEventListener("keydown", (event) => {
    // None of these keys moves the cursor while the list is open.
    event.stopPropagation()
    if (event.key !== "Escape") return
    close()
    button.focus()
  })
  listen(model, "pointerdown", (event) => {
    if (!panel.hidden && !event.composedPath().includes(panel) && !event.composedPath().includes(button)) close()
  })

  // Variants that are compared are aligned for all of them.
  const named = (clock) => (clock === "fraction" ? "fraction of training" : clock.replace(/^since (.*)$/, (_, event) => `since ${event_words(model, event).long}`))
  const of_one = () => (model.courses.length ? [] : ["fraction", ...Object.keys(model.events).map((event) => `since ${event}`)].map((one) => [one, named(one)]))
  let offered = null
  function offer() {
    const scales = [["linear", "linear"], ["log", "log"], ...of_one()]
    const known = scales.some(([value]) => value === model.clock)
    // Of a variant without the event cards count steps.
    const but = model.courses.length ? "of one variant; linear here" : "not in this run"
    if (!known) scales.push([model.clock, `${named(model.clock)} (${but})`])
    const now = JSON.stringify(scales)
    if (now !== offered) clock.replaceChildren(...scales.map(([value, text]) => h("option", {value}, text)))
    offered = now
    clock.value = model.clock
  }
  const there = () => Boolean(model.variant || model.courses.length)
  function paint() {
    button.hidden = !there()
    offer()
    marks.checked = model.event_marks
    stages.checked = model.shows_stages
    scale.checked = model.same_scale
    of_stages.hidden = ![model, ...model.courses].some(({stages}) => stages.length)
  }
  for (const name of ["variant", "clock", "events", "event_marks", "shows_stages", "same_scale", "stages", "courses"]) model.on(name, paint)
  return {paint, turn: () => there() && (model.clock = model.clock === "log" ? "linear" : "log")}
}
