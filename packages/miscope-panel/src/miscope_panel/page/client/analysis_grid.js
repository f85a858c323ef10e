// Variants down, analyzers across. A rectangle is drawn with the pointer, or with Shift and the arrows, and then queued,
// by Enter too.
const WORDS = {
  fresh: "computed", stale: "out of date", missing: "not computed", failed: "failed", running: "being computed",
  queued: "in the queue", inapplicable: "does not apply",
}
const MARKS = {fresh: "■", stale: "◪", missing: "□", failed: "✖", running: "▶", queued: "▷", inapplicable: "·"}
const WANTED = ["stale", "missing", "failed"]

export function render({model, el}) {
  const find = h("input", {type: "search", placeholder: "p113 seed1", "aria-label": "Find variants"})
  const counted = h("span", {class: "quiet"})
  const back = h("button", {type: "button", class: "act", onclick: when_allowed(() => turn(-1))}, "Back")
  const next = h("button", {type: "button", class: "act", onclick: when_allowed(() => turn(1))}, "Next")
  const queue = h("button", {type: "button", class: "act main", onclick: when_allowed(send)})
  const again = h("button", {type: "button", class: "act", onclick: () => turn(0)}, "Refresh")
  const said = h("div", {class: "told", role: "status"})
  const about = h("p", {class: "about", "aria-live": "polite"})
  const legend = h("p", {class: "legend"}, ...Object.entries(MARKS).map(([state, mark]) =>
    h("span", {}, h("i", {class: `cell is-${state}`, "aria-hidden": "true"}, mark), ` ${WORDS[state]}`)))
  const table = h("table", {role: "grid", "aria-label": "Analyses by variant", "aria-multiselectable": "true"})
  el.append(h("div", {class: "analyses"}, h("div", {class: "bar"}, find, back, next, counted, again, queue), said, legend,
    h("div", {class: "scroll"}, table), about))
  const root = el.getRootNode()

  let rows = new Map()
  let columns = []
  let cells = []
  let at = [0, 0]
  let from = [0, 0]
  let drawing = false

  function turn(by) {
    const {start, variants} = model.shown
    const to = by === 0 ? start : by < 0 ? start - model.shown.page : start + variants.length
    model.send_msg({kind: "page", start: Math.max(to, 0), find: find.value})
  }

  // An analyzer of which it is plain that it applies to none of these variants has no column.
  const applying = () => model.shown.analyzers.filter((name) => [...rows.values()].some(({cells: {[name]: cell}}) => cell && (cell.tried || cell.state !== "inapplicable")))

  function lay() {
    const {start, total, variants} = model.shown
    columns = applying()
    const focused = table.contains(root.activeElement)
    const heads = columns.map((name) => h("th", {scope: "col", title: name}, h("span", {}, name)))
    cells = variants.map((variant) => columns.map((name) => {
      const {state, note} = rows.get(variant)?.cells[name] ?? {state: "inapplicable", note: ""}
      const told = `${name}: ${WORDS[state]}${note ? ` (${note})` : ""}`
      return h("td", {role: "gridcell", class: `cell is-${state}`, tabindex: "-1", title: told, "aria-label": told}, MARKS[state])
    }))
    table.replaceChildren(h("thead", {}, h("tr", {}, h("th", {scope: "col"}, "variant"), ...heads)), h("tbody", {}, ...variants.map((variant, i) =>
      h("tr", {"data-variant": variant}, h("th", {scope: "row", title: variant}, variant), ...(rows.get(variant)?.problem
        ? [h("td", {class: "problem", colspan: Math.max(columns.length, 1)}, rows.get(variant).problem)]
        : rows.has(variant) ? cells[i] : [h("td", {class: "quiet", colspan: Math.max(columns.length, 1)}, "Reading …")])))))
    counted.textContent = total ? `${(start + 1).toLocaleString("en")}–${(start + variants.length).toLocaleString("en")} of ${total.toLocaleString("en")} variants` : "No variants."
    allow(back, start > 0)
    allow(next, start + variants.length < total)
    mark(focused)
  }

  const chosen = () => {
    const [low, high] = [0, 1].map((axis) => Math.min(at[axis], from[axis])).map((value, axis) => [value, Math.max(at[axis], from[axis])])
    const wanted = {}
    model.shown.variants.slice(low[0], low[1] + 1).forEach((variant) => {
      const some = columns.slice(high[0], high[1] + 1).filter((name) => WANTED.includes(rows.get(variant)?.cells[name]?.state))
      if (some.length) wanted[variant] = some
    })
    return {wanted, count: Object.values(wanted).flat().length, rows: low, columns: high}
  }

  function mark(focus) {
    at = [Math.min(at[0], Math.max(cells.length - 1, 0)), Math.min(at[1], Math.max(columns.length - 1, 0))]
    from = [Math.min(from[0], Math.max(cells.length - 1, 0)), Math.min(from[1], Math.max(columns.length - 1, 0))]
    const {count, rows: [top, bottom], columns: [left, right]} = chosen()
    cells.forEach((line, i) => line.forEach((cell, j) => {
      const inside = i >= top && i <= bottom && j >= left && j <= right
      cell.classList.toggle("chosen", inside)
      cell.setAttribute("aria-selected", String(inside))
      cell.tabIndex = i === at[0] && j === at[1] ? 0 : -1
    }))
    const cell = cells[at[0]]?.[at[1]]
    if (focus) cell?.focus()
    about.textContent = cell ? `${model.shown.variants[at[0]]} · ${cell.title}` : ""
    queue.textContent = `Queue ${count.toLocaleString("en")}`
    allow(queue, !model.locked && count > 0)
    queue.title = model.locked || "What of the chosen rectangle is not computed, out of date or failed"
  }
  function send() {
    model.send_msg({kind: "queue", wanted: chosen().wanted})
  }

  const place_of = (event) => {
    const cell = event.composedPath()[0]?.closest?.("td.cell")
    for (let i = 0; cell && i < cells.length; i++) if (cells[i].includes(cell)) return [i, cells[i].indexOf(cell)]
    return null
  }
  table.addEventListener("pointerdown", (event) => {
    const place = place_of(event)
    if (!place) return
    event.preventDefault()
    drawing = true
    at = place
    if (!event.shiftKey) from = place
    mark(true)
  })
  table.addEventListener("pointermove", (event) => {
    const place = drawing && place_of(event)
    if (!place || String(place) === String(at)) return
    at = place
    mark(true)
  })
  listen(model, "pointerup", () => (drawing = false))
  const STEPS = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]}
  table.addEventListener("keydown", (event) => {
    const step = STEPS[event.key]
    if (event.key === "Enter" && place_of(event) && allowed(queue)) {
      event.preventDefault()
      send()
    }
    if (!step) return
    event.preventDefault()
    event.stopPropagation()
    at = [Math.min(Math.max(at[0] + step[0], 0), cells.length - 1), Math.min(Math.max(at[1] + step[1], 0), columns.length - 1)]
    if (!event.shiftKey) from = at
    mark(true)
  })
  let timer = null
  find.addEventListener("input", () => {
    clearTimeout(timer)
    timer = setTimeout(() => model.send_msg({kind: "page", start: 0, find: find.value}), 300)
  })

  model.on("shown", () => {
    rows = new Map([...rows].filter(([variant]) => model.shown.variants.includes(variant)))
    lay()
  })
  model.on("row", () => {
    if (!model.shown.variants.includes(model.row.variant)) return
    rows.set(model.row.variant, model.row)
    lay()
  })
  model.on("said", () => {
    said.className = `told${model.said.is_problem ? " problem" : ""}`
    said.textContent = model.said.text ?? ""
  })
  model.on("locked", () => mark(false))
  lay()
}
