// What is selected for all cards, and the keys that select the next.
const SELECT_KEYS = {
  "[": [["neuron", "latent"], -1],
  "]": [["neuron", "latent"], 1],
  "{": [["head"], -1],
  "}": [["head"], 1],
}

export function render({model, el}) {
  const bar = h("div", {class: "selected", role: "group", "aria-label": "Selected for all cards"})
  const heard = h("span", {class: "heard", role: "status"})
  el.append(bar, heard)
  const move = (of, by) => model.send_msg({kind: "move", of, by})

  const entry = ({what, value, lens, open, note}) => h("div", {class: "one", "data-what": what},
    h("span", {}, what.replaceAll("_", " ")),
    icon("back", `${what}: the one before`, () => move([what], -1)), h("b", {}, value), icon("next", `${what}: the next one`, () => move([what], 1)),
    note ? h("span", {class: "note"}, note) : null,
    lens ? h("button", {type: "button", class: "all", "aria-pressed": String(open), "aria-label": `All of ${what} ${value}`, onclick: () => model.send_msg({kind: "lens", what})}, "All of it") : null,
    icon("close", `${what}: select none`, () => model.send_msg({kind: "leave", what})))

  const words = () => new Map(model.shown.map(({what, value, note}) => [what, `${what.replaceAll("_", " ")} ${value}${note && `, ${note}`}`]))
  let said = words()

  function say() {
    const now = words()
    heard.textContent = [...now].filter(([what, text]) => said.get(what) !== text).map(([, text]) => text).join("; ")
    said = now
  }
  function show() {
    // Replacing the button in hand would take the focus from it.
    const held = el.getRootNode().activeElement
    const at = [...bar.querySelectorAll("button")].indexOf(held)
    bar.hidden = !model.shown.length
    bar.replaceChildren(...model.shown.map(entry))
    if (at >= 0) bar.querySelectorAll("button")[at]?.focus()
  }

  listen(model, "keydown", (event) => {
    const asked = SELECT_KEYS[event.key]
    // What fills in a form sends key events without a key.
    if (!asked) return
    // AltGr writes these signs on many keyboards, and is both Control and Alt to some browsers.
    const altgr = event.getModifierState("AltGraph")
    if (!model.active || typing(event) || event.metaKey || (!altgr && (event.ctrlKey || event.altKey))) return
    event.preventDefault()
    move(...asked)
  })
  model.on("shown", () => {
    show()
    say()
  })
  show()
}
