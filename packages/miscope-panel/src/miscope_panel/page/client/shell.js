// Theme and address of the page, its keys, and what is done while the server is gone. Scrubbing rewrites the address in place; a
// change of variant or page is a step in the browser's history.
const IDLE = 300

export function render({model, el}) {
  const landmark = (query) => {
    const given = new URLSearchParams(query)
    return `${given.get("v")} ${given.get("page")}`
  }
  let timer = null

  const rest = () => {
    clearTimeout(timer)
    timer = null
  }
  const write = () => {
    rest()
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

  const scheme = matchMedia("(prefers-color-scheme: dark)")
  const prefer = () => model.send_msg({prefers_dark: scheme.matches})

  const mark = () => {
    miscope.selected = model.selected
    announce("selected")
  }

  miscope.charts = model.charts
  announce("ready")
  paint()
  mark()
  if (scheme.matches) prefer()
  scheme.addEventListener("change", prefer)
  model.on("remove", () => scheme.removeEventListener("change", prefer))
  const keep = kept_in_tab(model)
  history.replaceState(null, "", `?${model.query}`)
  model.on("dark", paint)
  model.on("selected", mark)
  model.on("query", () => {
    rest()
    timer = setTimeout(write, IDLE)
  })
  el.append(reconnecting(model, () => {
    // Whoever went back meanwhile is where the address is, and the model is not.
    if (timer) write()
    keep()
  }))
  el.append(unread(model))
  menus_by_key(model)
  current_stop(model)
  skip_link(model, el)
  listen(model, "popstate", () => {
    rest()
    model.send_msg({query: location.search})
  })
}
