// The stages of training as bands under the cursor's track, each with its name.
const cursor_stages = (model, {along, percent}) => {
  const bands = h("ul", {class: "stages", "aria-label": "Stages of training"})
  along.append(bands)

  const label = ({name, first, last}) => `${name}: ${model.step_label} ${grouped(Math.round(first))} to ${grouped(Math.round(last))}`
  function paint() {
    const known = model.stages.length > 0
    bands.hidden = !known || !model.shows_stages
    bands.replaceChildren(...model.stages.map((stage) => {
      const band = h("li", {title: label(stage)}, h("span", {"aria-hidden": "true"}, stage.name), h("span", {class: "heard"}, label(stage)))
      const [from, to] = [percent(stage.first), percent(stage.last)]
      Object.assign(band.style, {left: `${from}%`, width: `${to - from}%`, background: tinted(stage.colour, 32), borderColor: stage.colour})
      return band
    }))
  }
  for (const name of ["stages", "shows_stages"]) model.on(name, paint)
  const of = (step) => (step == null ? "" : (model.stages.findLast(({first}) => first <= step)?.name ?? ""))
  return {paint, of}
}
