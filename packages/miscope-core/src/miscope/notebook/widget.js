// A notebook's widget: the page's step cursor over charts that Python draws when the cursor comes to them.
const KEPT = 150

// Of plotly.js, one for the whole notebook.
const LIBRARY = Symbol.for("miscope.plotly")

// What a component of the page is given, from the traits of the widget.
const component_of = (widget, removes) => ({
  on(name, action) {
    if (name === "remove") return removes.push(action)
    const event = `change:${{asked: "step", step_label: "unit"}[name] ?? name}`
    widget.on(event, action)
    removes.push(() => widget.off(event, action))
  },
  active: true,
  get steps() { return widget.get("steps") },
  get events() { return widget.get("events") },
  get step_label() { return widget.get("unit") },
})

// What was typed and is no checkpoint stays the cursor's own: Python has the checkpoint that it settles on.
const cursor_of = (widget, removes) => {
  let typed = widget.get("step")
  const settled = (asked) => widget.get("steps")[place_of(widget.get("steps"), asked)] ?? null
  return Object.defineProperty(component_of(widget, removes), "asked", {
    get: () => (settled(typed) === widget.get("step") ? typed : (typed = widget.get("step"))),
    set: (asked) => {
      typed = asked
      widget.set("step", settled(asked))
      widget.save_changes()
    },
  })
}

// Python has plotly.js beside it; what a page has under that name may be of another version.
const library_of = (widget, removes) => {
  let asked = null
  return () => (window[LIBRARY] ? Promise.resolve(window[LIBRARY]) : (asked ??= new Promise((loaded) => {
    const heard = (content, [code]) => {
      if (content.kind !== "library") return
      widget.off("msg:custom", heard)
      const before = window.Plotly
      const made = {exports: {}}
      // As a module of a loader that is not there: whatever loader the page has, it shall not take it.
      new Function("module", "exports", "define", new TextDecoder().decode(code))(made, made.exports, undefined)
      window.Plotly = before
      loaded(window[LIBRARY] ??= made.exports)
    }
    widget.on("msg:custom", heard)
    removes.push(() => widget.off("msg:custom", heard))
    widget.send({kind: "library"})
  })))
}

const is_dark = () => {
  const {jpThemeLight} = document.body.dataset
  if (jpThemeLight != null) return jpThemeLight === "false"
  return document.body.matches(".vscode-dark, .vscode-high-contrast, [data-theme=dark]")
}

const nearest_place = (places, place) => {
  let best = 0
  for (let i = 1; i < places.length; i++) if (Math.abs(places[i] - place) < Math.abs(places[best] - place)) best = i
  return best
}

// Where the cursor is on the axes of a figure, and back: each variant has its own steps for a place on the clock.
const axes_of = (hub, course, clock) => ({
  mark: (about) => {
    const place = hub.state.step
    if (place == null) return null
    if (course) return about.time_axis ? [about.time_axes, on_axis(about, course.origin + place * course.unit)] : null
    if (about.aligned) return about.aligned.by === clock ? [about.aligned.axes, place] : null
    return about.time_axis && clock === "step" ? [about.time_axes, on_axis(about, place)] : null
  },
  jump: (at, about) => {
    const step = of_axis(about, at)
    hub.announce("jump", {step: course ? (step - course.origin) / course.unit : step})
  },
})

