// The two bounds of each axis, by keys: up and down move one, Shift further, Home and End take it to an end, Escape takes
// both away; left and right go on to the next. One of all is in the order of Tab.
const A_STEP = 0.02
const A_STRIDE = 0.1
const QUIET = 150

const axis_handles = ({model, over, bounds, svg, down, change, tell}) => {
  let timer = null
  let stop = null
  const all = () => [...over.querySelectorAll(".handle")]
  const key_of = (handle) => `${handle.dataset.side} ${handle.dataset.of}`
  const of_axis = (name) => bounds.get(name) ?? [0, 1]

  const said_at = (axis, place) => {
    const exact = axis.marks.find(([at]) => Math.abs(at - place) < 1e-9)
    if (exact || !axis.ends) return exact?.[1] ?? axis.marks.reduce((a, b) => (Math.abs(a[0] - place) <= Math.abs(b[0] - place) ? a : b))[1]
    const [low, high] = axis.logarithmic ? axis.ends.map(Math.log10) : axis.ends
    const value = low + place * (high - low)
    return String(Number((axis.logarithmic ? 10 ** value : value).toPrecision(3)))
  }

  function put(handle, axis) {
    const upper = handle.dataset.side === "upper"
    const place = of_axis(axis.name)[upper ? 1 : 0]
    const x = Number(handle.dataset.x)
    handle.setAttribute("transform", `translate(${x} ${down(place)})`)
    handle.setAttribute("aria-valuenow", place.toFixed(3))
    handle.setAttribute("aria-valuetext", place === (upper ? 1 : 0) ? `none, at ${said_at(axis, place)}` : said_at(axis, place))
  }

  // Where every row's value has a mark, from mark to mark.
  function moved(axis, place, by, far) {
    const marks = axis.marks.map(([at]) => at).sort((a, b) => a - b)
    const others = by > 0 ? marks.filter((at) => at > place + 1e-9) : marks.filter((at) => at < place - 1e-9).reverse()
    const all_marked = axis.places.every((at) => at === null || marks.some((mark) => Math.abs(mark - at) < 1e-9))
    const to = all_marked ? others[0] ?? place : place + by * (far ? A_STRIDE : A_STEP)
    return Math.min(1, Math.max(0, to))
  }

  function set(axis, side, place) {
    const both = [...of_axis(axis.name)]
    both[side === "upper" ? 1 : 0] = place
    // One that is pushed past the other takes it along.
    if (both[0] > both[1]) both[side === "upper" ? 0 : 1] = place
    if (both[0] === 0 && both[1] === 1) bounds.delete(axis.name)
    else bounds.set(axis.name, both)
  }

  function press(event, axis, held) {
    const handle = event.currentTarget
    const {side} = handle.dataset
    const place = of_axis(axis.name)[side === "upper" ? 1 : 0]
    const by = {ArrowUp: 1, ArrowDown: -1, PageUp: 1, PageDown: -1}[event.key]
    const along = {ArrowLeft: -1, ArrowRight: 1}[event.key]
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (along) all()[all().indexOf(handle) + along]?.focus()
    else if (by) set(axis, side, moved(axis, place, by, event.shiftKey || event.key.startsWith("Page")))
    else if (event.key === "Home") set(axis, side, 0)
    else if (event.key === "End") set(axis, side, 1)
    else if (event.key === "Escape") bounds.delete(axis.name)
    else return
    event.preventDefault()
    event.stopPropagation()
    if (along) return
    for (const each of all().filter(({dataset}) => dataset.of === axis.name)) put(each, axis)
    change(held, axis.name)
    clearTimeout(timer)
    timer = setTimeout(() => {
      timer = null
      tell()
    }, QUIET)
  }

  const one_of = (axis, x, held, side) => {
    const upper = side === "upper"
    const handle = svg("g", {class: `handle is-${side}`, role: "slider", tabindex: "-1", "data-of": axis.name, "data-side": side, "data-x": x,
      "aria-label": `${axis.name}, ${side} bound`, "aria-orientation": "vertical", "aria-valuemin": "0", "aria-valuemax": "1"},
      svg("path", {d: upper ? "M-9 0h18M-5 -1l5 -6l5 6z" : "M-9 0h18M-5 1l5 6l5 -6z"}))
    handle.addEventListener("keydown", (event) => press(event, axis, held))
    handle.addEventListener("focus", () => {
      stop = key_of(handle)
      order()
    })
    put(handle, axis)
    return handle
  }

  function order() {
    const handles = all()
    const one = handles.find((each) => key_of(each) === stop) ?? handles[0]
    for (const each of handles) each.setAttribute("tabindex", each === one ? "0" : "-1")
  }

  return {
    of: (axis, x, held) => ["lower", "upper"].map((side) => one_of(axis, x, held, side)),
    // The axes are drawn anew; what had the keys has them still.
    keep: (draw) => {
      const held = over.getRootNode().activeElement?.closest?.(".handle")
      const key = held && over.contains(held) ? key_of(held) : null
      draw()
      order()
      if (key) all().find((each) => key_of(each) === key)?.focus()
    },
    pending: () => timer !== null,
  }
}
