// The range of steps that all axes over training show: kept beside the cursor, whose page has it in its address.
const shared_range = (model) => {
  const tell = () => {
    if (!model.active || miscope.between === model.between) return
    miscope.between = model.between
    announce("between")
  }
  const show = (between) => {
    model.between = between
    tell()
  }
  listen(model, "miscope:zoomed", ({detail: {between}}) => model.active && show(between))
  // By keys: half of what is shown, about the cursor; and all.
  listen(model, "keydown", (event) => {
    if (!model.active || typing(event) || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === "0" && model.between) show("")
    if (event.key === "z" && model.steps.length > 1) show(closer(model))
  })
  model.on("between", tell)
  model.on("active", tell)
  tell()
}

const closer = ({steps, between}) => {
  const shown = between ? between.split(",").map(Number) : [steps[0], steps.at(-1)]
  const at = Math.min(Math.max(miscope.step ?? shown[0], shown[0]), shown[1])
  return shown.map((end) => Number((at + (end - at) / 2).toPrecision(6))).join(",")
}
