// Theme and address of the page, and a word when the server is gone. Scrubbing rewrites the address in place; a change of
// variant or page is a step in the browser's history.
const IDLE = 300

export function render({model, el}) {
  const gone = h("div", {class: "gone", role: "alert", hidden: true},
    "The server does not answer. Start `miscope serve` again, then reload this page: the address keeps its place.")
  el.append(gone)
  const landmark = (query) => {
    const given = new URLSearchParams(query)
    return `${given.get("v")} ${given.get("page")}`
  }
  let timer = null

  const write = () => {
    const query = `?${model.query}`
    if (query === location.search) return
    const moved = location.search && landmark(query) !== landmark(location.search)
    history[moved ? "pushState" : "replaceState"](null, "", query)
  }
  const paint = () => {
    miscope.dark = model.dark
    document.documentElement.dataset.miscope = model.dark ? "dark" : "light"
    announce("theme")
  }

  miscope.charts = model.charts
  announce("ready")
  paint()
  history.replaceState(null, "", `?${model.query}`)
  model.on("dark", paint)
  model.on("query", () => {
    clearTimeout(timer)
    timer = setTimeout(write, IDLE)
  })
  for (const page of window.Bokeh?.documents ?? []) page.on_event("connection_lost", () => (gone.hidden = false))
  listen(model, "popstate", () => {
    clearTimeout(timer)
    model.send_msg({query: location.search})
  })
}
