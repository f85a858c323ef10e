// What a card lacks: a button that has it computed, how far that is, and why it failed. leave: takes the keys from what is gone.
const computing = (model, leave) => {
  const state = h("span", {class: "state", role: "status"})
  const bar = h("div", {class: "bar", role: "progressbar", "aria-label": "Computed", "aria-valuemin": 0, "aria-valuemax": 100}, h("i"))
  const progress = h("span", {class: "progress"})
  const acts = h("span", {class: "acts"})
  const cause = h("p", {class: "cause"})
  const trace = h("pre", {})
  const unfold = h("details", {}, h("summary", {}, "Traceback"), trace)
  const said = h("p", {class: "cause", role: "alert"})
  const element = h("div", {class: "compute", role: "group", "aria-label": "Compute what is missing", hidden: true},
    state, bar, progress, acts, cause, unfold, said)
  const ask = (message) => model.send_msg({kind: "compute", ...message})
  const focused = () => element.getRootNode().activeElement

  function button(words, title, message, main = false) {
    return h("button", {type: "button", class: main ? "act main" : "act", title, disabled: Boolean(model.computing.locked), onclick: (event) => {
      said.textContent = ""
      // Until the page has heard of it; a refusal gives it back.
      allow(event.currentTarget, false)
      if (!element.dataset.asked) ask(message)
      element.dataset.asked = "1"
    }}, words)
  }

  function buttons(told) {
    const {run, locked} = told
    const compute = [button(told.label, locked || `Computes ${told.words}.`, {about: "compute", of: "these"}, true),
      told.family ? button(told.family, locked || "Computes what is missing of each of them.", {about: "compute", of: "family"}) : null]
    const of_run = run?.actions.map((action) => button(action.label, locked || action.title, {about: "run", action: action.name, id: run.id}, run.section === "failed")) ?? []
    const had = element.contains(focused())
    acts.replaceChildren(...(run && (of_run.length || ["queued", "running"].includes(run.section)) ? of_run : compute.filter(Boolean)))
    if (!had) return
    const next = acts.querySelector("button")
    if (next) next.focus()
    else leave()
  }

  let structure = ""
  let number = null
  function show() {
    const told = model.computing
    if (!told.words && element.contains(focused())) leave()
    element.hidden = !told.words
    if (!told.words) return (structure = "")
    const {run} = told
    const now = JSON.stringify([told.words, told.label, told.family, told.locked, run?.id, run?.section, run?.actions])
    if (now !== structure) {
      structure = now
      delete element.dataset.asked
      said.textContent = told.locked
      buttons(told)
    }
    if (run?.id !== number) {
      unfold.open = false
      trace.textContent = ""
    }
    number = run?.id
    element.dataset.section = run?.section ?? "none"
    if (state.textContent !== (run?.state ?? "")) state.textContent = run?.state ?? ""
    bar.hidden = run?.share == null || !["queued", "running"].includes(run.section)
    if (!bar.hidden) {
      bar.setAttribute("aria-valuenow", run.percent)
      bar.firstChild.style.width = `${100 * run.share}%`
    }
    progress.textContent = run ? run.progress : told.words
    cause.textContent = run?.error ?? ""
    unfold.hidden = run?.section !== "failed"
  }

  unfold.addEventListener("toggle", () => unfold.open && ask({about: "trace", id: number}))
  model.on("computing", show)
  model.on("computing_said", () => {
    const told = model.computing_said
    if (told.trace != null) trace.textContent = told.trace
    else if (told.is_problem) {
      said.textContent = told.text
      structure = ""
      show()
      said.textContent = told.text
    }
  })
  show()

  // Moved with the picture, in whose words it stands or above which; who has the keys on it keeps them.
  function put(parent, before) {
    if (element.parentNode === parent && element.nextSibling === before) return
    const held = element.contains(focused()) ? focused() : null
    parent.insertBefore(element, before)
    held?.focus()
  }
  return {element, put, held: () => element.contains(focused())}
}
