// The lenses, the first nine of them under number keys; the open one says in full what it asks.
const KEYS = 9

export function render({model, el}) {
  const list = h("div", {role: "group", "aria-label": "Lenses"})
  const said = h("p", {class: "said", role: "status"})
  const box = h("div", {class: "box"}, h("h4", {}, "Lenses"), list, said)
  el.append(box)
  const settle = one_stop(list, ".lens")
  const choose = (lens) => model.send_msg({lens: lens.open ? "" : lens.name})

  function count(lens) {
    if (lens.shown == null) return [String(lens.of), `${lens.of} views`]
    return [`${lens.shown} of ${lens.of}`, `${lens.shown} of its ${lens.of} views can be shown of this variant`]
  }

  function entry(lens, i) {
    const [short, long] = count(lens)
    const key = i < KEYS ? String(i + 1) : ""
    return h("button", {
      class: `lens${lens.shown === 0 ? " is-nothing" : ""}`, type: "button", "aria-pressed": String(lens.open), "data-lens": lens.name,
      "aria-keyshortcuts": key || null, title: `${lens.summary}\n${long}.${key ? ` Key: ${key}` : ""}`, onclick: () => choose(lens),
    }, h("kbd", {"aria-hidden": "true"}, key), h("span", {class: "title"}, lens.title), h("span", {class: "count", title: long}, short),
      h("span", {class: "asks"}, lens.summary))
  }

  function show() {
    box.hidden = !model.lenses.length && !model.said
    // Replacing the button in hand would take the focus from it.
    const focus = el.getRootNode().activeElement?.dataset?.lens
    list.replaceChildren(...model.lenses.map(entry))
    settle()
    if (focus) list.querySelector(`[data-lens="${CSS.escape(focus)}"]`)?.focus()
    said.textContent = model.said
  }

  listen(model, "keydown", (event) => {
    if (!model.active || typing(event) || event.ctrlKey || event.metaKey || event.altKey) return
    const lens = /^[1-9]$/.test(event.key) ? model.lenses[Number(event.key) - 1] : null
    if (!lens) return
    event.preventDefault()
    choose(lens)
  })
  model.on("lenses", show)
  model.on("said", show)
  show()
}
