// A figure whose axes may count steps: there the cursor is a line laid over the plot, which is then not drawn again.
const CLICK = 4

// plotly.js styles its tool bar from the page's head, which a shadow root does not see.
const adopt_styles = (root) => {
  const rules = document.getElementById("plotly.js-style-global")?.sheet?.cssRules
  if (!rules || root.querySelector("style.plotly")) return
  root.append(h("style", {class: "plotly"}, [...rules].map((rule) => rule.cssText).join("\n")))
}

const plain = (html) => !/[<&]/.test(html ?? "") ? (html ?? "").trim() : new DOMParser().parseFromString((html ?? "").replaceAll("<br>", " "), "text/html").body.textContent.trim()

// What a figure says of itself beside what is known already: the title of its frame, the step, and the variant where
// named says that all know it.
const heading_of = ({layout: {title, meta}}, known, named) => {
  const {step, step_label, variant} = meta?.miscope ?? {}
  const at = step == null ? "" : `${step_label} ${grouped(step)}`
  const names = named ? [variant, [variant].flat()[0]?.split("/")[1]] : []
  const words = [plain(typeof title === "string" ? title : title?.text), ...plain(title?.subtitle?.text).split(" · ")]
  return words.filter((part) => part && ![...known, at, ...names].includes(part)).join(" · ")
}

// A heat map that is only looked at comes in shades, a byte for each pixel; plotly.js is given numbers.
const NOTHING = 255
const in_numbers = (trace) => {
  if (!trace.z?.shades) return trace
  const {bdata, shape, shades: [least, step]} = trace.z
  const shades = typeof bdata === "string" ? Uint8Array.from(atob(bdata), (letter) => letter.charCodeAt(0)) : new Uint8Array(bdata)
  const numbers = Float32Array.from(shades, (shade) => (shade === NOTHING ? NaN : least + shade * step))
  const [rows, columns] = shape.split(",").map(Number)
  return {...trace, z: Array.from({length: rows}, (_, row) => numbers.subarray(row * columns, (row + 1) * columns))}
}

const NEAR = 12

