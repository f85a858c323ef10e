// Every installed view, by namespace and within it by how much of training it shows; a press opens or closes its card.
// Words in the field find views and lenses; the server looks for them, since it knows formulas and sources too.
const GRAINS = {checkpoint: "at a step", trajectory: "over training", cohort: "across variants"}
const REST = 120

export function render({model, el}) {
  const search = h("input", {type: "search", placeholder: "Search views and lenses", "aria-label": "Search views",
    title: "Names, titles, questions, formulas, sources and synonyms (/)"})
  const list = h("div")
  const settle = one_stop(list, "button, summary")
  const again = () => model.send_msg({kind: "again"})
  const look = icon("again", "Refresh: show what was trained and computed since (r)", again)
  el.append(h("div", {class: "box"}, h("div", {class: "top"}, search, look), list))
  // What the reader folded or unfolded; any other namespace is unfolded while one of its views is open.
  const folded = new Map()
  let all_unfolded = null

  function entry(view, by = "") {
    const why = view.reason ? h("span", {class: "why"}, view.reason) : null
    const found_by = by ? h("span", {class: "by"}, by) : null
    return h("button", {
      class: `view is-${view.state}`, type: "button", "aria-pressed": String(view.open), "data-view": view.name,
      title: `${view.name}: ${view.summary}`, onclick: () => model.send_msg({kind: view.open ? "close" : "open", view: view.name}),
    }, h("span", {class: "mark", "aria-hidden": "true"}), h("span", {}, view.title, found_by, why))
  }

  function namespace(name, views) {
    const open = views.filter((view) => view.open).length
    const nothing = views.every((view) => view.state === "inapplicable")
    const count = open ? `${open} of ${views.length} open` : nothing ? "does not apply" : String(views.length)
    const summary = h("summary", {class: nothing ? "is-inapplicable" : ""}, name, h("span", {class: "count"}, count))
    const groups = Object.entries(GRAINS).flatMap(([grain, words]) => {
      const these = views.filter((view) => view.grain === grain)
      return these.length ? [h("h5", {}, words), ...these.map((view) => entry(view))] : []
    })
    const section = h("details", {open: folded.get(name) ?? open > 0, "data-namespace": name}, summary, ...groups)
    summary.addEventListener("click", () => folded.set(name, !section.open))
    return section
  }

  function everything() {
    const spaces = model.views.reduce(
      (groups, view) => groups.set(view.namespace, [...(groups.get(view.namespace) ?? []), view]), new Map())
    const summary = h("summary", {}, "All views", h("span", {class: "count"}, String(model.views.length)))
    const section = h("details", {class: "all", open: all_unfolded ?? !model.beside_lens}, summary,
      ...[...spaces].map(([name, views]) => namespace(name, views)))
    summary.addEventListener("click", () => (all_unfolded = !section.open))
    return section
  }

  function found_lens(lens) {
    return h("button", {class: "view", type: "button", "data-found-lens": lens.name, title: lens.summary,
      onclick: () => model.send_msg({kind: "lens", lens: lens.name})},
    h("span", {class: "shape", "aria-hidden": "true"}), h("span", {}, lens.title, h("span", {class: "by"}, ["lens", lens.by].filter(Boolean).join(", "))))
  }

  function results({said, lenses, views}) {
    const by_name = new Map(model.views.map((view) => [view.name, view]))
    const shown = views.filter(({name}) => by_name.has(name))
    return [said ? h("div", {class: "none", role: "status"}, said) : null, ...lenses.map(found_lens),
      ...shown.map(({name, by}) => entry(by_name.get(name), by))].filter(Boolean)
  }

  const words_now = () => search.value.trim()
  function show() {
    const focus = el.getRootNode().activeElement?.dataset?.view
    holding_focus(list, () => {
      if (!words_now()) list.replaceChildren(model.views.length ? everything() : h("div", {class: "none"}, "No views are installed."))
      else if (model.found.words === words_now()) list.replaceChildren(...results(model.found))
      settle()
    })
    if (focus) list.querySelector(`[data-view="${CSS.escape(focus)}"]`)?.focus()
  }

  let resting = null
  function ask() {
    clearTimeout(resting)
    if (!words_now() || model.found.words === words_now()) return show()
    resting = setTimeout(() => model.send_msg({kind: "find", words: words_now()}), REST)
  }
  search.addEventListener("input", ask)
  search.addEventListener("keydown", (event) => {
    if (event.key === "Escape") search.blur()
    const first = list.querySelector("button, summary")
    if (event.key === "ArrowDown" && first) {
      event.preventDefault()
      first.focus()
    }
    if (event.key !== "Enter" || !words_now() || model.found.words !== words_now()) return
    // What is open already stays so.
    const best = list.querySelector("button")
    if (best?.getAttribute("aria-pressed") !== "true") best?.click()
  })
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
  // An answer to other words may have come after the one to these.
  model.on("found", ask)
  model.on("beside_lens", () => {
    all_unfolded = null
    show()
  })
  show()
  model.on("remove", () => clearTimeout(resting))
}
