// What would be run, what it takes, and the button that has it queued.
const PATIENT = 400

const launch_review = (model) => {
  const busy = h("span", {class: "quiet", role: "status"})
  let waiting = null
  const summary = h("p", {class: "summary", role: "status"})
  const replaced = h("p", {class: "replaces", role: "status", hidden: true})
  const strip = h("div", {class: "strip", "aria-hidden": "true"})
  const marked = h("p", {class: "help"})
  const rows = h("tbody")
  const table = h("details", {class: "rows"}, h("summary", {}, "Each run"), h("table", {}, rows))
  const estimate = h("div", {class: "estimate"})
  const line = h("pre", {class: "line", tabindex: "0"})
  const copied = h("span", {class: "quiet", role: "status"})
  const copy = icon("copy", "Copy the command", async () => {
    try {
      await navigator.clipboard.writeText(line.textContent)
      copied.textContent = "Copied."
    } catch {
      copied.textContent = "The browser does not let it be copied; mark it instead."
    }
  })
  const command = h("div", {class: "command"}, h("div", {class: "row"}, h("h3", {}, "On a command line"), copy, copied), line)
  const refused = h("div", {class: "refused", role: "alert"})
  const why = h("p", {class: "help", id: "launch-why"})
  const start = h("button", {type: "button", class: "main", "aria-describedby": "launch-why", "aria-keyshortcuts": "Control+Enter",
    title: "Ctrl+Enter, wherever you are in the form",
    onclick: when_allowed(() => {
      allow(start, false)
      model.send_msg({kind: "start"})
    })}, "Start")
  const element = h("section", {class: "panel review", "aria-label": "What would be run"}, h("div", {class: "row"}, h("h2", {}, "What would be run"), busy),
    summary, replaced, strip, marked, table, estimate, refused, h("div", {class: "row"}, start, why), command)

  const show = () => {
    const {summary: told = "", replaces = "", rows: runs = [], more = 0, marks = [], marked: many = "", command: text = ""} = model.review
    summary.textContent = told
    summary.hidden = !told
    replaced.textContent = replaces
    replaced.hidden = !replaces
    strip.hidden = !marks.length
    strip.replaceChildren(...marks.map((share) => h("i", {style: `left:${(share * 100).toFixed(2)}%`})))
    marked.textContent = many
    table.hidden = !runs.length
    rows.replaceChildren(...runs.map((run) => h("tr", {class: run.presence}, h("th", {scope: "row", title: run.variant}, run.name), h("td", {}, run.told))),
      ...(more ? [h("tr", {}, h("td", {colspan: 2}, `and ${more} more`))] : []))
    command.hidden = !text
    line.textContent = text
    copied.textContent = ""
  }
  const gauge = () => estimate.replaceChildren(...model.estimate.map((sentence) => h("p", {}, sentence)))
  const block = () => {
    allow(start, !model.blocked)
    why.textContent = model.blocked
    refused.replaceChildren(...model.problem.split("\n").filter(Boolean).map((sentence) => h("p", {}, sentence)))
  }
  const wait = () => {
    clearTimeout(waiting)
    busy.textContent = ""
    if (model.looking) waiting = setTimeout(() => (busy.textContent = "Looking it over \u2026"), PATIENT)
  }
  model.on("looking", wait)
  model.on("review", show)
  model.on("estimate", gauge)
  model.on("blocked", block)
  model.on("problem", block)
  wait()
  show()
  gauge()
  block()
  return {element, start}
}
