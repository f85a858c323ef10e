// The page to launch runs: a form for the family's fields, the same as YAML, and beside it what they would run.
const OPEN = ["Built on", "Model", "Length and checkpoints", "Training", "Runs", "Analysis"]
const PAUSE = 500

export function render({model, el}) {
  const family = h("select", {id: "launch-family", onchange: () => {
    chosen = chosen === null && family.value === (model.texts["study.family"] ?? "") ? null : family.value
    model.send_msg({kind: "family", name: family.value})
  }})
  const groups = h("div", {class: "groups"})
  const yaml = h("textarea", {"aria-label": "The form as YAML", spellcheck: "false", rows: 12})
  const refused = h("div", {class: "refused", role: "alert"})
  const written = h("details", {class: "panel yaml"}, h("summary", {}, "YAML"),
    h("p", {class: "help"}, "The same as a study\u2019s file: what is changed here stands in the form, and the other way round."), yaml, refused)
  const beside = h("p", {class: "help", hidden: true})
  const fields = new Map()
  let timer = null
  // What the server knows of the YAML, and whether it has since said another that was not written over what is edited.
  let known = ""
  let held = false
  let offered = null
  // What was chosen and the server does not know yet: arrows may have gone past what it says.
  let chosen = null

  const changed = (name, text) => model.send_msg({kind: "set", field: name, text})
  const analyzed = (text) => {
    // What was ticked and the server does not know yet: what it says of before does not take it back.
    let asked = null
    const box = h("input", {type: "checkbox", id: "launch-analyzed", onchange: () => {
      asked = box.checked ? "true" : ""
      changed("study.analyze", asked)
    }})
    const put = (value = "") => {
      if (asked !== null && value !== asked) return
      asked = null
      box.checked = value === "true"
    }
    put(text)
    return {put, element: h("label", {class: "check", for: "launch-analyzed"}, box, "Analyze each run once it is trained; all that applies, unless instruments are named.")}
  }
  let analysis = analyzed("")

  const build = () => {
    fields.clear()
    const titles = [...new Set(model.fields.map((field) => field.group))]
    groups.replaceChildren(...titles.map((title) => {
      const own = model.fields.filter((field) => field.group === title)
      const made = own.map((field) => launch_field(field, {text: model.texts[field.name] ?? "", changed}))
      own.forEach((field, place) => fields.set(field.name, made[place]))
      if (title === "Analysis") analysis = analyzed(model.texts["study.analyze"])
      const used = made.some((field) => field.set())
      return h("details", {class: "panel group", open: OPEN.includes(title) || used, "data-group": title}, h("summary", {}, title),
        title === "Analysis" ? analysis.element : null, h("div", {class: "fields"}, ...made.map((field) => field.element)))
    }))
    preset()
    refuse()
    offer()
  }
  const put = () => {
    for (const [name, field] of fields) field.put(model.texts[name] ?? "")
    analysis.put(model.texts["study.analyze"])
  }
  const name_beside = () => {
    const others = ["zip", "exclude", "include"].filter((key) => model.texts[`study.${key}`])
    beside.hidden = !others.length
    beside.textContent = `Beside these fields the YAML says: ${others.join(", ")}.`
  }
  const preset = () => {
    for (const field of model.fields) fields.get(field.name)?.preset(model.defaults[field.name] ?? field.default)
  }
  const refuse = () => {
    for (const [name, field] of fields) {
      field.refuse(model.problems[name] ?? "")
      if (model.problems[name]) field.element.closest("details").open = true
    }
  }
  const offer = () => {
    for (const [name, field] of fields) field.offer(model.choices[name] ?? [])
  }
  const choose = () => {
    // A menu whose entries change forgets which letters were typed in it.
    if (offered !== model.families) family.replaceChildren(h("option", {value: ""}, "choose one \u2026"),
      ...model.families.map(({name, title}) => h("option", {value: name}, `${name} \u2013 ${title}`)))
    offered = model.families
    const told = model.texts["study.family"] ?? ""
    if (chosen !== null && chosen !== told) return
    chosen = null
    family.value = told
  }
  const write = () => {
    held = el.getRootNode().activeElement === yaml
    if (!held) known = yaml.value = model.yaml
  }
  const say_yaml = () => {
    clearTimeout(timer)
    held = false
    known = yaml.value
    model.send_msg({kind: "yaml", text: known})
  }
  const complain = () => refused.replaceChildren(...model.yaml_problem.split("\n").filter(Boolean).map((sentence) => h("p", {}, sentence)))

  yaml.addEventListener("input", () => {
    clearTimeout(timer)
    timer = setTimeout(say_yaml, PAUSE)
  })
  yaml.addEventListener("blur", () => {
    clearTimeout(timer)
    if (yaml.value !== known) say_yaml()
    else if (held && !model.yaml_problem) {
      held = false
      known = yaml.value = model.yaml
    }
  })
  const review = launch_review(model)
  const whole = h("div", {class: "launch"},
    h("div", {class: "form"},
      h("section", {class: "panel choice", "aria-label": "Kind of model"}, h("label", {for: "launch-family"}, "Family"), family,
        h("p", {class: "help"}, "Several values with commas between them are a sweep: one run for each combination."), beside),
      launch_templates(model), groups, written),
    h("aside", {}, review.element, launch_started(model)))
  launch_keys(whole, review.start)
  el.append(whole)

  model.on("families", choose)
  model.on("texts", () => {
    choose()
    put()
    name_beside()
  })
  model.on("fields", build)
  model.on("defaults", preset)
  model.on("problems", refuse)
  model.on("choices", offer)
  model.on("yaml", write)
  model.on("yaml_problem", complain)
  choose()
  name_beside()
  build()
  write()
  complain()
}
