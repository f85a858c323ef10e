// One run: what it is of, how far it is, its losses as they fall, what went wrong, and what may be asked of it.
const run_card = (model, first, on) => {
  const id = first.id
  const box = h("input", {type: "checkbox", "aria-label": `Select run ${id}`, onchange: on.select})
  const title = h("button", {type: "button", class: "title"})
  const number = h("span", {class: "number"}, `#${id}`)
  const state = h("span", {class: "state"})
  const of = h("span", {class: "quiet of"})
  const facts = h("span", {class: "quiet facts"})
  const bar = h("div", {class: "bar", role: "progressbar", "aria-label": `Progress of run ${id}`, "aria-valuemin": 0, "aria-valuemax": 100}, h("i"))
  const share = h("span", {class: "share"})
  const progress = h("span", {class: "progress"})
  const left = h("span", {class: "quiet left"})
  const metrics = h("div", {class: "metrics"})
  const chart = first.training ? loss_chart() : null
  const error = h("p", {class: "cause"})
  const more = h("pre", {class: "cause more"})
  const trace = unfolded(model, id, "trace", "Traceback")
  const copy_error = copy_button("Copy error", () => [error.textContent, more.textContent, trace.element.open ? trace.text() : ""].filter(Boolean).join("\n"))
  const trouble = h("div", {class: "trouble", hidden: true}, error, more, h("div", {class: "row"}, copy_error), trace.element)
  const log = unfolded(model, id, "log", "Log")
  const order = h("span", {class: "order"})
  const acts = h("span", {class: "acts"})
  const settings = h("button", {type: "button", class: "act", onclick: () => on.configure(card)}, first.training ? "Hyperparameters" : "Configuration")
  const element = h("article", {"aria-label": `Run ${id}`, "data-run": id},
    h("header", {}, box, number, h("span", {class: "quiet"}, first.training ? "train" : "analyze"), title, state, of, facts),
    h("div", {class: "far"}, bar, share, progress, left),
    metrics, trouble, chart?.element, h("footer", {}, acts, settings, order), log.element)
  let card = null

  title.addEventListener("click", () => model.send_msg({kind: "open", id}))

  function buttons() {
    const focus = element.getRootNode().activeElement?.dataset?.act
    acts.replaceChildren(...card.actions.map((action) => h("button", {
      type: "button", class: "act", "data-act": action.name, disabled: Boolean(model.locked), title: model.locked || action.title,
      onclick: () => model.send_msg({kind: "ask", action: action.name, ids: [id]})}, action.label)))
    const move = (words, by) => h("button", {type: "button", class: "act", "data-act": words, disabled: Boolean(model.locked),
      "aria-label": `${words} in the queue`, title: model.locked || `${words} in the queue`,
      onclick: () => model.send_msg({kind: "move", id, by})}, by < 0 ? "▲" : "▼")
    order.replaceChildren(...(card.section === "queued" ? [move("Earlier", -1), move("Later", 1)] : []))
    if (focus) (element.querySelector(`[data-act="${focus}"]`) ?? settings).focus({preventScroll: true})
  }

  function update(next) {
    const before = card
    card = next
    element.className = `run is-${card.section}${card.training ? " trains" : ""}${card.began ? " began" : ""}`
    title.textContent = card.title
    title.disabled = !card.variant
    title.title = card.variant ? `Open ${card.variant} in the workbench` : card.title
    state.textContent = card.state
    of.textContent = card.of
    facts.textContent = card.facts.join(" · ")
    bar.hidden = card.share == null
    const {percent} = card
    if (percent == null) bar.removeAttribute("aria-valuenow")
    else bar.setAttribute("aria-valuenow", percent)
    bar.firstChild.style.width = `${100 * (card.share ?? 0)}%`
    share.textContent = percent == null ? "" : `${percent} %`
    progress.textContent = card.progress
    left.textContent = card.left
    metrics.replaceChildren(...card.metrics.map(([name, text]) => h("span", {}, h("span", {class: "quiet"}, `${name} `), text)))
    chart?.append(card.step, card.losses)
    trouble.hidden = !card.error
    trouble.classList.toggle("mild", card.section !== "failed")
    error.textContent = card.error
    more.textContent = card.more
    more.hidden = !card.more
    copy_error.parentElement.hidden = trace.element.hidden = card.section !== "failed"
    log.element.hidden = !card.began
    if (!before || JSON.stringify([before.actions, before.section]) !== JSON.stringify([card.actions, card.section])) buttons()
    // Its curve was written to disk by now, up to the last step.
    if (before && before.section !== card.section) look()
  }

  // The curve is read once the card is in sight.
  let seen = false
  const look = () => chart && seen && model.send_msg({kind: "curve", id})
  const sight = new IntersectionObserver(([entry]) => {
    on.see(id, entry.isIntersecting)
    // While it was out of sight it was not told how its losses went on.
    seen ||= entry.isIntersecting
    if (entry.isIntersecting) look()
  })
  sight.observe(element)

  update(first)
  return {
    element, update, buttons, box, may: (action) => card.actions.some(({name}) => name === action), curve: (found) => chart?.set(found),
    detail: (found) => (found.about === "log" ? log : trace).show(found.lines), remove: () => {
      sight.disconnect()
      on.see(id, false)
    },
  }
}
