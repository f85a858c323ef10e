// Sections of runs. A card that is there stays as it is, so that what is unfolded or in hand is not lost to an update.
const LONG = 12000
const SETTLED = 50

export function render({model, el}) {
  const cards = new Map()
  const said = h("div", {class: "told", role: "status"})
  const filters = h("div", {class: "filters", role: "group", "aria-label": "Which runs are shown"})
  const bulk = h("div", {class: "bulk"})
  const notice = h("div", {class: "notice", hidden: true})
  const body = h("div", {class: "sections"})
  const settings = configuration_window(model)
  el.append(h("div", {class: "jobs"}, h("div", {class: "head"}, filters, bulk), said, notice, body, settings.element))

  // Of what is out of sight nothing need be told.
  const in_sight = new Set()
  let telling = null
  function see(id, is_seen) {
    in_sight[is_seen ? "add" : "delete"](id)
    clearTimeout(telling)
    telling = setTimeout(() => model.send_msg({kind: "seen", ids: [...in_sight]}), SETTLED)
  }

  const chosen = () => [...cards].filter(([, card]) => card.box.checked).map(([id]) => Number(id))
  const ask = (action, ids) => model.send_msg({kind: "ask", action, ids})

  const place = (words, page) => h("button", {type: "button", class: "act", onclick: () => model.send_msg({kind: "go", to: page})}, words)

  function offer() {
    const selected = chosen()
    // Only of those of which it may be asked: the others would be refused one by one.
    const may = (action) => selected.filter((id) => cards.get(String(id))?.may(action))
    const all = (words, ids, action, title) => allow(h("button", {type: "button", class: "act",
      title: model.locked || title, onclick: when_allowed(() => ask(action, ids))}, ids.length ? `${words} (${ids.length.toLocaleString("en")})` : words), !model.locked && ids.length)
    const {retry = [], clear = [], pause = [], resume = []} = model.shown.bulk
    const of_selected = (words, action, title) => all(words, may(action), action, title)
    holding_focus(bulk, () => bulk.replaceChildren(
      place("Start training", "launch"), place("Templates", "templates"),
      all("Retry failed", retry, "retry", "Asks once more for each that failed and was not asked for since."),
      ...(pause.length ? [all("Pause queued", pause, "pause", "Those that wait begin when they are resumed.")] : []),
      ...(resume.length ? [all("Resume stopped", resume, "resume", "Each goes on from its last saved state.")] : []),
      ...(selected.length ? [
        of_selected("Stop selected", "stop", "Of the selected those that run; each can be resumed."),
        of_selected("Retry selected", "retry", "Asks once more for each of the selected that failed or was stopped."),
        of_selected("Delete selected", "delete", "Takes those of the selected that do not run out of this list; variants and artifacts stay.")] : []),
      all("Delete finished", clear, "delete", "Takes those that are done or cancelled out of this list; variants and artifacts stay.")), first)
  }

  function filter() {
    const only = model.shown.sections.filter((section) => section.open).length === 1
    const total = model.shown.sections.reduce((sum, section) => sum + section.count, 0)
    const choice = (name, words, on) => h("button", {type: "button", "aria-pressed": String(on), "data-show": name,
      onclick: () => model.send_msg({kind: "show", section: name})}, words)
    holding_focus(filters, () => filters.replaceChildren(choice("", `All ${total.toLocaleString("en")}`, !only), ...model.shown.sections.map((section) =>
      choice(section.name, `${section.title} ${section.count.toLocaleString("en")}`, only && section.open))))
  }

  const first = () => filters.querySelector("button")
  function lay() {
    const held = el.getRootNode().activeElement
    const id = body.contains(held) ? held.closest("[data-run]")?.dataset.run : null
    lay_cards()
    // Never a button of another run, which would be asked for what this one was.
    if (id) (held.isConnected ? held : body.querySelector(`[data-run="${id}"] footer > .act`) ?? first()).focus({preventScroll: true})
    filter()
    offer()
    notice.hidden = !model.shown.notice.length
    notice.replaceChildren(...model.shown.notice.map((line) => h("p", {}, line)))
  }

  function lay_cards() {
    const wanted = model.shown.cards
    for (const [id, card] of cards) {
      if (id in wanted) continue
      card.remove()
      card.element.remove()
      cards.delete(id)
    }
    for (const [id, card] of Object.entries(wanted)) {
      if (cards.has(id)) cards.get(id).update(card)
      else cards.set(id, run_card(model, card, {select: offer, configure: settings.open, see}))
    }
    body.replaceChildren(...model.shown.sections.filter((section) => section.open && section.ids.length).map((section) =>
      h("section", {"data-section": section.name, "aria-label": section.title},
        h("h2", {}, `${section.title} `, h("span", {class: "quiet"}, section.count.toLocaleString("en"))),
        ...section.ids.map((id) => cards.get(id).element),
        section.ids.length < section.count
          ? h("button", {type: "button", class: "act", onclick: () => model.send_msg({kind: "more", section: section.name})},
              `Show more of ${section.count.toLocaleString("en")}`) : null)))
  }

  let silence = null
  function say() {
    clearTimeout(silence)
    const {text = "", is_problem: problem, undo = []} = model.said
    const back = () => {
      said.replaceChildren()
      first().focus()
      model.send_msg({kind: "restore", ids: undo})
    }
    said.className = `told${problem ? " problem" : ""}`
    said.replaceChildren(...(text ? [h("span", {}, text)] : []),
      ...(undo.length ? [h("button", {type: "button", class: "act", onclick: back}, "Undo")] : []))
    // What was pressed is gone: whoever uses keys goes on from here.
    if (undo.length) said.querySelector("button").focus({preventScroll: true})
    const rest = () => {
      if (said.contains(el.getRootNode().activeElement)) silence = setTimeout(rest, LONG)
      else said.replaceChildren()
    }
    if (!problem) silence = setTimeout(rest, LONG)
  }

  model.on("shown", lay)
  model.on("changed", () => Object.entries(model.changed).forEach(([id, card]) => cards.get(id)?.update(card)))
  model.on("curve", () => cards.get(String(model.curve.id))?.curve(model.curve.curves))
  model.on("detail", () => (model.detail.about === "configuration" ? settings.show(model.detail) : cards.get(String(model.detail.id))?.detail(model.detail)))
  model.on("said", say)
  model.on("locked", () => {
    for (const card of cards.values()) card.buttons()
    offer()
  })
  const sight = () => (model.in_sight = document.visibilityState === "visible")
  document.addEventListener("visibilitychange", sight)
  model.on("remove", () => {
    document.removeEventListener("visibilitychange", sight)
    for (const card of cards.values()) card.remove()
    clearTimeout(telling)
  })
  lay()
}
