// A figure whose axes may count steps: there the cursor is a line laid over the plot, which is then not drawn again.
const CLICK = 4

// plotly.js styles its tool bar from the page's head, which a shadow root does not see.
const adopt_styles = (root) => {
  const rules = document.getElementById("plotly.js-style-global")?.sheet?.cssRules
  if (!rules || root.querySelector("style.plotly")) return
  root.append(h("style", {class: "plotly"}, [...rules].map((rule) => rule.cssText).join("\n")))
}

const plain = (html) => new DOMParser().parseFromString((html ?? "").replaceAll("<br>", " "), "text/html").body.textContent.trim()

// What a figure says of itself beside what is known already: the title of its frame, the step, and the variant where
// named says that all know it.
const heading_of = ({layout: {title, meta}}, known, named) => {
  const {step, step_label, variant} = meta?.miscope ?? {}
  const at = step == null ? "" : `${step_label} ${step.toLocaleString("en-US")}`
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

// library: gives plotly.js. mark: where on the axes of a figure that says this of itself the cursor is, as [axes, place],
// or null. jump: is told of a click there. selected: gives what is, which is marked. select: is told of what a click selects.
// zoom: of axes that a hand moved, {xaxis: [0, 500], yaxis: null}; null: all is shown.
const chart_in = ({model, root, canvas, overlay, library, mark, jump, selected = () => ({}), select = () => {}, zoom = () => {}}) => {
  let Plotly = null
  let about = null

  const panes = () => Object.values(canvas._fullLayout?._plots ?? {}).filter((p) => p.xaxis && p.yaxis)
  const along = ({xaxis, yaxis}, axes) => [xaxis, yaxis].find((axis) => axes.includes(axis._id))

  function lay() {
    const lines = []
    const [axes, place] = (about && mark(about)) ?? [[], null]
    for (const pane of place == null ? [] : panes()) {
      const axis = along(pane, axes)
      const at = axis?.d2p(place)
      if (!Number.isFinite(at) || at < -0.5 || at > axis._length + 0.5) continue
      const {xaxis, yaxis} = pane
      const line = h("div", {class: "line"})
      const box = axis === xaxis
        ? {left: xaxis._offset + at - 0.75, top: yaxis._offset, width: 1.5, height: yaxis._length}
        : {left: xaxis._offset, top: yaxis._offset + at - 0.75, width: xaxis._length, height: 1.5}
      for (const [side, value] of Object.entries(box)) line.style[side] = `${value}px`
      lines.push(line)
    }
    overlay.replaceChildren(...lines, ...(about ? marks_in(canvas, selected()) : []))
  }

  function clicked(event) {
    const [axes] = (about && mark(about)) ?? [[]]
    const box = canvas.getBoundingClientRect()
    const [x, y] = [event.clientX - box.left, event.clientY - box.top]
    for (const pane of axes.length ? panes() : []) {
      const {xaxis, yaxis} = pane
      const [across, down] = [x - xaxis._offset, y - yaxis._offset]
      if (across < 0 || down < 0 || across > xaxis._length || down > yaxis._length) continue
      const axis = along(pane, axes)
      const place = axis?.p2d(axis === xaxis ? across : down)
      if (Number.isFinite(place)) jump(place, about)
      return
    }
  }
  let pressed = null
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
    await Plotly.react(canvas, data.map(in_numbers), layout, about ? undefined : config)
    if (!about) {
      canvas.on("plotly_afterplot", lay)
      canvas.on("plotly_click", ({points}) => {
        const values = points.map(selected_by).find(Boolean)
        if (values) select(values)
      })
      canvas.on("plotly_relayout", (change) => {
        const moved = ranges_in(change)
        if (Object.keys(moved).length) zoom(moved)
      })
    }
    about = layout.meta?.miscope ?? {}
    lay()
  }

  const size = new ResizeObserver(() => about && canvas.clientWidth && Plotly.Plots.resize(canvas))
  size.observe(canvas)
  model.on("remove", () => {
    window.removeEventListener("pointerup", released, true)
    size.disconnect()
    if (about) Plotly.purge(canvas)
  })
  return {draw, lay, drawn: () => about != null}
}
