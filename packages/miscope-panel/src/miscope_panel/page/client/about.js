// What there is to know of a card: unfolded over its picture, and folded again where it was asked for.
const about_panel = (model, copy) => {
  const panel = h("div", {class: "about", role: "region", "aria-label": `About ${model.title}`, tabindex: "-1", hidden: true})
  const button = icon("about", "About this view (i)", () => toggle())
  button.setAttribute("aria-expanded", "false")

  const line = ({label, text, code}) => [h("dt", {}, label), h("dd", {}, code ? h("code", {}, text) : text)]
  function show() {
    const {sections, text} = model.about
    const tools = h("div", {class: "about-tools"},
      h("button", {class: "link", type: "button", onclick: () => model.send_msg({kind: "catalogue"})}, "In the catalogue"),
      icon("copy", "Copy as text", () => copy("Text", text)), icon("close", "Close (Escape)", () => toggle(false)))
    panel.replaceChildren(tools, ...(sections ?? []).flatMap(({title, lines}) => [
      h("h4", {}, title), h("dl", {}, ...lines.flatMap(line))]))
    if (!sections) panel.append(h("p", {}, "Reading ..."))
  }

  const ask = () => model.send_msg({kind: "about"})
  function toggle(open = panel.hidden) {
    panel.hidden = !open
    button.setAttribute("aria-expanded", String(open))
    if (!open) return button.focus()
    show()
    ask()
    panel.focus()
  }
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return
    event.stopPropagation()
    toggle(false)
  })
  model.on("about", () => {
    if (panel.hidden) return
    show()
    // Emptied: something else is shown, though maybe in the same words.
    if (!model.about.sections) ask()
  })
  // Another step or variant is another provenance.
  model.on("picture", () => !panel.hidden && ask())

  function listen_on(card) {
    card.addEventListener("keydown", (event) => {
      if (event.key !== "i" || typing(event) || event.ctrlKey || event.metaKey || event.altKey) return
      event.preventDefault()
      toggle()
    })
  }
  return {button, panel, listen_on}
}
