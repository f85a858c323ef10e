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
    words.textContent = now ? `${model.step_label}s ${between_read(now).map(shortly(now)).join("–")}` : ""
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
  for (const name of ["between", "active", "steps", "variant", "step_label"]) model.on(name, paint)
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

// Whole steps, unless the range is so narrow that these would be the same.
const shortly = (between) => (end) => {
  const [first, last] = between_read(between)
  return grouped(last - first >= 10 ? Math.round(end) : end)
}
