// Every installed view, by namespace and within it by how much of training it shows; a press opens or closes its card.
const GRAINS = {checkpoint: "at a step", trajectory: "over training", cohort: "across variants"}

export function render({model, el}) {
  const search = h("input", {type: "search", placeholder: "Search views", "aria-label": "Search views"})
  const list = h("div")
  const again = () => model.send_msg({kind: "again"})
  const look = icon("again", "Refresh: show what was trained and computed since (r)", again)
  el.append(h("div", {class: "box"}, h("div", {class: "top"}, search, look), list))
  // What the reader folded or unfolded; any other namespace is unfolded while one of its views is open.
  const folded = new Map()

  function entry(view) {
    const why = view.reason ? h("span", {class: "why"}, view.reason) : null
    return h("button", {
      class: `view is-${view.state}`, type: "button", "aria-pressed": String(view.open), "data-view": view.name,
      title: `${view.name}: ${view.summary}`, onclick: () => model.send_msg({kind: view.open ? "close" : "open", view: view.name}),
    }, h("span", {class: "mark", "aria-hidden": "true"}), h("span", {}, view.title, why))
  }

  function namespace(name, views, searching) {
    const open = views.filter((view) => view.open).length
    const nothing = views.every((view) => view.state === "inapplicable")
    const count = open ? `${open} of ${views.length} open` : nothing ? "does not apply" : String(views.length)
    const summary = h("summary", {class: nothing ? "is-inapplicable" : ""}, name, h("span", {class: "count"}, count))
    const groups = Object.entries(GRAINS).flatMap(([grain, words]) => {
      const these = views.filter((view) => view.grain === grain)
      return these.length ? [h("h5", {}, words), ...these.map(entry)] : []
    })
    const unfolded = searching || (folded.get(name) ?? open > 0)
    const section = h("details", {open: unfolded, "data-namespace": name}, summary, ...groups)
    summary.addEventListener("click", () => folded.set(name, !section.open))
    return section
  }

  function show() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean)
    const found = model.views.filter((view) => {
      const text = `${view.name} ${view.title} ${view.summary}`.toLowerCase()
      return words.every((word) => text.includes(word))
    })
    const spaces = found.reduce(
      (groups, view) => groups.set(view.namespace, [...(groups.get(view.namespace) ?? []), view]), new Map())
    list.replaceChildren(...[...spaces].map(([name, views]) => namespace(name, views, words.length > 0)))
    if (!found.length) list.append(h("div", {class: "none"}, model.views.length ? "No view matches." : "No views are installed."))
  }

  search.addEventListener("input", show)
  search.addEventListener("keydown", (event) => event.key === "Escape" && search.blur())
  const actions = {r: again, "/": () => search.focus()}
  listen(model, "keydown", (event) => {
    const action = actions[event.key]
    if (!action || typing(event) || event.ctrlKey || event.metaKey || event.altKey) return
    // On another page the key is that page's.
    if (event.key === "/" && !search.checkVisibility({visibilityProperty: true})) return
    event.preventDefault()
    action()
  })
  listen(model, "miscope:again", again)
  model.on("views", show)
  show()
}
