// One view: its title, its controls, and its picture or why there is none.
const LATE = 300
const REST_OF_HAND = 80

let library = null
const plotly = () => (library ??= window.Plotly ? Promise.resolve(window.Plotly) : new Promise((loaded, failed) => {
  // The page's head asks for it; plotly.js says nowhere else that it is there.
  const begun = document.querySelector(`script[src="${miscope.charts.bundle}"]`)
  const script = begun ?? h("script", {src: miscope.charts.bundle})
  script.addEventListener("load", () => loaded(window.Plotly))
  script.addEventListener("error", failed)
  if (!begun) document.head.append(script)
}))
const off_screen = (card) => {
  const {top, bottom} = card.getBoundingClientRect()
  return bottom <= 0 || top >= innerHeight
}
const ready = () => (miscope.charts ? Promise.resolve() : new Promise((done) => window.addEventListener("miscope:ready", done, {once: true})))

// What stands between backticks is code.
const coded = (sentence) => sentence.split("`").map((part, i) => (i % 2 ? h("code", {}, part) : part))

// A figure's arrays travel apart from it, as the bytes of all; in their places stands where each begins and ends.
const whole = (part, bytes) => {
  if (Array.isArray(part) ? typeof part[0] !== "object" : !part || typeof part !== "object") return part
  for (const inner of Object.values(part)) {
    if (Array.isArray(inner?.bdata)) inner.bdata = bytes.slice(...inner.bdata)
    else whole(inner, bytes)
  }
  return part
}

const ring = (letter) => (letter ? h("i", {class: "ring", "aria-hidden": "true"}, letter) : null)

