// What is found by the words that were entered, shown as they are entered, from the rows that are known here. The server
// answers all the same, and what it shows replaces this. Until then it knows other rows than are seen: what is done to
// these waits for it.
const WAITS = 30_000
// After the answer to another question, which came before or instead.
const WAITS_AFTER_ANOTHER = 2000

export function render({model}) {
  let known = null
  let pending = null
  let sorters = ""
  let table = null
  const read = () => (known = model.known ? JSON.parse(model.known) : null)
  const table_there = () => {
    if (!table?.tabulator || !table.el.isConnected) table = Bokeh.index.query_one((one) => one.model.tags.includes(model.table))
    if (!table?.tabulator) return null
    keep_rows(table)
    return table
  }

  function put(there, rows, selected = []) {
    there._restore_scroll = "horizontal"
    there._selection_updating = there._updating_scroll = true
    void there.tabulator.rowManager.setData(rows, true, false).then(() => {
      there.tabulator.selectRow(selected)
      there._selection_updating = there._updating_scroll = false
    })
  }

  // Of rows that are shown ahead, and that the server then sends, the curves alone are put anew: to make rows takes long.
  // Where the order is another the table has to take it up.
  function keep_rows(there) {
    if (there.makes_rows) return
    there.makes_rows = there.setData
    there.setData = () => {
      const [seen, now] = [there.tabulator.getData(), there.getData()]
      const ahead = pending && sorters === JSON.stringify(there.model.sorters)
      if (!ahead || !now.length || !alike(now, seen, model.curve)) return there.makes_rows()
      const rows = there.tabulator.getRows()
      const others = rows.filter((_, place) => now[place][model.curve] !== seen[place][model.curve])
      return Promise.all(others.map((row) => row.update({[model.curve]: now[row.getData()._index][model.curve]})))
    }
  }
  const alike = (rows, others, but = "") => rows.length === others.length && rows.every((row, place) =>
    Object.entries(row).every(([field, cell]) => field === but || others[place][field] === cell))

  function rows_at(there, places) {
    const before = there.getData()
    const curves = new Map(before.map((row) => [row[model.named], row[model.curve]]))
    return places.slice(0, model.page_rows).map((place, index) => {
      const row = {_index: index, index}
      for (const [field, cells] of Object.entries(known.cells)) row[field] = cells.values[own_of(cells, place)]
      // Curves are the server's; those that were here are near enough until it has drawn them.
      if (before.length === 0 || model.curve in before[0]) row[model.curve] = curves.get(row[model.named]) ?? ""
      return row
    })
  }

  function show(asked) {
    const last = pending ?? model
    const wanted = {text: last.text, where: last.where, ...asked}
    if (wanted.text === last.text && wanted.where === last.where) return
    const there = model.ready && known ? table_there() : null
    const places = there ? found_rows(known, wanted.text, wanted.where) : null
    if (!places) {
      if (pending) pending = wanted
      return
    }
    const selected = there.model.source.selected.indices
    const chosen = new Set(there.getData().filter((row) => selected.includes(row._index)).map((row) => row[model.named]))
    const rows = rows_at(there, places)
    put(there, rows, rows.filter((row) => chosen.has(row[model.named])).map((row) => row._index))
    there.tabulator.element.setAttribute("aria-busy", "true")
    sorters = JSON.stringify(there.model.sorters)
    miscope.unsettled ??= []
    pending = wanted
    settle_after(WAITS)
  }
  const settle_after = (wait, waited_for = pending) => setTimeout(() => pending && pending === waited_for && settle(), wait)

  // All that is seen is what the server has sent last.
  function settle() {
    pending = null
    const there = table_there()
    if (there) {
      const rows = there.getData()
      if (!alike(rows, there.tabulator.getData())) put(there, rows, there.model.source.selected.indices)
      there.tabulator.element.removeAttribute("aria-busy")
    }
    const acts = miscope.unsettled ?? []
    miscope.unsettled = null
    for (const act of acts) act()
  }

  const row_elements = (there) => [...there.tabulator.element.querySelectorAll(".tabulator-row")]
  function hold(event) {
    const path = event.composedPath()
    const row = pending && path.find((each) => each instanceof Element && each.matches(".tabulator-row"))
    const there = row && table_there()
    const place = there ? row_elements(there).indexOf(row) : -1
    if (place < 0) return
    event.stopImmediatePropagation()
    event.preventDefault()
    const named = there.tabulator.getData()[place]?.[model.named]
    const cell = path.find((each) => each instanceof Element && each.matches(".tabulator-cell"))
    const at = cell ? [...row.children].indexOf(cell) : -1
    miscope.unsettled.push(() => {
      const now = table_there()
      const found = now?.getData()[place]?.[model.named] === named ? row_elements(now)[place]?.children[at] : null
      ;(found?.querySelector("input, button") ?? found)?.click()
    })
  }

  const is_of = (event, name) => event.composedPath().some((each) => each instanceof Element && each.classList.contains(name))
  listen(model, "keydown", (event) => {
    const words = event.composedPath()[0].value
    if (event.key !== "Enter" || event.isComposing) return
    if (is_of(event, "runs-find")) show({text: words})
    else if (is_of(event, "runs-where")) show({where: words})
  })
  listen(model, "click", (event) => is_of(event, "runs-all") && show({text: "", where: ""}))
  window.addEventListener("click", hold, true)
  model.on("remove", () => window.removeEventListener("click", hold, true))
  model.on("known", read)
  model.on("settled", () => {
    if (pending) settle_after(pending.text === model.text && pending.where === model.where ? 0 : WAITS_AFTER_ANOTHER)
  })
  read()
}
