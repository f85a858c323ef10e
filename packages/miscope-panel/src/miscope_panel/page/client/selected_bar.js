// What is selected for all cards, and the keys that select the next. Charts mark it: they hear of it here.
const SELECT_KEYS = {
  "[": [["neuron", "latent"], -1],
  "]": [["neuron", "latent"], 1],
  "{": [["head"], -1],
  "}": [["head"], 1],
}

export function render({model, el}) {
  const bar = h("div", {class: "selected", role: "group", "aria-label": "Selected for all cards"})
  el.append(bar)
  const move = (of, by) => model.send_msg({kind: "move", of, by})

  const entry = ({what, value, lens, open}) => h("div", {class: "one", "data-what": what},
    h("span", {}, what.replaceAll("_", " ")),
    icon("back", `${what}: the one before`, () => move([what], -1)), h("b", {}, value), icon("next", `${what}: the next one`, () => move([what], 1)),
    lens ? h("button", {type: "button", class: "all", "aria-pressed": String(open), "aria-label": `All of ${what} ${value}`, onclick: () => model.send_msg({kind: "lens", what})}, "All of it") : null,
    icon("close", `${what}: select none`, () => model.send_msg({kind: "leave", what})))

  function show() {
    // Replacing the button in hand would take the focus from it.
    const held = el.getRootNode().activeElement
    const at = [...bar.querySelectorAll("button")].indexOf(held)
    bar.replaceChildren(...model.shown.map(entry))
    if (at >= 0) bar.querySelectorAll("button")[at]?.focus()
  }
  function mark() {
    miscope.selected = model.selected
    announce("selected")
  }

  listen(model, "keydown", (event) => {
    const asked = SELECT_KEYS[event.key]
    // AltGr writes these signs on many keyboards, and is both Control and Alt to some browsers.
    const altgr = event.getModifierState("AltGraph")
    if (!asked || !model.active || typing(event) || event.metaKey || (!altgr && (event.ctrlKey || event.altKey))) return
    event.preventDefault()
    move(...asked)
  })
  model.on("shown", show)
  model.on("selected", mark)
  show()
  mark()
}
