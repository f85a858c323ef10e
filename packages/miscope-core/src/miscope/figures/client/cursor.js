// The step cursor: slider, keys, play, typed step. It moves here, at once; Python hears of it when the hand has rested for
// a moment.
const REST = 80
const ALONE = 250
const FRAME = 16
const TICK = 250

// Between two steps that play shows: at least, and at most where what it shows takes long to come.
const PACE = 40
const PATIENCE = 20000

const CURSOR_KEYS = [
  ["← →", "one checkpoint back, on"],
  ["Shift ← →", "ten checkpoints"],
  ["Home End", "first, last"],
  [", .", "event before, after"],
  ["Space", "play, pause"],
  ["g", "type a step"],
]

// The place in (ascending) steps of the one at or before what is asked for, of the first where none is; null: the last.
const place_of = (steps, asked) => {
  if (asked == null) return steps.length - 1
  let low = 0
  let high = steps.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (steps[middle] <= asked) low = middle + 1
    else high = middle
  }
  return Math.max(low - 1, 0)
}

// What an event is called and what it is; its own name where model.event_words has none.
const event_words = (model, name) => model.event_words?.[name] ?? {long: name, means: ""}

// model: steps, asked, step_label, events, event_words, active, and on(name, action). hub: through which charts hear of the step and
// ask for another, and which hears the keys. more_keys: gives what else the help says. settled: whether all that follows the
// cursor shows this step by now; play then goes on as soon as it does, and otherwise at every TICK. arrived: whether all has
// come that is drawn of it; hub tells when it begins to be drawn ("drawing"). extra: what a cursor
// has beside, given the places along its track: what is done whenever that is painted or another step is shown, more keys,
// and more stops of the keys that go from event to event.
const step_cursor = ({model, el, hub, more_keys = () => [], settled = null, arrived = () => false,
  extra = () => ({})}) => {
  let asked = model.asked
  // Whether play has asked for a step that is not shown yet.
  let coming = false
  let resting = null
  let moved = -ALONE
  let playing = null
  let pacing = null
  let log = model.spacing === "log"

  const steps = () => model.steps
  const position = () => place_of(steps(), asked)
  const scale = (step) => (log ? Math.sign(step) * Math.log1p(Math.abs(step)) : step)
  const share = (step) => {
    const [first, last] = [scale(steps()[0] ?? 0), scale(steps().at(-1) ?? 1)]
    return last > first ? (scale(step) - first) / (last - first) : 0
  }
  const nearest = (step) => {
    const all = steps()
    let best = 0
    for (let i = 1; i < all.length; i++) if (Math.abs(scale(all[i]) - scale(step)) < Math.abs(scale(all[best]) - scale(step))) best = i
    return all[best]
  }

  const play = icon("play", "Play (Space)", () => toggle())
  const keys = h("div", {class: "keys"},
    icon("first", "First (Home)", () => go(0)),
    icon("back", "Previous checkpoint (←)", () => by(-1)),
    play,
    icon("next", "Next checkpoint (→)", () => by(1)),
    icon("last", "Last (End)", () => go(steps().length - 1)),
  )
  const done = h("div", {class: "done"})
  const ticks = h("canvas", {"aria-hidden": "true"})
  const thumb = h("div", {class: "thumb"})
  const marks = h("div")
  const track = h("div", {class: "track", role: "slider", tabindex: "0"}, h("div", {class: "rail"}), done, ticks, thumb)
  // Beside the track, not in it: what can be pressed is nothing inside a slider for who hears the page.
  const along = h("div", {class: "along"}, track, marks)
  const label = h("span", {class: "quiet"})
  const typed = h("input", {type: "text", inputmode: "numeric", spellcheck: "false"})
  const count = h("span", {class: "quiet count"})
  const note = h("span", {class: "note", role: "status"})
  const spacing = h("button", {class: "scale", type: "button", title: "Spacing of the steps along the slider", onclick: () => {
    log = !log
    model.spacing = log ? "log" : "linear"
    paint()
    show()
  }})
  let more = {}
  const help = h("div", {class: "help", hidden: true})
  const help_or_not = () => {
    help.hidden = !help.hidden
    if (help.hidden) return
    const all = [...CURSOR_KEYS, ...more_keys(), ["?", "these keys"]]
    help.replaceChildren(h("h4", {}, "Keys"), ...all.flatMap(([key, what]) =>
      [h("span", {}, ...key.split(" ").flatMap((k) => [h("kbd", {}, k), " "])), h("span", {}, what)]))
  }
  const ask = h("button", {class: "tool", type: "button", title: "Keys (?)", "aria-label": "Keys", onclick: help_or_not}, "?")
  el.append(h("div", {class: "bar"}, keys, along, h("div", {class: "place"}, label, typed, count, note), spacing, ask), help)
  // As a text for who hears the page: the words beside the step, as far as there are any.
  const told = (step, words) => track.setAttribute("aria-valuetext", [step == null ? "" : grouped(step), ...words].filter(Boolean).join(", "))
  const percent = (step) => 100 * Math.min(Math.max(share(step), 0), 1)
  more = extra({along, percent, told, before: spacing, jump: (step) => jump(step)})

  function show() {
    coming = false
    const at = position()
    const step = steps()[at]
    const here = steps().length > 0
    const percent = here ? 100 * share(step) : 0
    thumb.style.left = done.style.width = `${percent}%`
    thumb.hidden = !here
    label.textContent = model.step_label
    spacing.textContent = `slider: ${log ? "log" : "linear"}`
    if (el.getRootNode().activeElement !== typed) typed.value = here ? grouped(step) : ""
    typed.setAttribute("aria-label", `${model.step_label} to show`)
    count.textContent = here ? `${at + 1} / ${steps().length}` : "no checkpoints"
    note.textContent = here && asked != null && asked !== step ? `${grouped(asked)} is no checkpoint` : ""
    track.setAttribute("aria-label", `${model.step_label}s`)
    track.setAttribute("aria-valuemin", steps()[0] ?? 0)
    track.setAttribute("aria-valuemax", steps().at(-1) ?? 0)
    track.setAttribute("aria-valuenow", step ?? 0)
    more.show?.(here ? step : null)
    // Of several cursors the one that is looked at.
    if (!model.active) return
    hub.state.step = here ? step : null
    hub.announce("cursor")
  }

  function paint() {
    const width = track.clientWidth
    ticks.width = width * devicePixelRatio
    ticks.height = 7 * devicePixelRatio
    const brush = ticks.getContext("2d")
    brush.scale(devicePixelRatio, devicePixelRatio)
    brush.fillStyle = getComputedStyle(el).getPropertyValue("--ms-quiet") || "#888"
    brush.globalAlpha = 0.55
    for (const step of steps()) brush.fillRect(Math.round(share(step) * (width - 1)), 0, 1, 5)
    marks.replaceChildren(...Object.entries(model.events).map(([name, step]) => {
      const {long, means} = event_words(model, name)
      const at = `${model.step_label} ${grouped(Math.round(step))}`
      const mark = h("button", {class: "event", type: "button", title: `${long}: ${at}${means && `\n${means}`}`,
        onclick: () => jump(step)}, "▼")
      mark.style.left = `${percent(step)}%`
      return mark
    }))
    more.paint?.()
  }

  // A move that stands alone need not wait for the hand to rest.
  function move(step, pause = performance.now() - moved > ALONE ? FRAME : REST) {
    asked = step
    show()
    clearTimeout(resting)
    moved = performance.now()
    resting = setTimeout(() => {
      if (model.asked !== asked) model.asked = asked
    }, pause)
  }
  const go = (index) => {
    if (steps().length) move(steps()[Math.min(Math.max(index, 0), steps().length - 1)])
  }
  const by = (count) => go(position() + count)
  const jump = (step) => {
    if (steps().length) move(nearest(step))
  }
  const event_from = (direction) => {
    const here = steps()[position()]
    const all = [...Object.values(model.events), ...(more.stops?.() ?? [])].map(nearest).filter((s) => (s - here) * direction > 0)
    if (all.length) move(direction > 0 ? Math.min(...all) : Math.max(...all))
  }

  const since = () => performance.now() - moved
  const come = () => since() >= PATIENCE || (settled ? since() >= PACE && settled(asked) : since() >= TICK)
  function on() {
    playing = setTimeout(on, FRAME)
    // What is not drawn anew is not waited for, and what takes long not for ever.
    if (coming && (come() || since() >= TICK)) show()
    if (come()) follow()
  }
  // The next step is shown together with what is drawn of it: a page that changes twice is laid out and painted twice.
  function follow() {
    if (position() === steps().length - 1) return toggle()
    if (!settled) return move(steps()[position() + 1], 0)
    clearTimeout(resting)
    moved = performance.now()
    asked = steps()[position() + 1]
    coming = true
    model.asked = asked
  }
  // While one step is drawn here the next is on its way.
  hub.listen(model, "miscope:drawing", () => {
    if (!coming || !arrived(asked)) return
    show()
    if (since() >= PACE) return go_on()
    clearTimeout(pacing)
    pacing = setTimeout(go_on, PACE - since())
  })
  const go_on = () => {
    if (playing != null && !coming && position() < steps().length - 1) follow()
  }

  function toggle() {
    if (playing == null && position() === steps().length - 1) go(0)
    if (playing == null) on()
    else {
      clearTimeout(playing)
      playing = null
      if (coming) show()
    }
    draw_icon(play, playing == null ? "play" : "pause")
    play.setAttribute("aria-pressed", String(playing != null))
    hub.state.playing = playing != null
  }

  const drag = (event) => {
    const box = track.getBoundingClientRect()
    const fraction = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1)
    const all = steps()
    let best = 0
    for (let i = 1; i < all.length; i++) if (Math.abs(share(all[i]) - fraction) < Math.abs(share(all[best]) - fraction)) best = i
    go(best)
  }
  track.addEventListener("pointerdown", (event) => {
    if (event.target.closest(".event")) return
    track.setPointerCapture(event.pointerId)
    drag(event)
  })
  track.addEventListener("pointermove", (event) => track.hasPointerCapture(event.pointerId) && drag(event))
  track.addEventListener("wheel", (event) => {
    event.preventDefault()
    by(event.deltaY > 0 ? 1 : -1)
  }, {passive: false})

  const enter = () => {
    const step = Number(typed.value.replace(/[\s,_]/g, ""))
    track.focus()
    const least = Math.min(steps()[0] ?? 0, 0)
    if (typed.value.trim() && Number.isFinite(step) && step >= least) move(steps().every(Number.isInteger) ? Math.round(step) : step)
    show()
  }
  typed.addEventListener("focus", () => typed.select())
  typed.addEventListener("keydown", (event) => {
    if (event.key === "Enter") enter()
    if (event.key === "Escape") typed.blur()
  })
  typed.addEventListener("blur", show)

  const actions = {
    ArrowLeft: (event) => by(event.shiftKey ? -10 : -1),
    ArrowRight: (event) => by(event.shiftKey ? 10 : 1),
    Home: () => go(0),
    End: () => go(steps().length - 1),
    " ": () => toggle(),
    ",": () => event_from(-1),
    ".": () => event_from(1),
    g: () => typed.focus(),
    "?": help_or_not,
    Escape: () => (help.hidden = true),
    ...more.keys,
  }
  hub.listen(model, "keydown", (event) => {
    const action = actions[event.key]
    if (!action || !model.active || event.defaultPrevented || typing(event) || event.ctrlKey || event.metaKey || event.altKey) return
    // A focused button takes Space as its own click.
    if (event.key === " " && event.composedPath()[0] instanceof HTMLButtonElement) return
    event.preventDefault()
    action(event)
  })
  hub.listen(model, "miscope:jump", (event) => model.active && jump(event.detail.step))
  hub.listen(model, "miscope:theme", () => paint())

  model.on("asked", () => {
    if (model.asked === asked) return
    asked = model.asked
    show()
  })
  model.on("active", () => {
    if (!model.active && playing != null) toggle()
    show()
  })
  model.on("spacing", () => {
    log = model.spacing === "log"
    paint()
    show()
  })
  for (const name of ["steps", "events", "step_label"]) model.on(name, () => { paint(); show() })
  const watch = new ResizeObserver(paint)
  watch.observe(track)
  model.on("remove", () => {
    watch.disconnect()
    for (const timer of [playing, pacing, resting]) clearTimeout(timer)
    if (playing != null) hub.state.playing = false
  })
  show()
}
