// One view: its title, its controls, and its picture or why there is none. Where an axis counts steps, the cursor is a
// line laid over the plot, which is then not drawn again.
const LATE = 300
const CLICK = 4
const REST_OF_HAND = 80

let library = null
const plotly = () => (library ??= window.Plotly ? Promise.resolve(window.Plotly) : new Promise((loaded, failed) => {
  // plotly.js looks for a module loader and would hand itself to it instead of the page.
  const script = h("script", {src: miscope.charts.bundle, onload: () => loaded(window.Plotly), onerror: failed})
  document.head.append(script)
}))
const ready = () => (miscope.charts ? Promise.resolve() : new Promise((done) => window.addEventListener("miscope:ready", done, {once: true})))

// plotly.js styles its tool bar from the page's head, which a shadow root does not see.
const adopt_styles = (root) => {
  const rules = document.getElementById("plotly.js-style-global")?.sheet?.cssRules
  if (!rules || root.querySelector("style.plotly")) return
  root.append(h("style", {class: "plotly"}, [...rules].map((rule) => rule.cssText).join("\n")))
}

// What stands between backticks is code.
const coded = (sentence) => sentence.split("`").map((part, i) => (i % 2 ? h("code", {}, part) : part))

const plain = (html) => new DOMParser().parseFromString((html ?? "").replaceAll("<br>", " "), "text/html").body.textContent.trim()

