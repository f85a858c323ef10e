// Steps that somebody wants to come back to: marks under the track, and a list of them with their notes.
const cursor_pins = (model, {along, percent, before, jump}) => {
  let [at, here] = [null, null]
  let back = null
  let filled = ""
  const named = (step) => `${model.step_label} ${grouped(step)}`
  const words = ({step, note}) => (note ? `${named(step)}: ${note}` : named(step))
  const pinned = (step) => model.pins.find((pin) => pin.step === step)

  const marks = h("div")
  along.append(marks)
  const button = h("button", {class: "scale", type: "button", "aria-haspopup": "dialog", "aria-expanded": "false",
    onclick: () => (panel.hidden ? open() : close(false))})
  before.before(button)

  const heading = h("label", {for: "pin-note"})
  const note = h("input", {id: "pin-note", type: "text", maxlength: "200", placeholder: "Note, or none", autocomplete: "off"})
  const save = h("button", {class: "scale", type: "submit"}, "Pin")
  const form = h("form", {onsubmit: (event) => {
    event.preventDefault()
    model.send_msg({kind: "pin", step: at, note: note.value})
    close()
  }}, heading, h("div", {class: "row"}, note, save))
  const list = h("ul", {"aria-label": "Pinned steps"})
  const panel = h("div", {class: "pins", role: "dialog", "aria-label": "Pins", hidden: true}, form, list)
  const said = h("span", {class: "note", role: "alert"})
  button.after(panel, said)

  // What was typed meanwhile stays.
  function fill() {
    if (note.value === filled) note.value = pinned(at)?.note ?? ""
    filled = pinned(at)?.note ?? ""
  }
  // The form is of the step at which it was opened, wherever the cursor goes meanwhile.
  function show(step) {
    here = step
    if (panel.hidden) at = step
    fill()
    heading.textContent = at == null ? "" : `${pinned(at) ? "Note of" : "Pin"} ${named(at)}`
    save.textContent = pinned(at) ? "Keep" : "Pin"
    for (const mark of marks.children) mark.classList.toggle("here", Number(mark.dataset.step) === here)
  }

  function open() {
    back = in_hand()
    panel.hidden = false
    button.setAttribute("aria-expanded", "true")
    note.value = filled
    form.hidden = !model.can_pin || at == null
    // What opened it is a key, which is not to be typed.
    requestAnimationFrame(() => (form.hidden ? (list.querySelector("button") ?? button) : note).focus())
  }
  // What a pointer closed leaves the focus where that went.
  function close(restores = true) {
    panel.hidden = true
    button.setAttribute("aria-expanded", "false")
    const held = along.getRootNode().activeElement
    if (panel.contains(held)) held.blur()
    if (restores && back?.isConnected) back.focus({preventScroll: true})
    show(here)
  }
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return
    event.stopPropagation()
    close()
  })
  listen(model, "pointerdown", (event) => {
    if (!panel.hidden && !event.composedPath().includes(panel) && !event.composedPath().includes(button)) close(false)
  })

  function item(pin) {
    const remove = icon("close", `Remove the pin at ${named(pin.step)}`, () => {
      model.send_msg({kind: "unpin", step: pin.step})
      ;(form.hidden ? button : note).focus()
    })
    return h("li", {}, h("button", {class: "to", type: "button", onclick: () => jump(pin.step)},
      h("b", {}, named(pin.step)), pin.note ? h("span", {}, pin.note) : null), model.can_pin ? remove : null)
  }

  function paint() {
    button.textContent = model.pins.length ? `pins ${model.pins.length}` : "pin"
    button.title = "Pins (p)"
    button.hidden = !model.variant || (!model.can_pin && !model.pins.length)
    list.replaceChildren(...model.pins.map(item))
    marks.replaceChildren(...model.pins.map((pin) => {
      const mark = h("button", {class: "pin", type: "button", title: words(pin), "aria-label": `Pin: ${words(pin)}`,
        "data-step": String(pin.step), onclick: () => jump(pin.step)}, "▲")
      mark.style.left = `${percent(pin.step)}%`
      return mark
    }))
    show(here)
  }
  for (const name of ["pins", "can_pin", "variant"]) model.on(name, paint)
  model.on("pin_said", () => (said.textContent = model.pin_said))
  return {paint, show, stops: () => model.pins.map(({step}) => step), of: (step) => pinned(step) && `pinned${pinned(step).note && `: ${pinned(step).note}`}`,
    open: () => !button.hidden && panel.hidden && open()}
}
