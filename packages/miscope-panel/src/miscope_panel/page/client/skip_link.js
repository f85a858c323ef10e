// The first thing that Tab comes to: past the header and the list of views, to what the page shows. There go the keys,
// too, of what was the last of its kind.
const skip_link = (model, el) => {
  const here = h("span", {tabindex: "-1"})
  const link = h("a", {class: "skip", href: "#", onclick: (event) => {
    event.preventDefault()
    here.focus()
  }}, "Skip to the content")
  el.append(here)
  document.body.prepend(link)
  listen(model, "miscope:content", () => here.focus())
  model.on("remove", () => link.remove())
}
