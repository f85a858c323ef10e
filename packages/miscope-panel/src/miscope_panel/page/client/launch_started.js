// The runs that were started from here: where they stand, and their losses as they are recorded.
const launch_started = (model) => {
  const said = h("div", {class: "outcome", role: "status"})
  const list = h("div", {class: "started"})
  const jobs = h("button", {type: "button", class: "link", onclick: () => model.send_msg({kind: "jobs"})}, "All jobs")
  const earlier = h("h3", {}, "Started before")
  const title = h("h2", {}, "Started")
  const element = h("section", {class: "panel", "aria-label": "Started", hidden: true}, h("div", {class: "row"}, title, jobs), said, earlier, list)
  const shown = new Map()

  const card = (run) => {
    const state = h("span", {class: "state"})
    const told = h("p", {class: "help"})
    const chart = run.training ? loss_chart() : null
    const open = h("button", {type: "button", class: "link", onclick: () => model.send_msg({kind: "open", variant: run.variant})}, "Workbench")
    const whole = h("article", {"data-run": run.id}, h("div", {class: "row"},
      h("b", {title: run.title}, `${run.id} \u00b7 ${run.training ? "train" : "analyze"} ${run.of || run.title}`), state, run.training ? open : null), told, chart?.element)
    let before = ""
    const show = (now) => {
      state.textContent = now.state
      state.className = `state is-${now.section}`
      told.textContent = [now.progress, now.left, now.error].filter(Boolean).join(" \u00b7 ")
      chart?.append(now.step, now.losses)
      // Its curve is written to disk as it begins and ends.
      if (chart && now.section !== before) model.send_msg({kind: "curve", id: run.id})
      before = now.section
    }
    return {whole, show, curve: (found) => chart?.set(found)}
  }
  const follow = () => {
    for (const run of model.runs) {
      if (!shown.has(run.id)) {
        shown.set(run.id, card(run))
        list.append(shown.get(run.id).whole)
      }
      shown.get(run.id).show(run)
    }
    for (const [id, {whole}] of shown) {
      if (model.runs.some((run) => run.id === id)) continue
      whole.remove()
      shown.delete(id)
    }
  }
  const tell = () => {
    const {words = [], refused = false} = model.started
    element.hidden = !words.length && !model.runs.length
    jobs.hidden = !model.started.jobs
    title.textContent = refused ? "Not started" : "Started"
    element.setAttribute("aria-label", title.textContent)
    earlier.hidden = !refused || !model.runs.length
    said.classList.toggle("refused", refused)
    said.replaceChildren(...words.map((sentence) => h("p", {}, sentence)))
  }
  model.on("curve", () => shown.get(model.curve.id)?.curve(model.curve.curves))
  model.on("started", tell)
  model.on("runs", () => {
    tell()
    follow()
  })
  tell()
  follow()
  return element
}
