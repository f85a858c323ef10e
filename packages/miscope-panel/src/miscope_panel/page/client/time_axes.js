// What cards over training have in common: one range of steps for all their axes, a line where one of them is pointed at.

const key_of_axis = (name) => `${name[0]}axis${name.slice(1)}`
const turned_round = (axis) => String(axis.autorange ?? "").includes("reversed") || (axis.range && axis.range[0] > axis.range[1])

// The range of an axis, in its own numbers, that shows these steps. A logarithmic one begins by itself where 0 would be.
const shown_between = (about, axis, [first, last]) => {
  const ends = [first, last].map((step) => on_axis(about, step))
  const own = axis.type === "log" ? ends.map((end) => (end > 0 ? Math.log10(end) : null)) : ends
  const range = turned_round(axis) ? [own[1], own[0]] : own
  return {range, autorange: own[0] == null ? (turned_round(axis) ? "max reversed" : "min") : false}
}
const steps_between = (about, axis, range) =>
  range.map((end) => of_axis(about, axis.type === "log" ? 10 ** end : end))

// The axes whose range is that of the page: none of a figure that counts steps along both sides, whose corner a hand zooms in on.
const sharing = ({time_axes: axes = []}) => (new Set(axes.map(([letter]) => letter)).size > 1 ? [] : axes.map(key_of_axis))

// plotly.js writes into the axes it is given what a hand or a key moves them to.
const own_axes = (layout) => Object.fromEntries(Object.entries(layout).map(([key, part]) => {
  if (!/^[xy]axis\d*$/.test(key) || !part) return [key, part]
  return [key, {...part, ...(Array.isArray(part.range) ? {range: [...part.range]} : {})}]
}))

// The layout with its axes that count steps at the page's range; the one that is given stays as it is.
const at_range = (layout, between) => {
  const about = layout.meta?.miscope ?? {}
  const ends = between_read(between)
  const axes = ends ? sharing(about) : []
  return {...own_axes(layout), ...Object.fromEntries(axes.map((key) => [key, {...layout[key], ...shown_between(about, layout[key] ?? {}, ends)}]))}
}

const alike = (a, b) => a.every((end, i) => (end == null ? b[i] == null : Math.abs(end - b[i]) <= 1e-3 * Math.abs(a[1] - a[0])))

// One card's part. canvas: its chart. home: the layout that the chart was last drawn with, without any zoom.
const time_axes = ({model, canvas, home}) => {
  const told = () => home()?.meta?.miscope ?? {}
  const counting = () => sharing(told())
  const axis_of = (key) => canvas._fullLayout?.[key] ?? {}
  const all_of = (key) => {
    const {range, autorange} = home()?.[key] ?? {}
    return range ? {range, autorange: autorange ?? false} : {autorange: autorange ?? true}
  }

  // What of the ranges that a hand gave is of this card alone; those of steps are made everybody's.
  function shared(ranges) {
    const timed = counting().filter((key) => key in ranges)
    const moved = timed.find((key) => ranges[key])
    if (moved) announce("zoomed", {between: between_written(steps_between(told(), axis_of(moved), ranges[moved]))})
    else if (timed.length) announce("zoomed", {between: ""})
    return Object.fromEntries(Object.entries(ranges).filter(([key, ends]) => !ends || !timed.includes(key)))
  }

  // What is to be moved to show the page's range, or all where there is none; nothing of what is there already.
  function wanted() {
    const ends = between_read(miscope.between)
    return Object.fromEntries(counting().flatMap((key) => {
      const axis = axis_of(key)
      const asked = ends ? shown_between(told(), axis, ends) : all_of(key)
      const there = asked.range ? axis.range && alike(asked.range, axis.range) : axis.autorange === asked.autorange
      return there ? [] : [[key, asked]]
    }))
  }

  // Where this card is pointed at, told once a frame.
  let [place, due] = [null, false]
  function point(at, about) {
    place = at == null ? null : of_axis(about, at)
    if (due) return
    due = true
    requestAnimationFrame(() => {
      due = false
      if (miscope.pointed?.step === (place ?? undefined)) return
      miscope.pointed = place == null ? null : {step: place, by: model}
      announce("pointed")
    })
  }
  // What is gone is pointed at no more.
  model.on("remove", () => {
    place = null
    if (miscope.pointed?.by !== model) return
    miscope.pointed = null
    announce("pointed")
  })
  const pointed = (about) =>
    miscope.pointed && miscope.pointed.by !== model && about.time_axis ? [about.time_axes, on_axis(about, miscope.pointed.step)] : null

  return {shared, wanted, all_of, point, pointed}
}
