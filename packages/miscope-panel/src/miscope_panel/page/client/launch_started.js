// The runs that were started from here: where they stand, and their losses as they are recorded.
const HIGH = 130
const WIDE = 420

const launch_started = (model) => {
  const said = h("div", {class: "outcome", role: "status"})
  const list = h("div", {class: "started"})
  const jobs = h("button", {type: "button", class: "link", onclick: () => model.send_msg({kind: "jobs"})}, "All jobs")
  const element = h("section", {class: "panel", "aria-label": "Started", hidden: true}, h("div", {class: "row"}, h("h2", {}, "Started"), jobs), said, list)
  const shown = new Map()

  const card = (run) => {
    const state = h("span", {class: "state"})
    const told = h("p", {class: "help"})
    const chart = loss_chart()
    const open = h("button", {type: "button", class: "link", onclick: () => model.send_msg({kind: "open", variant: run.what})}, "Workbench")
    const whole = h("article", {"data-run": run.id}, h("div", {class: "row"}, h("b", {title: run.what}, `${run.id} \u00b7 ${run.kind} ${run.what}`), state,
      run.kind === "train" ? open : null), told, chart.element)
    const show = (now) => {
      state.textContent = now.state
      state.className = `state is-${now.state}`
      told.textContent = [now.told, now.error].filter(Boolean).join(" \u2013 ")
      chart.draw(now.curves)
    }
    return {whole, show}
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
    const {words = []} = model.started
    element.hidden = !words.length && !model.runs.length
    jobs.hidden = !model.started.jobs
    said.classList.toggle("refused", Boolean(model.started.refused))
    said.replaceChildren(...words.map((sentence) => h("p", {}, sentence)))
  }
  model.on("started", tell)
  model.on("runs", () => {
    tell()
    follow()
  })
  tell()
  follow()
  return element
}

// Curves over steps, the values on a logarithmic axis where all are above zero.
const short = (value) => (value && Math.abs(value) < 1e-3 ? value.toExponential(1) : value.toPrecision(2))

const loss_chart = () => {
  const ns = "http://www.w3.org/2000/svg"
  const svg = document.createElementNS(ns, "svg")
  svg.setAttribute("viewBox", `0 0 ${WIDE} ${HIGH}`)
  svg.setAttribute("role", "img")
  const legend = h("p", {class: "legend"})
  const element = h("div", {class: "curves", hidden: true}, svg, legend)
  const drawn = (name, attributes, text = "") => {
    const made = document.createElementNS(ns, name)
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
    made.textContent = text
    return made
  }
  const draw = (curves) => {
    const named = Object.entries(curves)
    const points = named.flatMap(([, [, values]]) => values).filter((value) => value != null)
    element.hidden = !points.length
    if (!points.length) return
    const logarithmic = Math.min(...points) > 0
    const scaled = (value) => (logarithmic ? Math.log10(value) : value)
    const [low, high] = [Math.min(...points.map(scaled)), Math.max(...points.map(scaled))]
    const last = Math.max(1, ...named.map(([, [steps]]) => steps.at(-1)))
    const x = (step) => 44 + (step / last) * (WIDE - 52)
    const y = (value) => 8 + (1 - (scaled(value) - low) / (high - low || 1)) * (HIGH - 30)
    const back = (share) => (logarithmic ? 10 ** share : share)
    svg.replaceChildren(
      ...[high, low].map((share) => drawn("text", {x: 40, y: y(back(share)) + 4, "text-anchor": "end"}, short(back(share)))),
      drawn("text", {x: 44, y: HIGH - 6}, "0"), drawn("text", {x: WIDE - 8, y: HIGH - 6, "text-anchor": "end"}, grouped(last)),
      ...named.map(([, [steps, values]], place) => {
        // Of a curve that is NaN throughout the legend alone says so.
        const dots = steps.map((step, i) => (values[i] == null ? null : `${x(step).toFixed(1)},${y(values[i]).toFixed(1)}`)).filter(Boolean)
        return dots.length && drawn("polyline", {class: `curve c${place}`, points: dots.length > 1 ? dots.join(" ") : `${dots[0]} ${dots[0]}`})
      }).filter(Boolean))
    const now = named.map(([name, [, values]]) => `${name} ${values.at(-1) == null ? "NaN" : values.at(-1).toPrecision(3)}`)
    svg.setAttribute("aria-label", now.join(", "))
    legend.replaceChildren(...named.map((_, place) => h("span", {class: `c${place}`}, now[place])))
  }
  return {element, draw}
}
