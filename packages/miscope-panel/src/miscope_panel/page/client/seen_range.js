// Axes up the page fit what is seen of their curves where a range of steps leaves out the rest, unless they were given a range.
const SEEN_MARGIN = 0.06
const PLAIN = ["scatter", "scattergl"]

// The least and the largest of a curve between two steps, and where it enters and leaves; in the axis's own numbers.
const extent_between = ({x, y}, [first, last], own) => {
  let [least, most] = [Infinity, -Infinity]
  const take = (value) => {
    if (!Number.isFinite(value)) return
    least = Math.min(least, value)
    most = Math.max(most, value)
  }
  for (let i = 0; i < x.length; i++) {
    const value = own(y[i])
    if (x[i] >= first && x[i] <= last) take(value)
    if (i === 0) continue
    for (const edge of [first, last])
      if ((x[i - 1] - edge) * (x[i] - edge) < 0) take(own(y[i - 1]) + ((edge - x[i - 1]) / (x[i] - x[i - 1])) * (value - own(y[i - 1])))
  }
  return [least, most]
}

// Asked once: who says which are to be moved takes them for moved.
const move_axes = (chart, axes) => {
  const wanted = axes()
  return Object.keys(wanted).length ? chart.move(wanted) : null
}

// canvas: its chart. home: the layout without any zoom. zoom: what a hand has zoomed to of this card alone, as an address has it.
const seen_range = ({canvas, home, zoom}) => {
  const fitted = new Set()
  const told = () => home()?.meta?.miscope ?? {}

  // By the keys of the axes that may be moved, the curves on them.
  function curves() {
    const timed = sharing(told()).filter((key) => key[0] === "x")
    const by_hand = zoom_read(zoom())
    const found = new Map()
    const others = new Set()
    for (const trace of canvas._fullData ?? []) {
      const key = key_of_axis(trace.yaxis ?? "y")
      const {range, autorange, matches} = home()[key] ?? {}
      const free = !range && !matches && !String(autorange ?? "").includes("reversed") && !(key in by_hand)
      if (!free || !timed.includes(key_of_axis(trace.xaxis ?? "x")) || !PLAIN.includes(trace.type) || trace.stackgroup) others.add(key)
      else if (trace.visible === true && trace.x && trace.y) found.set(key, [...(found.get(key) ?? []), trace])
    }
    return [...found].filter(([key]) => !others.has(key) && ["linear", "log"].includes(canvas._fullLayout[key]?.type))
  }

  function range_of(axis, traces, ends) {
    const own = axis.type === "log" ? (value) => (value > 0 ? Math.log10(value) : NaN) : Number
    const extents = traces.map((trace) => extent_between(trace, ends, own))
    let [least, most] = [Math.min(...extents.map(([low]) => low)), Math.max(...extents.map(([, high]) => high))]
    if (!(least < most)) return null
    const margin = SEEN_MARGIN * (most - least)
    return [axis.rangemode === "tozero" && axis.type === "linear" && least >= 0 ? 0 : least - margin, most + margin]
  }

  // What is to be moved, as `time_axes` says it.
  function wanted() {
    const steps = between_read(miscope.between)
    const moved = {}
    if (!steps) {
      for (const key of fitted) moved[key] = {autorange: home()?.[key]?.autorange ?? true}
      fitted.clear()
      return moved
    }
    for (const [key, traces] of home() ? curves() : []) {
      const axis = canvas._fullLayout[key]
      const range = range_of(axis, traces, steps.map((step) => on_axis(told(), step)))
      if (!range || (axis.range && alike(range, axis.range))) continue
      moved[key] = {range, autorange: false}
      fitted.add(key)
    }
    return moved
  }
  return {wanted}
}
