// The heading over several cards of a board.
export function render({model, el}) {
  const title = h("h2", {})
  const note = h("p", {})
  const show = () => {
    title.textContent = model.title
    note.textContent = model.note
    note.hidden = !model.note
  }
  for (const name of ["title", "note"]) model.on(name, show)
  show()
  el.append(title, note)
  beside(model, el.getRootNode().host ?? el)
}
