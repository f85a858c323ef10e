// The catalogue: on the left a list, narrowed by words and by kind; on the right what is known of one entry.
const REST = 150

export function render({model, el}) {
  const search = h("input", {type: "search", placeholder: "Names, titles, questions, formulas, sources, synonyms", "aria-label": "Search the catalogue"})
  const kinds = h("div", {class: "kinds", role: "group", "aria-label": "Kind"})
  const said = h("p", {class: "said", role: "status"})
  const standing = h("p", {class: "standing"})
  const list = h("div", {class: "list"})
  const settle = one_stop(list, ".entry")
  const detail = h("section", {class: "detail", "aria-label": "About the entry", tabindex: "-1"})
  const columns = h("div", {class: "columns"}, list, detail)
  el.append(h("div", {class: "page"}, h("header", {}, h("h2", {}, "Catalogue"), search, kinds, standing, said), columns))
  const ask = (control, value) => model.send_msg({kind: "ask", control, value})

  // --- what is listed

  const by_key = () => new Map(model.entries.map((entry) => [entry.key, entry]))
  function listed() {
    const {find, kind} = model.asked
    const of_kind = (entry) => entry && (!kind || entry.kind === kind)
    if (!find.trim()) return model.entries.filter(of_kind).map((entry) => [entry, ""])
    const known = by_key()
    return model.found.hits.map(({key, by}) => [known.get(key), by]).filter(([entry]) => of_kind(entry))
  }

  function row([entry, by]) {
    const state = model.standing.of[entry.key]
    const name = entry.title ? h("code", {}, entry.name) : null
    return h("button", {
      class: `entry${state ? ` is-${state.state}` : ""}`, type: "button", "data-entry": entry.key, "aria-expanded": String(entry.key === model.asked.show),
      title: state?.reason || null, onclick: () => ask("show", entry.key === model.asked.show ? "" : entry.key),
    }, h("span", {class: "title"}, entry.title || entry.name, " ", name), h("span", {class: "state"}, state?.words ?? ""),
    entry.line ? h("span", {class: "line"}, entry.line) : null, by ? h("span", {class: "by"}, by) : null)
  }

  const heading_of = (entry, ranked) => {
    const kind = model.kinds[entry.kind]
    return ranked || !["view", "analyzer"].includes(entry.kind) ? kind : `${kind} · ${entry.name.split(".")[0]}`
  }

  function rows() {
    const ranked = Boolean(model.asked.find.trim())
    let heading = ""
    return listed().flatMap(([entry, by]) => {
      const here = ranked ? "" : heading_of(entry, ranked)
      const fresh = here !== heading ? [h("h3", {}, here)] : []
      heading = here
      return [...fresh, row([entry, by])]
    })
  }

  function show_list() {
    if (model.asked.find.trim() && model.found.words !== model.asked.find) return
    const focus = el.getRootNode().activeElement?.dataset?.entry
    list.replaceChildren(...rows())
    if (!list.childElementCount && model.entries.length) list.append(h("p", {class: "none"}, "Nothing of this kind is found."))
    settle()
    if (focus) list.querySelector(`[data-entry="${CSS.escape(focus)}"]`)?.focus()
    said.textContent = model.found.said
  }

  const searching = () => Boolean(model.asked.find.trim()) && model.found.words === model.asked.find

  function show_kinds() {
    const known = by_key()
    const found = searching() ? model.found.hits.map(({key}) => known.get(key)).filter(Boolean) : model.entries
    const count = (kind) => found.filter((entry) => !kind || entry.kind === kind).length
    holding_focus(kinds, () => kinds.replaceChildren(...Object.entries({"": "All", ...model.kinds}).map(([kind, words]) =>
      h("button", {type: "button", "aria-pressed": String(kind === model.asked.kind), "data-kind": kind, onclick: () => ask("kind", kind)},
        `${words} `, h("span", {class: "count"}, String(count(kind)))))))
  }

  // An entry that an address opened stands anywhere in the list, in sight or not.
  let seen = ""
  function to_shown() {
    const {show} = model.asked
    const row = show !== seen && list.querySelector('.entry[aria-expanded="true"]')
    if (!show || row) seen = show
    if (row) row.scrollIntoView({block: "nearest"})
  }

  // --- one entry

  const line = ({label, text, code}) => [h("dt", {}, label), h("dd", {}, code ? h("code", {}, text) : text)]
  function command(text) {
    const button = icon("copy", "Copy", async () => {
      await navigator.clipboard?.writeText(text)
      button.classList.add("done")
    })
    return h("div", {class: "command"}, h("code", {}, text), button)
  }

  function show_detail() {
    const {key, sections, opens, command: line_to_type} = model.shown
    const entry = by_key().get(model.asked.show)
    // Until one is chosen the list has all the room.
    columns.classList.toggle("alone", !model.asked.show)
    if (!model.asked.show) return detail.replaceChildren()
    if (key !== model.asked.show) return
    if (!entry || !sections.length) return detail.replaceChildren(h("p", {class: "none"}, `The catalogue has no ${model.asked.show}.`))
    const state = model.standing.of[key]
    const several = opens.length > 1 || (opens.length && entry.kind === "analyzer")
    detail.replaceChildren(...[
      h("h3", {}, entry.title || entry.name),
      h("p", {class: "from"}, h("code", {}, entry.name), ` ${[entry.grain, entry.package && `from ${entry.package}`].filter(Boolean).join(", ")}`),
      state ? h("p", {class: `state is-${state.state}`}, state.words, state.reason ? `: ${state.reason}` : "") : null,
      line_to_type ? command(line_to_type) : null,
      several ? h("h4", {}, "Shown by") : null,
      opens.length ? h("div", {class: "opens"}, ...opens.map(({key: opened, words}) =>
        h("button", {type: "button", class: "open", "data-open": opened, onclick: () => model.send_msg({kind: "open", key: opened})}, words))) : null,
      ...sections.flatMap((section) => [h("h4", {}, section.title), h("dl", {}, ...section.lines.flatMap(line))]),
    ].filter(Boolean))
    detail.scrollTop = 0
  }

  // --- keys and words

  let resting = null
  search.addEventListener("input", () => {
    clearTimeout(resting)
    // What is typed, which the field may have lost by then to an address that came meanwhile.
    const words = search.value
    resting = setTimeout(() => ask("find", words), REST)
  })
  const walk = {ArrowDown: 1, ArrowUp: -1}
  function step(from, by) {
    const all = [...list.querySelectorAll(".entry")]
    const at = all.indexOf(from) + by
    if (at < 0) search.focus()
    else all[Math.min(at, all.length - 1)]?.focus()
  }
  search.addEventListener("keydown", (event) => {
    if (event.key === "Escape") search.blur()
    if (event.key !== "ArrowDown") return
    event.preventDefault()
    step(null, 1)
  })
  list.addEventListener("keydown", (event) => {
    if (!(event.key in walk)) return
    event.preventDefault()
    step(event.target.closest(".entry"), walk[event.key])
  })
  listen(model, "keydown", (event) => {
    if (event.key !== "/" || !model.active || typing(event) || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    search.focus()
  })

  function show() {
    if (el.getRootNode().activeElement !== search) search.value = model.asked.find
    standing.textContent = model.standing.said
    show_kinds()
    show_list()
    show_detail()
    to_shown()
  }
  for (const name of ["entries", "asked", "standing"]) model.on(name, show)
  model.on("found", () => { show_kinds(); show_list() })
  model.on("shown", show_detail)
  model.on("remove", () => clearTimeout(resting))
  show()
}
