{
  const {early, later} = Plotly
  delete Plotly.early
  delete Plotly.later
  const known = new Set(["scatter", ...early.map(({name}) => name)])
  // Traces, figures, frames and elements that have a figure, in whatever they are given as.
  const kinds = (given) => {
    if (Array.isArray(given)) return given.flatMap(kinds)
    if (given === null || typeof given !== "object") return []
    return [given.type ?? [], kinds(given.data), kinds(given.frames)].flat(Infinity)
  }
  let lacking = true
  const draws = ["newPlot", "react", "addTraces", "addFrames", "animate", "restyle", "update", "toImage", "downloadImage", "validate", "makeTemplate"]
  for (const name of draws) {
    const drawn = Plotly[name]
    Plotly[name] = (...given) => {
      const asked = given[1] === "type" ? [given[2]].flat() : kinds(given)
      if (lacking && asked.some((kind) => typeof kind === "string" && !known.has(kind))) {
        lacking = false
        later()
      }
      return drawn(...given)
    }
  }
}