export function render({model, el}) {
  const root = el.getRootNode()
  const host = root.host ?? el
  let figure = null
  let arrays = null
  let named = {}
  let drawing = Promise.resolve()
  let [called, drawn] = [0, 0]

  const heading = h("div", {class: "heading"})
  const values = h("div", {class: "values"})
  const badge = h("span", {class: "badge"})
  const widen = icon("wide", "Full width", () => {
    const wide = !host.classList.contains("wide")
    stretch(wide)
    model.send_msg({kind: "look", look: "full-width", value: wide === of_itself ? "" : String(Number(wide))})
  })
  // A table needs the width.
  let of_itself = false
  function stretch(wide) {
    host.classList.toggle("wide", wide)
    draw_icon(widen, wide ? "narrow" : "wide")
    lay()
  }
  const wanted_wide = () => ("full-width" in model.looks ? model.looks["full-width"] === "1" : of_itself)
  const close = icon("close", "Close this view", () => {
    to_next_card(host)
    model.send_msg({kind: "close"})
  })
  const [more, actions] = menu(model, `${model.title}: more`, () => choices())
  const controls = h("div", {class: "controls"})
  const canvas = h("div", {class: "plot"})
  const overlay = h("div", {class: "overlay"})
  const message = h("div", {class: "message", hidden: true})
  const compute = computing(model, () => more.focus())
  const skeleton = h("div", {class: "skeleton", "aria-hidden": "true"})
  const said = h("div", {class: "said", role: "status"})
  const {choices, copy, paper} = taking(model, canvas, () => figure, (...words) => say(...words))
  const known = about_panel(model, copy)
  const stages = stages_behind(canvas)
  const bar = chart_bar(canvas)
  const body = h("div", {class: "body"}, skeleton, stages.behind, canvas, stages.upon, overlay, message, known.panel, h("div", {class: "busy"}), said)
  const card = h("section", {class: "card", "aria-label": model.title},
    h("header", {}, ring(model.letter), h("h3", {title: model.summary}, model.title), badge, model.closable ? h("div", {class: "tools"}, known.button, more, widen, close) : null),
    actions, paper, h("div", {class: "told"}, heading, values), controls, body)
  el.append(card)
  if (model.closable) known.listen_on(card)
  const lay = beside(model, host)

  // --- the picture

  let home = null
  const clock = time_axes({model, canvas, home: () => home})
  const seen = seen_range({canvas, home: () => home, zoom: () => zoom})
  const chart = chart_in({model, root, canvas, overlay, library: () => ready().then(plotly), painter: repainting(canvas, () => miscope.playing),
    mark: (about) => (about.time_axis && miscope.step != null ? [about.time_axes, on_axis(about, miscope.step)] : null),
    step: () => miscope.step, worth: (found) => show_values(values, found), point: clock.point, pointed: clock.pointed,
    jump: (place, about) => announce("jump", {step: of_axis(about, place)}),
    selected: () => miscope.selected,
    select: (values) => model.send_msg({kind: "select", values}),
    zoom: (ranges) => {
      const before = zoom
      zoom = zoom_after(zoom, clock.shared(ranges))
      if (zoom !== before) model.send_msg({kind: "look", look: "zoomed-to", value: zoom})
      const all = Object.keys(ranges).filter((axis) => !ranges[axis] && home[axis]?.range)
      move(() => Object.fromEntries(all.map((axis) => [axis, clock.all_of(axis)])))
    }})
  // Between two drawings, never during one.
  const move = (axes) => (drawing = drawing.then(() => move_axes(chart, axes)))
  let zoom = ""

  function make_room(content) {
    const tall = `${height_of(content)}px`
    if (body.style.getPropertyValue("--tall") !== tall) body.style.setProperty("--tall", tall)
    of_itself = is_table(content)
    host.classList.toggle("table", of_itself)
    if (wanted_wide() !== host.classList.contains("wide")) stretch(wanted_wide())
  }

  let laid_out = () => {}
  const first_layout = new Promise((done) => (laid_out = done))

  async function draw() {
    await Promise.all([ready(), first_layout])
    // What is on the screen goes before what is near it.
    if (!miscope.playing && off_screen(card)) await new Promise((done) => setTimeout(done))
    // Of what came meanwhile the last is drawn, once.
    if (!figure || drawn === called) return
    drawn = called
    show_badge(named)
    const content = whole(JSON.parse(figure), arrays)
    heading.textContent = heading.title = heading_of(content, [model.title, model.of_view], !model.held)
    make_room(content)
    const template = miscope.charts.templates[miscope.dark ? "dark" : "light"]
    zoom = model.looks["zoomed-to"] ?? ""
    home = framed(content, model.view, template)
    await chart.draw(content.data, at_range(zoomed(home, zoom), miscope.between), miscope.charts.config)
    await move_axes(chart, seen.wanted)
    bar()
    stages.follow()
    skeleton.hidden = true
    card.dataset.drawn = Number(card.dataset.drawn ?? 0) + 1
  }

  let left = 0
  const tell = () => {
    const late = model.pending && model.in_sight
    miscope.late[late ? "add" : "delete"](model)
    miscope.waiting[left || late ? "add" : "delete"](model)
    begin_unless_late()
  }
  function draw_next() {
    called += 1
    left += 1
    drawing = drawing.then(together).then(draw).finally(() => {
      left -= 1
      tell()
    })
    tell()
  }

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
        ...control.options.map((name) => h("option", {value: name, selected: name === control.value}, control.words?.[name] ?? name)))
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

  // --- words

  function command(text) {
    const button = icon("copy", "Copy", async () => {
      await copy("Command", text)
      button.classList.add("done")
    })
    return h("div", {class: "command"}, h("code", {}, text), button)
  }

  const show_own = () => show_controls((model.picture.controls ?? []).filter(({name}) => !model.elsewhere.includes(name)))
  function show_badge({badge: text = "", note = ""}) {
    badge.textContent = text
    badge.title = note
    badge.classList.toggle("hole", Boolean(note))
  }
  function show() {
    const picture = model.picture
    card.className = `card is-${picture.state ?? "new"}${model.held ? " is-held" : ""}${card.classList.contains("late") ? " late" : ""}`
    if (!picture.figure) show_badge(picture)
    show_own()
    const words = picture.words ?? []
    message.hidden = !words.length
    for (const part of [canvas, overlay, stages.behind, stages.upon]) part.hidden = Boolean(words.length)
    const held = compute.held()
    const sentences = words.map((sentence) => h("p", {}, ...coded(sentence)))
    compute.put(card, body)
    message.replaceChildren(...sentences, ...(picture.commands ?? []).map(command))
    // Before the other way to have it computed, the command.
    if (picture.state === "missing") compute.put(message, sentences.at(-1))
    for (const {label, control, value} of picture.choices ?? [])
      message.append(h("button", {class: "again", type: "button", onclick: () => model.send_msg({kind: "choose", control, value})}, label))
    if (picture.state === "missing" || picture.state === "notice")
      message.append(h("button", {class: "again", type: "button", onclick: () => announce("again")}, "Refresh"))
    if (picture.trace) message.append(h("details", {}, h("summary", {}, "Traceback"), h("pre", {}, picture.trace)))
    if (words.length) {
      heading.textContent = ""
      skeleton.hidden = true
      card.dataset.drawn = Number(card.dataset.drawn ?? 0) + 1
    }
    // What was computed is there now, and what was pressed for it is not.
    if (held && !compute.held()) more.focus()
    if (picture.figure) {
      ;({figure, arrays} = named = picture)
      draw_next()
    }
  }
  let late = null
  function wait() {
    tell()
    clearTimeout(late)
    if (model.pending) late = setTimeout(() => card.classList.add("late"), LATE)
    else card.classList.remove("late")
  }

  model.on("picture", show)
  model.on("looks", () => {
    if (wanted_wide() !== host.classList.contains("wide")) stretch(wanted_wide())
    if (figure && (model.looks["zoomed-to"] ?? "") !== zoom) draw_next()
  })
  model.on("pending", wait)
  model.on("elsewhere", show_own)
  listen(model, "miscope:cursor", chart.lay)
  listen(model, "miscope:selected", chart.lay)
  listen(model, "miscope:course", () => figure && stages.lay())
  listen(model, "miscope:pointed", chart.lay_pointed)
  listen(model, "miscope:between", () => {
    move(clock.wanted)
    move(seen.wanted)
  })
  listen(model, "miscope:theme", draw_next)
  let near = model.in_sight
  const see = () => {
    model.in_sight = near && document.visibilityState === "visible"
    tell()
  }
  const sight = new IntersectionObserver(([entry]) => {
    laid_out()
    if (is_twin(host)) return
    near = entry.isIntersecting
    see()
  }, {rootMargin: "200px"})
  sight.observe(card)
  document.addEventListener("visibilitychange", see)
  model.on("remove", () => {
    sight.disconnect()
    document.removeEventListener("visibilitychange", see)
    for (const cards of [miscope.waiting, miscope.late]) cards.delete(model)
    begin_unless_late()
  })
  if (wanted_wide()) stretch(true)
  show()
  wait()
}
