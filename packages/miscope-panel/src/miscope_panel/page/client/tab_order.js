// Of a table one header and one row are in the order of Tab; arrows go on from there. Cells are not: they have nothing
// to do by keys, and what edits cells makes each of them a stop that loses the keys.
const HEADERS = '.tabulator-col.tabulator-sortable[tabulator-field^="c:"]'

const tab_order = (table) => {
  const rows = table.querySelector(".tabulator-table")
  const one_of = (all, chosen) => {
    const one = all.find((each) => each === chosen) ?? all[0]
    for (const each of all) {
      const stop = each === one ? "0" : "-1"
      if (each.getAttribute("tabindex") !== stop) each.setAttribute("tabindex", stop)
    }
  }
  const boxes = () => [...rows.querySelectorAll(".tabulator-row input[type=checkbox]")]
  const headers = () => [...table.querySelectorAll(HEADERS)]
  const settle = (at) => {
    for (const cell of rows.querySelectorAll(".tabulator-cell[tabindex]")) cell.removeAttribute("tabindex")
    for (const [all, old] of [[boxes(), at], [headers(), at]])
      one_of(all, all.includes(old) ? old : all.find((each) => each.tabIndex === 0 && each.dataset.stop))
  }
  const come = (event) => {
    const [box, header] = [event.target.matches("input[type=checkbox]"), event.target.matches(HEADERS)]
    if (!box && !header) return
    for (const each of box ? boxes() : headers()) delete each.dataset.stop
    event.target.dataset.stop = ""
    settle(event.target)
  }
  table.addEventListener("focusin", come)
  new MutationObserver(() => settle(null)).observe(rows, {childList: true, subtree: true, attributes: true, attributeFilter: ["tabindex"]})
  // Its rows are reached by their boxes.
  table.querySelector(".tabulator-tableholder")?.setAttribute("tabindex", "-1")
  settle(null)
}
