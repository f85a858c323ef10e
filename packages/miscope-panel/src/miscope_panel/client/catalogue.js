// Every installed view, by namespace; a press opens or closes its card.
export function render({model, el}) {
  const search = h("input", {type: "search", placeholder: "Search views", "aria-label": "Search views"})
  const list = h("div")
  el.append(h("div", {class: "box"}, search, list))

  function entry(view) {
    const why = view.reason ? h("span", {class: "why"}, view.reason) : null
    return h("button", {
      class: `view is-${view.state}`, type: "button", "aria-pressed": String(view.open), "data-view": view.name,
      title: `${view.name}: ${view.summary}`, onclick: () => model.send_msg({kind: view.open ? "close" : "open", view: view.name}),
    }, h("span", {class: "mark", "aria-hidden": "true"}), h("span", {}, view.title, why))
  }

  function show() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean)
    const found = model.views.filter((view) => {
      const text = `${view.name} ${view.title} ${view.summary}`.toLowerCase()
      return words.every((word) => text.includes(word))
    })
    const spaces = Map.groupBy ? Map.groupBy(found, (view) => view.namespace) : found.reduce(
      (groups, view) => groups.set(view.namespace, [...(groups.get(view.namespace) ?? []), view]), new Map())
    list.replaceChildren(...[...spaces].flatMap(([namespace, views]) => [h("h4", {}, namespace), ...views.map(entry)]))
    if (!found.length) list.append(h("div", {class: "none"}, model.views.length ? "No view matches." : "No views are installed."))
  }

  search.addEventListener("input", show)
  model.on("views", show)
  show()
}