export function render({model, el}) {
  const root = el.getRootNode()
  const host = root.host ?? el
  let plot = null
  let figure = null
  let drawing = Promise.resolve()

  const heading = h("div", {class: "heading"})
  const badge = h("span", {class: "badge"})
  const widen = icon("wide", "Full width", () => {
    const wide = host.classList.toggle("wide")
    draw_icon(widen, wide ? "narrow" : "wide")
  })
  const close = icon("close", "Close this view", () => model.send_msg({kind: "close"}))
  const [more, actions] = menu(model, `${model.title}: more`, () => choices())
  const controls = h("div", {class: "controls"})
  const canvas = h("div", {class: "plot"})
  const overlay = h("div", {class: "overlay"})
  const message = h("div", {class: "message", hidden: true})
  const skeleton = h("div", {class: "skeleton", "aria-hidden": "true"})
  const said = h("div", {class: "said", role: "status"})
  const body = h("div", {class: "body"}, skeleton, canvas, overlay, message, h("div", {class: "busy"}), said)
  const card = h("section", {class: "card", "aria-label": model.title},
    h("header", {}, h("h3", {title: model.summary}, model.title), badge, model.closable ? h("div", {class: "tools"}, more, widen, close) : null),
    actions, heading, controls, body)
  el.append(card)

  // --- the picture

  function layout_of(content) {
    const {title, width, height, ...layout} = content.layout
    const margin = {l: 56, r: 20, t: 12, b: 44, ...layout.margin}
    // The card's own header carries the title, so its room goes to the plot.
    const heading = layout.meta?.miscope?.heading ?? 0
    if (title) margin.t = Math.max(14, (layout.margin?.t ?? 64) - heading - 50)
    return {...layout, margin, autosize: true, uirevision: model.view,
      template: miscope.charts.templates[miscope.dark ? "dark" : "light"]}
  }

  // Panels above each other need room for each; a table needs the width.
  function make_room({data, layout}) {
    const axes = Object.entries(layout).filter(([name, axis]) => name.startsWith("yaxis") && !axis.overlaying)
    const rows = new Set(axes.map(([, {domain}]) => (domain ?? [0, 1])[0].toFixed(2))).size
    body.style.setProperty("--tall", `${Math.min(180 + 120 * Math.max(rows, 1), 720)}px`)
    if (!plot && data.length && data.every((trace) => trace.type === "table")) widen.click()
  }

  // The page says already which variant and which step.
  function heading_of(words, more, about) {
    const at = about.step == null ? "" : `${about.step_label} ${about.step.toLocaleString("en-US")}`
    const slug = [about.variant].flat()[0]?.split("/")[1]
    const known = [model.title, at, ...(model.held ? [] : [about.variant, slug])]
    return [words, ...more.split(" · ")].filter((part) => part && !known.includes(part)).join(" · ")
  }

  async function draw() {
    await ready()
    const Plotly = await plotly()
    if (!figure) return
    const content = JSON.parse(figure)
    const title = content.layout.title
    const words = plain(typeof title === "string" ? title : title?.text)
    const more = plain(title?.subtitle?.text)
    heading.textContent = heading.title = heading_of(words, more, content.layout.meta?.miscope ?? {})
    adopt_styles(root)
    make_room(content)
    await Plotly.react(canvas, content.data, layout_of(content), miscope.charts.config)
    if (!plot) canvas.on("plotly_afterplot", lay_cursor)
    plot = content.layout.meta?.miscope ?? {}
    skeleton.hidden = true
    lay_cursor()
    card.dataset.drawn = Number(card.dataset.drawn ?? 0) + 1
  }

  // --- the cursor

  const panes = () => Object.values(canvas._fullLayout?._plots ?? {}).filter((p) => p.xaxis && p.yaxis)

  const counts = (axis) => plot.time_axes.includes(axis._id)

  function lay_cursor() {
    const axis = plot?.time_axis
    const lines = []
    if (axis && miscope.step != null) {
      for (const {xaxis, yaxis} of panes()) {
        const along = axis === "x" ? xaxis : yaxis
        if (!counts(along)) continue
        const at = along.d2p(miscope.step)
        if (!Number.isFinite(at) || at < -0.5 || at > along._length + 0.5) continue
        const line = h("div", {class: "line"})
        const box = axis === "x"
          ? {left: xaxis._offset + at - 0.75, top: yaxis._offset, width: 1.5, height: yaxis._length}
          : {left: xaxis._offset, top: yaxis._offset + at - 0.75, width: xaxis._length, height: 1.5}
        for (const [side, value] of Object.entries(box)) line.style[side] = `${value}px`
        lines.push(line)
      }
    }
    overlay.replaceChildren(...lines)
  }

  function jump(event) {
    const axis = plot?.time_axis
    const box = canvas.getBoundingClientRect()
    const [x, y] = [event.clientX - box.left, event.clientY - box.top]
    for (const {xaxis, yaxis} of axis ? panes() : []) {
      const [across, down] = [x - xaxis._offset, y - yaxis._offset]
      if (across < 0 || down < 0 || across > xaxis._length || down > yaxis._length) continue
      const step = axis === "x" ? xaxis.p2d(across) : yaxis.p2d(down)
      if (counts(axis === "x" ? xaxis : yaxis) && Number.isFinite(step)) announce("jump", {step})
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
    if (start && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) < CLICK) jump(event)
  }
  // On the window: while the button is down, plotly.js covers the page.
  window.addEventListener("pointerup", released, true)
  model.on("remove", () => window.removeEventListener("pointerup", released, true))

  // --- controls

  const turn = (control, value) => model.send_msg({kind: "turn", control, value: String(value)})

  function number(control) {
    let timer = null
    const input = h("input", {type: "number", value: control.value, min: control.minimum, max: control.maximum,
      step: control.whole ? 1 : "any", "aria-label": control.label})
    const send = () => {
      clearTimeout(timer)
      const value = Math.min(Math.max(Number(input.value), control.minimum ?? -Infinity), control.maximum ?? Infinity)
      input.value = control.whole ? Math.round(value) : value
      timer = setTimeout(() => turn(control.name, input.value), REST_OF_HAND)
    }
    input.addEventListener("change", send)
    if (!control.whole) return input
    const by = (amount) => () => {
      input.value = Number(input.value) + amount
      send()
    }
    return h("span", {class: "stepper"}, icon("back", `${control.label}: one less`, by(-1)), input,
      icon("next", `${control.label}: one more`, by(1)),
      control.maximum == null ? null : h("span", {}, `of ${control.minimum}–${control.maximum}`))
  }

  const CONTROLS = {
    choice: (control) => {
      const select = h("select", {"aria-label": control.label, onchange: () => turn(control.name, select.value)},
        ...control.options.map((name) => h("option", {value: name, selected: name === control.value}, name)))
      return select
    },
    number,
    toggle: (control) => {
      const box = h("input", {type: "checkbox", "aria-label": control.label, onchange: () => turn(control.name, box.checked)})
      box.checked = control.value
      return box
    },
  }
  let offered = null
  function show_controls(list) {
    const now = JSON.stringify(list)
    if (now === offered) return
    offered = now
    // Replacing the control in hand would take the focus from it; its value is already what the hand made it.
    const focus = root.activeElement?.getAttribute("aria-label")
    controls.replaceChildren(...list.map((control) => h("label", {}, control.label, CONTROLS[control.kind](control))))
    if (focus) controls.querySelector(`[aria-label="${CSS.escape(focus)}"]`)?.focus()
  }

  // --- what is said of an action

  let silence = null
  function say(text, stays = false) {
    clearTimeout(silence)
    said.textContent = text
    if (!stays) silence = setTimeout(() => (said.textContent = ""), 4000)
  }
  const {choices, copy} = taking(model, canvas, () => figure, say)

  // --- words

  function command(text) {
    const button = icon("copy", "Copy", async () => {
      await copy("Command", text)
      button.classList.add("done")
    })
    return h("div", {class: "command"}, h("code", {}, text), button)
  }

  function show() {
    const picture = model.picture
    card.className = `card is-${picture.state ?? "new"}${model.held ? " is-held" : ""}${card.classList.contains("late") ? " late" : ""}`
    badge.textContent = picture.badge ?? ""
    badge.title = picture.note ?? ""
    badge.classList.toggle("hole", Boolean(picture.note))
    show_controls(picture.controls ?? [])
    const words = picture.words ?? []
    message.hidden = !words.length
    canvas.hidden = overlay.hidden = Boolean(words.length)
    message.replaceChildren(...words.map((sentence) => h("p", {}, ...coded(sentence))), ...(picture.commands ?? []).map(command))
    if (picture.state === "missing" || picture.state === "notice")
      message.append(h("button", {class: "again", type: "button", onclick: () => announce("again")}, "Look again"))
    if (picture.trace) message.append(h("details", {}, h("summary", {}, "Traceback"), h("pre", {}, picture.trace)))
    if (words.length) {
      heading.textContent = ""
      skeleton.hidden = true
      card.dataset.drawn = Number(card.dataset.drawn ?? 0) + 1
    }
    if (picture.figure) {
      figure = picture.figure
      drawing = drawing.then(draw)
    }
  }
  let late = null
  function wait() {
    clearTimeout(late)
    if (model.pending) late = setTimeout(() => card.classList.add("late"), LATE)
    else card.classList.remove("late")
  }

  model.on("picture", show)
  model.on("pending", wait)
  listen(model, "miscope:cursor", lay_cursor)
  listen(model, "miscope:theme", () => (drawing = drawing.then(draw)))
  const size = new ResizeObserver(() => plot && canvas.clientWidth && window.Plotly.Plots.resize(canvas))
  size.observe(canvas)
  const sight = new IntersectionObserver(([entry]) => (model.in_sight = entry.isIntersecting), {rootMargin: "200px"})
  sight.observe(card)
  model.on("remove", () => {
    size.disconnect()
    sight.disconnect()
    if (plot) window.Plotly.purge(canvas)
  })
  show()
  wait()
}
