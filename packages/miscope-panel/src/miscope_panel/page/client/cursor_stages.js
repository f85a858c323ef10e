// The stages of training as bands under the cursor's track, each with its name.
const STAGE_LETTER = 5.5
const stage_in = (name, width) => {
  // Names are told apart by their ends: memorisation, memorised.
  const short = name.length > 7 ? `${name.slice(0, 3)}\u2026${name.slice(-2)}` : name
  return [name, short].find((words) => STAGE_LETTER * words.length + 2 <= width) ?? ""
}

const cursor_stages = (model, {along, percent}) => {
  const bands = h("ul", {class: "stages", "aria-label": "Stages of training"})
  along.append(bands)

  const label = ({name, first, last}) => `${name}: ${model.step_label} ${grouped(Math.round(first))} to ${grouped(Math.round(last))}`
  function paint() {
    const known = model.stages.length > 0
    bands.hidden = !known || !model.shows_stages
    bands.replaceChildren(...model.stages.map((stage) => {
      const [from, to] = [percent(stage.first), percent(stage.last)]
      const words = stage_in(stage.name, ((to - from) / 100) * along.clientWidth)
      const band = h("li", {title: label(stage)}, h("span", {"aria-hidden": "true"}, words), h("span", {class: "heard"}, label(stage)))
      Object.assign(band.style, {left: `${from}%`, width: `${to - from}%`, background: tinted(stage.colour, 32), borderColor: stage.colour})
      return band
    }))
  }
  for (const name of ["stages", "shows_stages"]) model.on(name, paint)
  const of = (step) => (step == null ? "" : (model.stages.findLast(({first}) => first <= step)?.name ?? ""))
  return {paint, of}
}
