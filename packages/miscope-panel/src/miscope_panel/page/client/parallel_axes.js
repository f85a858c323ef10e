// Rows as lines over parallel axes, in a drawer below their table. A drag along an axis keeps the rows that cross it
// there; the others fade. A press on an axis takes its bounds away. The rows within all bounds are selected in the table.
const HIGH = 210
const TOP = 26
const FOOT = 14
const SIDE = 64
const REACH = 14
const LETTER = 7.2
const EDGE = 1e-9
const NEAR = 1e-4
const NS = "http://www.w3.org/2000/svg"

export function render({model, el}) {
  const bounds = new Map()
  let number = model.heard
  let brushing = false
  const canvas = h("canvas", {"aria-hidden": "true"})
  const over = document.createElementNS(NS, "svg")
  over.setAttribute("role", "group")
  over.setAttribute("aria-label", "Parallel coordinates")
  const fold = h("button", {type: "button", class: "fold", onclick: () => model.send_msg({open: !model.open})}, "Parallel coordinates")
  const said = h("p", {class: "said", role: "status"})
  const clear = h("button", {type: "button", class: "clear", onclick: () => {
    bounds.clear()
    show()
    tell()
    fold.focus()
  }}, "Clear bounds")
  const box = h("div", {class: "axes"}, canvas, over)
  const drawer = h("div", {class: "drawer"}, h("div", {class: "head"}, fold, said, clear), box)
  el.append(drawer)

  const apart = () => (box.clientWidth - 2 * SIDE) / Math.max(1, model.axes.length - 1)
  const across = (index) => SIDE + (model.axes.length > 1 ? index * apart() : (box.clientWidth - 2 * SIDE) / 2)
  const down = (place) => TOP + (HIGH - TOP - FOOT) * (1 - place)
  const placed = (y) => Math.min(1, Math.max(0, 1 - (y - TOP) / (HIGH - TOP - FOOT)))
  const count = () => model.axes[0]?.places.length ?? 0
  const all = () => [...Array(count()).keys()]
  const svg = (tag, attributes, ...children) => {
    const made = document.createElementNS(NS, tag)
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
    made.append(...children)
    return made
  }

  function within(row) {
    return model.axes.every(({name, places}) => {
      if (!bounds.has(name)) return true
      const [low, high] = bounds.get(name)
      return places[row] !== null && places[row] >= low - EDGE && places[row] <= high + EDGE
    })
  }

  function lines() {
    const scale = window.devicePixelRatio || 1
    canvas.width = box.clientWidth * scale
    canvas.height = HIGH * scale
    const pen = canvas.getContext("2d")
    const colour = (name) => getComputedStyle(el).getPropertyValue(name).trim()
    pen.scale(scale, scale)
    const selected = new Set(model.selected)
    const chosen = (row) => (bounds.size ? within(row) : selected.has(row))
    const some = bounds.size > 0 || selected.size > 0
    for (const front of [false, true]) {
      pen.strokeStyle = colour(front || !some ? "--ms-accent" : "--ms-quiet")
      pen.globalAlpha = front ? 0.9 : some ? 0.3 : Math.max(0.25, Math.min(0.8, 40 / count()))
      pen.lineWidth = front ? 1.8 : 1.2
      for (const row of all()) if (chosen(row) === front) line(pen, row)
    }
  }

  function line(pen, row) {
    let pending = false
    pen.beginPath()
    model.axes.forEach((axis, index) => {
      const place = axis.places[row]
      // Where a row has nothing there is a gap.
      if (place === null) return (pending = false)
      if (pending) pen.lineTo(across(index), down(place))
      else pen.moveTo(across(index), down(place))
      pending = true
    })
    pen.stroke()
  }

  function titled(each) {
    const whole = each.logarithmic ? `${each.name} (log)` : each.name
    const room = Math.max(6, Math.floor(Math.min(apart(), 2 * SIDE) / LETTER))
    return whole.length <= room ? whole : `${whole.slice(0, room - 1)}…`
  }

  const handles = axis_handles({model, over, bounds, svg, down, change: (held, name) => {
    hold(held, name)
    lines()
    say()
  }, tell: () => tell()})

  function axis(each, index) {
    const x = across(index)
    const group = svg("g", {class: "axis", "data-axis": each.name})
    group.append(svg("text", {x, y: 14, class: "name"}, titled(each), svg("title", {}, each.name)))
    group.append(svg("line", {x1: x, x2: x, y1: down(0), y2: down(1)}))
    for (const [place, words] of each.marks) group.append(svg("text", {x: x + 12, y: down(place) + 4, class: "mark"}, words))
    const strip = svg("rect", {class: "strip", x: x - REACH, width: 2 * REACH, y: TOP - 6, height: HIGH - TOP - FOOT + 12})
    strip.append(svg("title", {}, `${each.name}: drag to set bounds, press to take them away`))
    const held = svg("rect", {class: "held", x: x - 5, width: 10})
    strip.addEventListener("pointerdown", (event) => brush(event, each.name, strip, held))
    group.append(held, ...handles.of(each, x, held), strip)
    hold(held, each.name)
    return group
  }

  function hold(held, name) {
    const [low, high] = bounds.get(name) ?? [0, 0]
    held.setAttribute("visibility", bounds.has(name) ? "visible" : "hidden")
    held.setAttribute("y", down(high))
    held.setAttribute("height", Math.max(2, down(low) - down(high)))
  }

  function brush(event, name, strip, held) {
    const at = (moved) => placed(moved.clientY - over.getBoundingClientRect().top)
    const from = at(event)
    strip.setPointerCapture(event.pointerId)
    bounds.delete(name)
    brushing = true
    const move = (moved) => {
      const to = at(moved)
      if (Math.abs(to - from) > 0.01) bounds.set(name, [Math.min(from, to), Math.max(from, to)])
      hold(held, name)
      lines()
      say()
    }
    const end = () => {
      brushing = false
      strip.removeEventListener("pointermove", move)
      show()
      tell()
    }
    strip.addEventListener("pointermove", move)
    strip.addEventListener("pointerup", end, {once: true})
    strip.addEventListener("pointercancel", end, {once: true})
  }

  function tell() {
    number += 1
    model.send_msg({rows: bounds.size ? all().filter(within) : [], bounds: Object.fromEntries(bounds), revision: model.revision, number})
  }

  function say() {
    const rows = count().toLocaleString("en")
    clear.hidden = !model.open || !bounds.size
    said.textContent = !model.open ? ""
      : !model.axes.length ? "These rows differ in no column that has an axis."
      : bounds.size ? `${all().filter(within).length.toLocaleString("en")} of ${rows} rows are within the bounds.`
      : "Drag along an axis to select the rows that cross it there; or Tab to a bound, which up and down move."
  }

  function show() {
    fold.setAttribute("aria-expanded", String(model.open))
    drawer.classList.toggle("is-open", model.open)
    box.hidden = !model.open || !model.axes.length
    say()
    if (box.hidden) return
    handles.keep(() => over.replaceChildren(...model.axes.map(axis)))
    lines()
  }

  const take = (unheard) => {
    if (handles.pending() || unheard) return false
    const given = Object.entries(model.bounds)
    const near = ([name, places]) => bounds.has(name) && places.every((place, i) => Math.abs(place - bounds.get(name)[i]) < NEAR)
    // Those that were set here have more digits than an address.
    if (given.length === bounds.size && given.every(near)) return false
    bounds.clear()
    for (const [name, places] of given) bounds.set(name, places)
    return true
  }
  // Bounds that come with the address select rows too; of those that were here the rows are selected already.
  model.on("revision", () => {
    // The axis in hand would be replaced; it is told, and all is drawn, where it is let go.
    if (brushing) return lines()
    // What was told of rows that are others by now is told once more, of these.
    const unheard = number !== model.heard
    const others = take(unheard)
    show()
    if (unheard || (others && bounds.size)) tell()
  })
  model.on("open", show)
  model.on("selected", () => box.hidden || lines())
  listen(model, "miscope:theme", () => box.hidden || lines())
  const sized = new ResizeObserver(() => box.hidden || show())
  sized.observe(box)
  model.on("remove", () => sized.disconnect())
  const others = take(false)
  show()
  if (others && bounds.size) tell()
}
