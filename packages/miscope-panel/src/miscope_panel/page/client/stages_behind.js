// The stages of training behind a figure's axes that count steps, and the pinned steps upon them; of several variants laid over
// each other the pins alone, each in the colour of its variant.
const TINT = 11
const LETTER = 6

const stages_behind = (canvas) => {
  const behind = h("div", {class: "overlay behind"})
  const upon = h("div", {class: "overlay upon"})
  let heard = false

  const panes = () => Object.values(canvas._fullLayout?._plots ?? {}).filter((pane) => pane.xaxis && pane.yaxis)
  const placed = (element, box) => {
    for (const [side, value] of Object.entries(box)) element.style[side] = `${value}px`
    return element
  }
  // Where on an axis in pixels; a logarithmic one has no place for what lies before its first, which is at the foot of an upright one.
  const place = (axis, at) => {
    const pixels = axis.d2p(at)
    return Number.isFinite(pixels) ? Math.min(Math.max(pixels, 0), axis._length) : axis._id[0] === "y" ? axis._length : 0
  }
  const across = ({xaxis, yaxis}, axis, low, high) => (axis === xaxis
    ? {left: xaxis._offset + low, width: high - low, top: yaxis._offset, height: yaxis._length}
    : {left: xaxis._offset, width: xaxis._length, top: yaxis._offset + Math.min(low, high), height: Math.abs(high - low)})

  // Where a step of that variant stands: each may have a clock of its own.
  const standing = ({clock}, about, step) => on_axis(clock ? {clock} : about, step)
  const courses_in = (about) => {
    const names = [about.variant].flat()
    // A view that compares by itself may count otherwise.
    return names.length > 1 && !about.clock ? [] : miscope.courses.filter(({variant}) => names.includes(variant))
  }

  function bands(pane, axis, about, named) {
    const all = courses_in(about)
    if ([about.variant].flat().length > 1) return []
    return all.flatMap((course) => course.stages.map(({name, first, last, colour}) => {
      const [low, high] = [first, last].map((step) => place(axis, standing(course, about, step)))
      const box = across(pane, axis, low, high)
      const band = placed(h("i"), box)
      band.style.background = tinted(colour, TINT)
      if (named && axis === pane.xaxis && box.width > LETTER * name.length + 8)
        upon.append(placed(h("span", {class: "stage"}, h("b", {}, name)), {left: box.left, width: box.width, top: box.top + box.height - 16}))
      return band
    }))
  }

  function pins(pane, axis, about, marked) {
    for (const course of courses_in(about)) for (const {step, note} of course.pins) {
      const at = axis.d2p(standing(course, about, step))
      if (!Number.isFinite(at) || at < -0.5 || at > axis._length + 0.5) continue
      const box = across(pane, axis, at, at)
      const line = placed(h("i", {class: axis === pane.xaxis ? "pin-line" : "pin-line lying"}), box)
      if (course.colour) line.style.borderColor = course.colour
      upon.append(line)
      if (!marked || axis !== pane.xaxis) continue
      const label = `Pin${course.label ? ` of ${course.label}` : ""}: ${about.step_label} ${grouped(step)}${note && `: ${note}`}`
      const mark = h("span", {class: "pin-mark", title: label}, "▲")
      if (course.colour) mark.style.color = course.colour
      upon.append(placed(mark, {left: box.left - 7, top: box.top + box.height - 5}))
    }
  }

  function lay() {
    behind.replaceChildren()
    upon.replaceChildren()
    const about = canvas.layout?.meta?.miscope
    if (!miscope.courses || !about?.time_axis || !courses_in(about).length) return
    const all = panes()
    const lowest = Math.max(...all.map(({yaxis}) => yaxis._offset + yaxis._length))
    for (const pane of all) {
      const axis = [pane.xaxis, pane.yaxis].find((each) => about.time_axes.includes(each._id))
      if (!axis) continue
      const last = Math.abs(pane.yaxis._offset + pane.yaxis._length - lowest) < 1
      behind.append(...bands(pane, axis, about, last))
      pins(pane, axis, about, last)
    }
  }

  // Once there is a figure to lie behind.
  function follow() {
    if (!heard) for (const name of ["plotly_afterplot", "plotly_relayouting"]) canvas.on(name, lay)
    heard = true
    lay()
  }
  return {behind, upon, lay, follow}
}
