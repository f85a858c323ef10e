{
  const {early, later} = Plotly
  delete Plotly.early
  delete Plotly.later
  const known = new Set(["scatter", ...early.map(({name}) => name)])
  // Traces, layouts, figures, frames and elements that have a figure, in whatever they are given as. What buttons and
  // sliders of a layout are to do they do past what is here.
  const ANY = "any kind"
  const kinds = (given) => {
    if (Array.isArray(given)) return typeof given[0] === "object" ? given.flatMap(kinds) : []
    if (given === null || typeof given !== "object") return []
    const parts = [given.data, given.frames, given.layout].map(kinds)
    return [given.type ?? [], parts, given.updatemenus || given.sliders ? ANY : []].flat(Infinity)
  }
  let lacking = true
  const draws = ["newPlot", "react", "addTraces", "addFrames", "animate", "restyle", "relayout", "update", "toImage", "downloadImage", "validate", "makeTemplate"]
  for (const name of draws) {
    const drawn = Plotly[name]
    Plotly[name] = (...given) => {
      const asked = () => (given[1] === "type" ? [given[2]].flat() : kinds(given))
      if (lacking && asked().some((kind) => typeof kind === "string" && !known.has(kind))) {
        lacking = false
        later()
      }
      return drawn(...given)
    }
  }
}
