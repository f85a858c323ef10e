// Keys over the table of runs: / finds, c compares what is selected; on a row Enter opens, x selects, arrows go on, and
// those to the right and the left unfold and fold a group; on a header Enter orders, with Shift by one more column.
const WALK = {ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling"}

export function render({model, el}) {
  let finding = false
  let kept = null
  const box_of = (row) => row?.querySelector("input[type=checkbox]")
  const first_of = (root, selector) => root.querySelector(selector)
    ?? [...root.querySelectorAll("*")].map((each) => each.shadowRoot && first_of(each.shadowRoot, selector)).find(Boolean)
  const find = () => {
    finding = true
    model.send_msg({key: "find"})
  }
  // The page beside which this component stands; without a row that is gone on from, the table's first.
  const rows_there = () => first_of(el.getRootNode().host.getRootNode(), ".tabulator-table")
  const enter = () => keep(rows_there()?.firstElementChild)
  // A grid has groups of rows, and these have cells: so stand the rows that scroll, and what turns the pages. Tables come
  // and go, and tell nobody.
  const ROLES = {".tabulator-tableholder": "rowgroup", ".tabulator-table": "presentation", ".tabulator-footer": "rowgroup",
    ".tabulator-footer-contents": "row", ".tabulator-paginator": "gridcell"}
  function describe() {
    if (!model.active) return
    const table = first_of(el.getRootNode().host.getRootNode(), ".tabulator:not([data-described])")
    if (!table?.querySelector(".tabulator-footer")) return
    for (const [part, role] of Object.entries(ROLES)) table.querySelector(part)?.setAttribute("role", role)
    table.removeAttribute("aria-owns")
    tab_order(table)
    table.dataset.described = "true"
  }
  function on_header(header, event) {
    const all = [...header.parentNode.querySelectorAll(HEADERS)]
    const next = all[all.indexOf(header) + ({ArrowLeft: -1, ArrowRight: 1}[event.key] ?? NaN)]
    if (event.key === "Enter" || event.key === " ") header.dispatchEvent(new MouseEvent("click", {bubbles: true, shiftKey: event.shiftKey}))
    else if (event.key === "ArrowDown") enter()
    else if (next) next.focus()
    else return false
    return true
  }
  const on_page = {"/": find, c: () => model.send_msg({key: "compare"})}

  const place_of = (row) => [...row.parentNode.children].indexOf(row)
  const is_group = (row) => row?.querySelector(".name.group")
  // Rows come anew, and those that are selected are taken out and put back, whereby they lose the keys: these stay with
  // the row in the same place, until somebody goes elsewhere.
  function keep(row, how) {
    const box = box_of(row)
    if (!box) return
    box.focus(how)
    kept = place_of(row)
  }
  const kept_row = () => kept === null ? null : rows_there()?.children[kept]
  function stay() {
    if (!model.active) return (kept = null)
    const at = in_hand()
    const row = at?.closest(".tabulator-row")
    if (row) kept = place_of(row)
    else if (at) kept = null
    else keep(kept_row(), {preventScroll: true})
  }
  function fold(row, unfolded) {
    while (row && !unfolded && !is_group(row)) row = row.previousElementSibling
    if (!is_group(row)) return false
    keep(row)
    model.send_msg({key: "fold", row: place_of(row), unfolded})
    return true
  }

  // Rows that were found here may be seen before the server knows them.
  function once_settled(row, act) {
    const [place, words] = [place_of(row), row.querySelector(".name")?.title]
    if (!miscope.unsettled) act(place)
    else miscope.unsettled.push(() => rows_there()?.children[place]?.querySelector(".name")?.title === words && act(place))
  }

  function on_row(row, key) {
    if (key === "ArrowRight" || key === "ArrowLeft") return fold(row, key === "ArrowRight")
    if (key === "Enter") {
      if (is_group(row)) keep(row)
      once_settled(row, (place) => model.send_msg({key: "open", row: place}))
    }
    else if (key === "x") box_of(row)?.click()
    else if (key in WALK) keep(row[WALK[key]])
    else return false
    return true
  }

  function typed(event) {
    if (event.key !== "Escape" || !finding) return
    finding = false
    event.composedPath()[0].blur()
  }

  const sight = () => (model.in_sight = document.visibilityState === "visible")
  document.addEventListener("visibilitychange", sight)
  model.on("remove", () => document.removeEventListener("visibilitychange", sight))
  for (const [watch, every] of [[describe, 1000], [stay, 100]]) {
    const watching = setInterval(watch, every)
    model.on("remove", () => clearInterval(watching))
  }

  listen(model, "pointerdown", () => (kept = null))
  listen(model, "keydown", (event) => {
    if (!model.active || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    // However new the table is, Tab finds its stops.
    if (event.key === "Tab") describe()
    if (typing(event)) return typed(event)
    const path = event.composedPath()
    const free = path[0] === document.body
    const row = free ? kept_row() : path.find((each) => each instanceof Element && each.matches(".tabulator-row"))
    const header = path[0] instanceof Element && path[0].matches(HEADERS) ? path[0] : null
    if (header ? on_header(header, event) : row ? on_row(row, event.key) : free && event.key in WALK && (enter(), true)) event.preventDefault()
    else if (event.key in on_page) {
      event.preventDefault()
      on_page[event.key]()
    }
  })
}
