// The range of steps that all axes over training show: kept beside the cursor, whose page has it in its address; a button
// says it and ends it, also where no card shows anything.
const shared_range = (model, {before}) => {
  let by_hand = null
  // One that lies outside the training, of another variant, is none; a hand has it from a chart that shows it.
  const in_force = () => {
    const ends = between_read(model.between)
    const {steps} = model
    const meets = !steps.length || (ends && ends[0] <= steps.at(-1) && ends[1] >= steps[0])
    return ends && (meets || by_hand === `${model.variant} ${model.between}`) ? model.between : ""
  }
  const words = h("span")
  const cross = h("span", {"aria-hidden": "true"}, "×")
  const chip = h("button", {class: "scale range", type: "button", title: "Show all steps (0)", onclick: () => show("")}, words, cross)
  before.before(chip)

  const paint = () => {
    const now = in_force()
    chip.hidden = !now
    words.textContent = now ? range_said(model, between_read(now)) : ""
    chip.setAttribute("aria-label", `${words.textContent}: show all`)
    if (!model.active || miscope.between === now) return
    miscope.between = now
    announce("between")
  }
  const show = (between) => {
    by_hand = `${model.variant} ${between}`
    model.between = between
    paint()
  }
  listen(model, "miscope:zoomed", ({detail: {between}}) => model.active && show(between))
  // By keys: half of what is shown, about the cursor; and all.
  listen(model, "keydown", (event) => {
    if (!model.active || typing(event) || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === "0" && model.between) show("")
    if (event.key === "z" && model.steps.length > 1) show(closer({steps: model.steps, between: in_force(), step: miscope.step}))
  })
  for (const name of ["between", "active", "steps", "variant", "step_label", "axis_clock"]) model.on(name, paint)
  return {paint}
}

// Half of what is shown, about a step; the same where that has not two checkpoints.
const closer = ({steps, between, step}) => {
  const shown = between_read(between) ?? [steps[0], steps.at(-1)]
  const at = Math.min(Math.max(step ?? shown[0], shown[0]), shown[1])
  const half = between_written(shown.map((end) => at + (end - at) / 2))
  const [first, last] = between_read(half) ?? shown
  return steps.filter((one) => first <= one && one <= last).length < 2 ? between : half
}

// 'epochs 100–5,000', or as the axes count that are aligned otherwise: 'fraction of training 0.1–0.25'.
const range_said = ({step_label, axis_clock}, ends) => {
  const {zero = 0, unit = 1, title} = axis_clock
  const [first, last] = ends.map((end) => (end - zero) / unit)
  // So many digits that the two are told apart.
  const places = Math.min(Math.max(1 - Math.floor(Math.log10(last - first)), 0), FINEST)
  const said = [first, last].map((end) => grouped(Number(end.toFixed(places)))).map((end) => end.replace("-", "−"))
  return `${title || `${step_label}s`} ${said.join(said[0].startsWith("−") || said[1].startsWith("−") ? " to " : "–")}`
}