const chart_card = ({widget, number, card, hub, root, library, removes}) => {
  const course = card.member == null ? null : widget.get("courses")[card.member]
  const kept = new Map()
  let wanted = null
  let shown
  let drawing = Promise.resolve()

  const heading = h("div", {class: "heading"})
  const badge = h("span", {class: "badge"})
  const canvas = h("div", {class: "plot"})
  const overlay = h("div", {class: "overlay"})
  const message = h("div", {class: "message"}, h("p", {}, "Drawn when the kernel answers."))
  const body = h("div", {class: "body"}, canvas, overlay, message)
  const frame = h("section", {class: "card", "aria-label": [card.title, card.label].filter(Boolean).join(", ")},
    h("header", {}, h("h3", {}, card.title, card.label ? h("span", {class: "quiet"}, ` ${card.label}`) : null), badge), heading, body)

  if (card.member == null) frame.style.gridColumn = "1 / -1"

  const chart = chart_in({model: component_of(widget, removes), root, canvas, overlay, library,
    ...axes_of(hub, course, widget.get("clock"))})

  const step = () => {
    if (!card.moves || !course?.steps.length || hub.state.step == null) return null
    return course.steps[nearest_place(course.places, hub.state.step)]
  }

  function say(words, trace) {
    message.hidden = !words.length
    canvas.hidden = overlay.hidden = Boolean(words.length)
    message.replaceChildren(...words.map((sentence) => h("p", {}, sentence)), ...(trace ? [h("pre", {}, trace)] : []))
    frame.classList.toggle("is-error", Boolean(trace))
  }

  async function draw(name) {
    if (name !== shown) return
    const made = kept.get(name)
    const at = made.shown
    badge.textContent = at == null ? "" : `${widget.get("step_label")} ${grouped(at)}`
    badge.classList.toggle("hole", at != null && at !== made.step)
    badge.title = at != null && at !== made.step ? `Nothing was computed at ${grouped(made.step)}; this is the nearest before it that was.` : ""
    say(made.words, made.trace)
    heading.hidden = !made.figure
    if (made.figure) {
      const content = JSON.parse(made.figure)
      const about = content.layout.meta?.miscope ?? {}
      heading.textContent = heading.title = heading_of(content, [card.title], true)
      body.style.setProperty("--tall", `${Math.max(height_of(content) - 20, 280)}px`)
      await chart.draw(content.data, framed(content, about.view, LOOKS.templates[hub.state.dark ? "dark" : "light"]), LOOKS.config)
    }
    frame.dataset.step = String(made.step)
    frame.dataset.drawn = Number(frame.dataset.drawn ?? 0) + 1
  }

  function show(name) {
    shown = name
    frame.classList.remove("waits")
    drawing = drawing.then(() => draw(name))
  }

  // Of what is asked for while Python is at work, the last: one question at a time.
  function follow() {
    chart.lay()
    if (card.words.length) return say(card.words)
    const now = step()
    if (String(now) === shown) return
    if (kept.has(String(now))) return show(String(now))
    frame.classList.add("waits")
    if (wanted !== null) return
    wanted = String(now)
    widget.send({kind: "draw", card: number, step: now})
  }

  function answered(content) {
    if (content.kind !== "picture" || content.card !== number) return
    const name = String(content.step)
    if (!kept.has(name) && kept.size >= KEPT) kept.delete(kept.keys().next().value)
    kept.set(name, content)
    // Another view of the same widget may have asked.
    if (name === wanted) wanted = null
    show(name)
    follow()
  }

  const again = () => kept.has(shown) && (drawing = drawing.then(() => draw(shown)))
  const model = component_of(widget, removes)
  hub.listen(model, "miscope:cursor", follow)
  hub.listen(model, "miscope:theme", again)
  widget.on("msg:custom", answered)
  removes.push(() => widget.off("msg:custom", answered))
  return {frame, follow}
}

function render({model: widget, el}) {
  const removes = []
  // Keys that move the cursor are not the notebook's.
  const host = h("div", {class: "miscope", "data-lm-suppress-shortcuts": "true"})
  const root = host.attachShadow({mode: "open"})
  const hub = hub_on(host, {step: widget.get("step"), dark: is_dark()})
  const bar = h("div", {class: "cursor"})
  const cards = h("div", {class: "cards"})
  const library = library_of(widget, removes)
  const made = widget.get("cards").map((card, number) => chart_card({widget, number, card, hub, root, library, removes}))
  cards.append(...made.map(({frame}) => frame))
  // Side by side, a column for each variant, as long as there is room.
  if ([2, 3].includes(widget.get("courses").length)) cards.style.gridTemplateColumns = `repeat(${widget.get("courses").length}, minmax(0, 1fr))`
  root.append(h("style", {}, STYLE), h("div", {class: "frame"},
    h("header", {}, h("b", {}, widget.get("title")), ...widget.get("notes").map((note) => h("p", {}, note))), bar, cards))
  el.append(host)

  const paint = () => {
    hub.state.dark = is_dark()
    host.dataset.miscope = hub.state.dark ? "dark" : "light"
    hub.announce("theme")
  }
  const theme = new MutationObserver(paint)
  theme.observe(document.body, {attributes: true, attributeFilter: ["class", "data-jp-theme-light", "data-theme"]})
  removes.push(() => theme.disconnect())
  paint()
  step_cursor({model: cursor_of(widget, removes), el: bar, hub})
  host.addEventListener("keydown", (event) => event.ctrlKey || event.metaKey || event.altKey || event.stopPropagation())
  return () => removes.splice(0).forEach((remove) => remove())
}

export default {render}
