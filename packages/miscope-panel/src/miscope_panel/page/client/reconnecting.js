// A strip while the server does not answer, and the page loaded anew at its address once it does: a server that was
// started again knows nothing of those who looked at the one before.
const HEALTH = "api/v1/health"
const FIRST_WAIT = 300
const LONGEST_WAIT = 5000
const YOUNG = 10000
const TOO_LONG = 15000

const reconnecting = (model, leave) => {
  const first = h("b", {})
  const strip = h("div", {class: "gone", role: "status", hidden: true}, first,
    h("p", {}, "Buttons and controls work again once the server answers; what you type is kept. If you ended it, start ",
      h("code", {}, "miscope serve"), " again."))
  let timer = null
  let wait = FIRST_WAIT
  let asking = false

  async function ask() {
    clearTimeout(timer)
    if (asking) return
    asking = true
    const answer = await fetch(HEALTH, {cache: "no-store", signal: AbortSignal.timeout(TOO_LONG)}).catch(() => null)
    asking = false
    if (answer?.ok) {
      leave()
      location.reload()
      return
    }
    first.textContent = answer?.status === 401
      ? "The server wants another token: open the address that it printed when it was started."
      : "Reconnecting\u2009\u2026 trainings keep running."
    // Not all tabs at once.
    timer = setTimeout(ask, wait * (0.8 + 0.4 * Math.random()))
    wait = Math.min(wait * 1.6, LONGEST_WAIT)
  }

  // What is typed goes on, and so does looking: pointing at charts, scrolling, copying.
  const needs_server = (event) => {
    const path = event.composedPath()
    const target = path[0]
    if (event.type === "keydown") {
      if (target instanceof Element && target.matches("select")) return event.key !== "Tab"
      return !event.ctrlKey && !event.metaKey && !event.altKey && (!typing(event) || (event.key === "Enter" && !target.matches("textarea"))) && event.key !== "Tab"
    }
    if (event.type === "mousedown") return target instanceof Element && target.matches("select, option, input[type=range]")
    return path.some((each) => each instanceof Element && each.matches("button, a[href], label, select, summary, input:not([type=text]), [role=button], [role=option]"))
  }
  const hold = (event) => {
    if (!needs_server(event)) return
    event.stopImmediatePropagation()
    if (event.type !== "keydown" || event.key === "Enter" || event.key === " ") event.preventDefault()
    strip.classList.remove("asked")
    requestAnimationFrame(() => strip.classList.add("asked"))
  }
  const HELD = ["click", "mousedown", "change", "keydown"]
  const soon = () => {
    wait = FIRST_WAIT
    ask()
  }

  const lost = () => {
    if (!strip.hidden) return
    first.textContent = "Reconnecting\u2009\u2026 trainings keep running."
    strip.hidden = false
    // What cannot be sent now is said above, and not once more for each of it.
    window.Bokeh?.set_log_level("off")
    for (const name of HELD) window.addEventListener(name, hold, true)
    listen(model, "online", soon)
    // A page that was lost as soon as it was there would be loaded over and over.
    timer = setTimeout(ask, performance.now() < YOUNG ? LONGEST_WAIT : FIRST_WAIT)
  }
  for (const page of window.Bokeh?.documents ?? []) page.on_event("connection_lost", lost)
  model.on("remove", () => {
    clearTimeout(timer)
    for (const name of HELD) window.removeEventListener(name, hold, true)
  })
  return strip
}
