// One field of the form: its name, what it is, what is typed or chosen, and why that is refused.
const SETTLED = 300
const EVERY = "*all*"
const OTHER = "*several*"

const launch_field = (field, {text, changed}) => {
  const id = `f-${field.name.replace(/\W/g, "-")}`
  const told = h("p", {class: "help", id: `${id}-help`})
  const refused = h("p", {class: "refused", id: `${id}-refused`, role: "alert", hidden: true})
  const listed = h("datalist", {id: `${id}-list`})
  const label = field.name.replace(/^(study|train|analyze)\./, "")
  const box = h("div", {class: "box"})
  const adder = h("select", {class: "adder", "aria-label": `Add to ${label}`, hidden: true, onchange: () => add(adder.value)})
  const element = h("div", {class: "field", "data-field": field.name},
    h("label", {for: id}, label, field.required ? h("span", {class: "needed", title: "It has no default."}, " *") : null),
    h("div", {class: "typed"}, box, adder), refused, told)
  let standard = field.default
  let timer = null
  let control = null
  // What came from elsewhere while somebody was at the control, to be shown when they leave it as it is.
  let waiting = null

  const say = (value) => {
    clearTimeout(timer)
    timer = waiting = null
    changed(field.name, value)
  }
  const typed = () => {
    clearTimeout(timer)
    waiting = null
    timer = setTimeout(() => say(control.value.trim()), SETTLED)
  }
  const make = (value) => {
    const one = field.choices.length && (!value || field.choices.includes(value))
    if (one) {
      control = h("select", {id, onchange: () => {
        if (control.value === OTHER) {
          make_text(field.choices.join(`${field.sweeps || ","} `))
          say(control.value)
          control.focus()
        } else say(control.value)
      }}, h("option", {value: ""}, standard ? `${standard} (default)` : "default"),
      ...field.choices.map((choice) => h("option", {value: choice}, choice)),
      field.sweeps ? h("option", {value: OTHER}, "several \u2026") : null)
      control.value = value
      box.replaceChildren(control)
    } else make_text(value)
    describe()
  }
  const make_text = (value) => {
    control = h("input", {id, type: "text", spellcheck: "false", autocomplete: "off", list: `${id}-list`, oninput: typed,
      onchange: () => say(control.value.trim()), placeholder: standard})
    control.value = value
    box.replaceChildren(control, listed)
    describe()
  }
  const add = (value) => {
    const there = control.value.split(",").map((each) => each.trim()).filter(Boolean)
    const all = value === EVERY ? [...listed.children].map((option) => option.value) : [...there.filter((each) => each !== value), value]
    make_text(all.join(", "))
    adder.value = ""
    say(control.value)
  }
  const describe = () => {
    control.setAttribute("aria-describedby", `${id}-help${refused.hidden ? "" : ` ${id}-refused`}`)
    control.setAttribute("aria-invalid", String(!refused.hidden))
  }
  const help = [field.help, field.allowed && `${field.allowed[0].toUpperCase()}${field.allowed.slice(1)}.`].filter(Boolean)
  told.append(...coded(help.join(" ")))
  box.addEventListener("focusout", () => {
    if (waiting === null || timer !== null) return
    const value = waiting
    waiting = null
    make(value)
  })
  make(text)

  return {
    element,
    put: (value) => {
      waiting = null
      if (control.value.trim() === value) return
      if (timer !== null || control.getRootNode().activeElement === control) waiting = value
      else make(value)
    },
    refuse: (why) => {
      refused.hidden = !why
      refused.textContent = why
      element.classList.toggle("bad", Boolean(why))
      describe()
    },
    preset: (value) => {
      if (value === standard) return
      standard = value
      if (control.matches("input")) control.placeholder = value
      else control.options[0].textContent = value ? `${value} (default)` : "default"
    },
    offer: (values) => {
      listed.replaceChildren(...values.map((value) => h("option", {value})))
      adder.hidden = !values.length
      adder.replaceChildren(h("option", {value: ""}, "add \u2026"),
        ...(values.length > 1 ? [h("option", {value: EVERY}, `all ${values.length}`)] : []), ...values.map((value) => h("option", {value}, value)))
    },
    set: () => control.value !== "" && control.value !== OTHER,
  }
}
const coded = (sentence) => sentence.split("`").map((part, i) => (i % 2 ? h("code", {}, part) : part))
