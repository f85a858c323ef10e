// Which variants are compared, how they differ, and how they are looked at.
export function render({model, el}) {
  const chips = h("div", {class: "chips", role: "list", "aria-label": "Variants that are compared"})
  const differs = h("details", {class: "differs"})
  const ways = h("div", {class: "ways"})
  const notes = h("div", {class: "notes", role: "status"})
  el.append(h("section", {class: "bar", "aria-label": "Comparison"}, h("div", {class: "row"}, chips, adder("variant", "Add a variant", () =>
    model.others.map((name) => [name, ""]))), differs, h("div", {class: "row"}, ways, adder("view", "Add a view", () =>
    model.views.map(({name, title}) => [name, title]))), notes))

  const turn = (control, value) => model.send_msg({kind: "turn", control, value})

  // A field with suggestions: what is typed whole, or chosen, is taken.
  function adder(kind, label, offered) {
    const list = h("datalist", {id: `compare-${kind}s`})
    const field = h("input", {type: "text", list: list.id, placeholder: label, "aria-label": label, spellcheck: "false", autocomplete: "off"})
    const fill = () => list.replaceChildren(...offered().map(([name, title]) => h("option", {value: name}, title)))
    const take = () => {
      const typed = field.value.trim()
      const found = offered().find(([name, title]) => name === typed || title === typed)
      if (!found) return
      field.value = ""
      model.send_msg({kind: "add", what: kind, name: found[0]})
    }
    field.addEventListener("input", take)
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") field.blur()
      if (event.key !== "Enter") return
      const fitting = offered().filter(([name, title]) => `${name} ${title}`.toLowerCase().includes(field.value.trim().toLowerCase()))
      if (fitting.length === 1) field.value = fitting[0][0]
      take()
    })
    model.on(kind === "variant" ? "others" : "views", fill)
    requestAnimationFrame(fill)
    return h("span", {class: "adder"}, field, list)
  }

  const letter_of = (i) => String.fromCharCode(65 + i)

  function show_chips() {
    holding_focus(chips, () => chips.replaceChildren(...model.chips.map((chip, i) => {
      // Beside each other curves keep the colours of their view, some of which may be those of the variants.
      const coloured = model.asked.mode === "overlay"
      const mark = coloured ? h("i", {"aria-hidden": "true"}) : h("i", {class: "ring"}, letter_of(i))
      if (coloured) mark.style.background = chip.colour
      const lead = h("button", {class: "lead", type: "button", title: i ? `Make it A: ${chip.variant}` : chip.variant, disabled: i === 0,
        onclick: () => model.send_msg({kind: "lead", name: chip.variant})}, mark, h("b", {}, coloured ? `${letter_of(i)}  ${chip.label}` : chip.label))
      const words = chip.words.map((word) => h("span", {}, word))
      const show = chip.hidden ? h("button", {class: "again", type: "button", onclick: () => model.send_msg({kind: "show", name: chip.variant})}, "Show") : null
      return h("div", {class: `chip${chip.hidden ? " hidden" : ""}`, role: "listitem"}, lead, ...words, show,
        icon("close", `Leave out ${chip.label}`, () => model.send_msg({kind: "remove", name: chip.variant})))
    })))
  }

  function show_differs() {
    const table = h("table", {}, h("thead", {}, h("tr", {}, h("th", {}, "Field"), ...model.chips.map((chip, i) => h("th", {scope: "col"}, letter_of(i))))),
      h("tbody", {}, ...model.fields.map(({name, values}) => h("tr", {}, h("th", {scope: "row"}, name), ...values.map((value) => h("td", {}, value || "\u2013"))))))
    differs.hidden = !model.differs
    holding_focus(differs, () => differs.replaceChildren(h("summary", {}, model.differs), model.fields.length ? table : ""))
  }

  const modes = h("div", {class: "modes", role: "radiogroup", "aria-label": "How they are shown"})
  // What was chosen and the server does not know yet: arrows may have gone past what it says.
  let chosen = null
  const select = h("select", {
    onchange: () => turn("align", (chosen = select.value)),
    onblur: () => {
      chosen = null
      select.value = model.asked.align
    },
  })
  const check = (control, label, value, title) => {
    const box = h("input", {type: "checkbox", onchange: () => turn(control, box.checked ? value : "")})
    return {box, element: h("label", {title}, box, label)}
  }
  const own = check("scales", "own scales", "own", "Each picture with axes of its own")
  const means = check("mean", "mean over seeds", "1", "Of runs that differ in seeds alone: mean and 95 % interval (Student's t) where all have values")
  ways.append(modes, h("label", {}, "Align by", select), own.element, means.element)

  // None of them is made anew while somebody types at it, or goes on from it by keys.
  let offered = ""
  function show_ways() {
    const {mode, align, mean, scales} = model.asked
    const now = JSON.stringify([model.modes, model.aligns])
    if (now !== offered) {
      modes.replaceChildren(...model.modes.map(({value, label}) => h("button", {type: "button", role: "radio", "data-way": value, onclick: () => turn("mode", value)}, label)))
      select.replaceChildren(...model.aligns.map(({value, label}) => h("option", {value}, label)))
    }
    offered = now
    for (const button of modes.children) {
      button.setAttribute("aria-checked", String(button.dataset.way === mode))
      button.tabIndex = button.dataset.way === mode ? 0 : -1
    }
    if (chosen === null || chosen === align) {
      chosen = null
      select.value = align
    }
    own.element.hidden = mode === "overlay"
    own.box.checked = scales === "own"
    means.element.hidden = !model.can_mean || mode !== "overlay"
    means.box.checked = mean
  }
  ways.addEventListener("keydown", (event) => {
    const all = [...ways.querySelectorAll("[role=radio]")]
    const at = all.indexOf(event.composedPath()[0])
    const by = {ArrowLeft: -1, ArrowRight: 1}[event.key]
    if (at < 0 || !by) return
    event.preventDefault()
    event.stopPropagation()
    const next = all[(at + by + all.length) % all.length]
    next.focus()
    next.click()
  })

  const show_notes = () => holding_focus(notes, () => notes.replaceChildren(...model.notes.map(({text, bad, choices}) => h("p", {class: bad ? "bad" : "", title: text}, text,
    ...choices.map(({label, control, value}) => h("button", {class: "again", type: "button", onclick: () => model.send_msg({kind: "choose", control, value})}, label))))), () => ways.querySelector("[role=radio]"))

  const again = () => el.checkVisibility() && model.send_msg({kind: "again"})
  listen(model, "miscope:again", again)
  listen(model, "keydown", (event) => {
    if (event.key === "r" && !typing(event) && !event.ctrlKey && !event.metaKey && !event.altKey) again()
  })
  const draw = {chips: () => { show_chips(); show_differs() }, differs: show_differs, fields: show_differs, modes: show_ways,
    aligns: show_ways, asked: () => { show_chips(); show_ways() }, can_mean: show_ways, notes: show_notes}
  for (const [name, action] of Object.entries(draw)) model.on(name, action)
  for (const action of new Set(Object.values(draw))) action()
}
