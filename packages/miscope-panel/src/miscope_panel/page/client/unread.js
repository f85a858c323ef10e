// What the address names that is not here: said until somebody has read it.
const unread = (model) => {
  const words = h("div", {role: "status"})
  const line = h("div", {class: "unread"}, words, h("button", {type: "button", "aria-label": "Dismiss", title: "Dismiss",
    onclick: () => (line.hidden = true)}, "\u00d7"))
  const show = () => {
    line.hidden = !model.unread.length
    words.replaceChildren(...model.unread.map((text) => h("p", {}, text)))
  }
  model.on("unread", show)
  show()
  return line
}