// library: gives plotly.js. mark: where on the axes of a figure that says this of itself the cursor is, as [axes, place],
// or null. step: that of the cursor, for paths, or null. jump: is told of a click at a place of such axes, or at a step.
// selected: gives what is, which is marked. select: is told of what a click selects.
// zoom: of axes that a hand moved, {xaxis: [0, 500], yaxis: null}; null: all is shown. worth: of the values at the
// cursor. pointed: where on those axes another chart is pointed at, as mark; point: is told where this one is, or null.
// painter: shows a figure its own way where it can, else by what it is given, which has plotly.js draw it.
const chart_in = ({model, root, canvas, overlay, library, mark, jump, step = () => null, selected = () => ({}), select = () => {},
  zoom = () => {}, worth = () => {}, pointed = () => null, point = null,
  painter = {show: (figure, redraw) => redraw(), end: () => {}}}) => {
  let Plotly = null
  let about = null
  let by_hand = true
  let shows_all = false

  const panes = () => Object.values(canvas._fullLayout?._plots ?? {}).filter((p) => p.xaxis && p.yaxis)
  const along = ({xaxis, yaxis}, axes) => [xaxis, yaxis].find((axis) => axes.includes(axis._id))

  function lines_at([axes, place], look) {
    const lines = []
    for (const pane of place == null ? [] : panes()) {
      const axis = along(pane, axes)
      const at = axis?.d2p(place)
      if (!Number.isFinite(at) || at < -0.5 || at > axis._length + 0.5) continue
      const {xaxis, yaxis} = pane
      const line = h("div", {class: look})
      const box = axis === xaxis
        ? {left: xaxis._offset + at - 0.75, top: yaxis._offset, width: 1.5, height: yaxis._length}
        : {left: xaxis._offset, top: yaxis._offset + at - 0.75, width: xaxis._length, height: 1.5}
      for (const [side, value] of Object.entries(box)) line.style[side] = `${value}px`
      lines.push(line)
    }
    return lines
  }

  function dots() {
    return (about && step(about) != null ? path_marks(canvas, step(about)) : []).map(([left, top]) => {
      const dot = h("div", {class: "at"})
      dot.style.left = `${left}px`
      dot.style.top = `${top}px`
      return dot
    })
  }

  const other = h("div")
  function lay() {
    const [axes, place] = (about && mark(about)) ?? [[], null]
    const marks = about ? marks_in(canvas, selected()) : []
    overlay.replaceChildren(...lines_at([axes, place], "line"), ...dots(), ...marks, other)
    worth(place == null ? [] : values_at(canvas, axes, place))
    lay_pointed()
  }
  const lay_pointed = () => other.replaceChildren(...lines_at((about && pointed(about)) ?? [[], null], "line pointed"))

  // The place on axes that count steps that is under a pointer; null where there is none.
  function under(event) {
    const [axes] = (about && mark(about)) ?? [[]]
    const box = canvas.getBoundingClientRect()
    const [x, y] = [event.clientX - box.left, event.clientY - box.top]
    for (const pane of axes.length ? panes() : []) {
      const {xaxis, yaxis} = pane
      const [across, down] = [x - xaxis._offset, y - yaxis._offset]
      if (across < 0 || down < 0 || across > xaxis._length || down > yaxis._length) continue
      const axis = along(pane, axes)
      const place = axis?.p2d(axis === xaxis ? across : down)
      return Number.isFinite(place) ? place : null
    }
    return null
  }
  function clicked(event) {
    const place = under(event)
    if (place != null) return jump(place, about)
    const box = canvas.getBoundingClientRect()
    const near = about && step(about) != null ? step_near(canvas, [event.clientX - box.left, event.clientY - box.top], NEAR) : null
    if (near != null) jump(near, {})
  }
  if (point) {
    canvas.addEventListener("pointermove", (event) => about && point(under(event), about))
    canvas.addEventListener("pointerleave", () => about && point(null, about))
  }
  let pressed = null
  const home = ".modebar-btn[data-attr=zoom][data-val=reset]"
  canvas.addEventListener("click", (event) => {
    if (event.composedPath().some((n) => n instanceof Element && n.matches(home))) shows_all = true
  }, true)
  canvas.addEventListener("pointerdown", (event) => {
    const aside = event.composedPath().some((n) => n instanceof Element && n.matches?.(".modebar, .legend, .infolayer .legend"))
    pressed = aside || event.button !== 0 ? null : event
  }, true)
  const released = (event) => {
    const start = pressed
    pressed = null
    if (start && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) < CLICK) clicked(event)
  }
  // On the window: while the button is down, plotly.js covers the page.
  window.addEventListener("pointerup", released, true)

  async function draw(data, layout, config) {
    Plotly = await library()
    adopt_styles(root)
    // The configuration once: each time that it is given plotly.js copies and compares all of it.
    await painter.show({data, layout}, () => Plotly.react(canvas, data.map(in_numbers), layout, about ? undefined : config))
    if (!about) {
      canvas.on("plotly_afterplot", lay)
      canvas.on("plotly_click", ({points}) => {
        const values = points.map(selected_by).find(Boolean)
        if (values) select(values)
      })
      canvas.on("plotly_relayouting", lay)
      // All, whatever range the figure was drawn with.
      canvas.on("plotly_doubleclick", () => (shows_all = true))
      canvas.on("plotly_relayout", (change) => {
        const moved = ranges_in(change)
        const ends = shows_all ? Object.fromEntries(Object.keys(moved).map((axis) => [axis, null])) : moved
        shows_all = false
        if (by_hand && Object.keys(ends).length) zoom(ends)
      })
    }
    about = layout.meta?.miscope ?? {}
    lay()
  }

  // {xaxis: {range: [0, 500]}, yaxis: {autorange: true}}; nobody is told.
  async function move(axes) {
    if (!about) return
    by_hand = false
    try {
      await Plotly.relayout(canvas, Object.fromEntries(Object.entries(axes).flatMap(([axis, parts]) =>
        Object.entries(parts).map(([part, value]) => [`${axis}.${part}`, value]))))
    } finally {
      by_hand = true
    }
  }

  // plotly.js leaves a legend that has more or fewer rows by now where the old margin had it.
  async function resize() {
    await Plotly.Plots.resize(canvas)
    const y = canvas.layout?.legend?.y
    if (y != null && canvas._fullLayout?.showlegend) await Plotly.relayout(canvas, {"legend.y": y})
  }
  const size = new ResizeObserver(() => about && canvas.clientWidth && resize())
  size.observe(canvas)
  model.on("remove", () => {
    window.removeEventListener("pointerup", released, true)
    size.disconnect()
    painter.end()
    if (about) Plotly.purge(canvas)
  })
  return {draw, lay, lay_pointed, move, drawn: () => about != null}
}
