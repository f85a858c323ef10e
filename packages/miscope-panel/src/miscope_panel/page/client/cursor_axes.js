// What all cards over training have in common, turned once: how steps are laid out, and what is marked along them.
const cursor_axes = (model, {before}) => {
  const button = h("button", {class: "scale", type: "button", title: "Time axes of all cards", "aria-haspopup": "dialog",
    "aria-expanded": "false", onclick: () => (panel.hidden ? open() : close())}, "axes")
  const clock = h("select", {"aria-label": "time axis", onchange: () => (model.clock = clock.value)},
    ...["linear", "log"].map((name) => h("option", {value: name}, name)))
  const box = (name) => {
    const made = h("input", {type: "checkbox", onchange: () => (model[name] = made.checked)})
    return made
  }
  const [marks, stages] = [box("event_marks"), box("shows_stages")]
  const of_stages = h("label", {}, "stages of training", stages)
  const panel = h("div", {class: "pins axes", role: "dialog", "aria-label": "Time axes of all cards", hidden: true},
    h("label", {}, "time axis", clock), h("label", {}, "event marks", marks), of_stages)
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

  const there = () => Boolean(model.variant || model.courses.length)
  function paint() {
    button.hidden = !there()
    clock.value = model.clock
    marks.checked = model.event_marks
    stages.checked = model.shows_stages
    of_stages.hidden = ![model, ...model.courses].some(({stages}) => stages.length)
  }
  for (const name of ["variant", "clock", "event_marks", "shows_stages", "stages", "courses"]) model.on(name, paint)
  return {paint, turn: () => there() && (model.clock = model.clock === "log" ? "linear" : "log")}
}
