// Keys over the table of runs: / finds, c compares what is selected; on a row Enter opens, x selects, arrows go on.
const WALK = {ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling"}

export function render({model, el}) {
  let finding = false
  const box_of = (row) => row?.querySelector("input[type=checkbox]")
  const first_row = (root) => root.querySelector(".tabulator-row")
    ?? [...root.querySelectorAll("*")].map((each) => each.shadowRoot && first_row(each.shadowRoot)).find(Boolean)
  const find = () => {
    finding = true
    model.send_msg({key: "find"})
  }
  // The page beside which this component stands; without a row that is gone on from, the table's first.
  const enter = () => box_of(first_row(el.getRootNode().host.getRootNode()))?.focus()
  const on_page = {"/": find, c: () => model.send_msg({key: "compare"})}

  function on_row(row, key) {
    if (key === "Enter") model.send_msg({key: "open", row: [...row.parentNode.children].indexOf(row)})
    else if (key === "x") box_of(row)?.click()
    else if (key in WALK) box_of(row[WALK[key]])?.focus()
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
  listen(model, "keydown", (event) => {
    if (!model.active || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    if (typing(event)) return typed(event)
    const path = event.composedPath()
    const row = path.find((each) => each instanceof Element && each.matches(".tabulator-row"))
    const free = path[0] === document.body
    if (row ? on_row(row, event.key) : free && event.key in WALK && (enter(), true)) event.preventDefault()
    else if (event.key in on_page) {
      event.preventDefault()
      on_page[event.key]()
    }
  })
}
