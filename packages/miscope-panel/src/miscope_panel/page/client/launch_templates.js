// Studies that are kept to start from: chosen, compared with the form, saved, copied, given to others.
const launch_templates = (model) => {
  const act = (action, more = {}) => model.send_msg({kind: "template", action, id: list.value, ...more})
  const list = h("select", {"aria-label": "Template", onchange: () => act("look")})
  const button = (label, action) => h("button", {type: "button", class: "small", onclick: action}, label)
  const name = h("input", {type: "text", "aria-label": "Name of the template", placeholder: "name", maxlength: 255})
  const file = h("input", {type: "file", accept: ".json,application/json", hidden: true, "aria-label": "File with templates", onchange: async () => {
    const [chosen] = file.files
    // A long one would break the connection before anybody could say so.
    if (chosen?.size > model.longest.bytes) say(model.longest.words, true)
    else if (chosen) act("import", {text: await chosen.text()})
    file.value = ""
  }})
  const star = button("", () => act("favourite"))
  const of_one = h("span", {class: "row"}, button("Load", () => act("load")), star, button("Duplicate", () => act("duplicate")),
    button("Export", () => act("export")), button("Delete", () => act("delete")))
  const said = h("div", {class: "told", role: "status"})
  const apart = h("tbody")
  const diff = h("table", {class: "diff"}, h("caption", {}, "Loading it would change"), h("thead", {}, h("tr", {},
    ...["field", "now", "template"].map((title) => h("th", {scope: "col"}, title)))), apart)
  const element = h("details", {class: "panel templates"}, h("summary", {}, "Templates"), h("div", {class: "row"}, list, of_one),
    diff, h("div", {class: "row"}, name, button("Save form as", () => act("save", {name: name.value.trim()})),
      button("Import \u2026", () => file.click()), file, button("Export all", () => act("export_all"))), said)

  const say = (words, refused) => {
    said.classList.toggle("refused", refused)
    said.replaceChildren(...words.map((sentence) => h("p", {}, sentence)))
  }
  const show = () => {
    const {all = [], chosen = "", differences = [], words = [], refused = false, read_only = false} = model.templates
    list.replaceChildren(h("option", {value: ""}, all.length ? "choose one \u2026" : "none is kept yet"),
      ...all.map((one) => h("option", {value: one.id, title: one.description}, `${one.favourite ? "\u2605 " : ""}${one.name}`)))
    list.value = chosen
    const looked = all.find((one) => one.id === chosen)
    of_one.hidden = !looked
    star.textContent = looked?.favourite ? "\u2605 Favourite" : "\u2606 Favourite"
    star.setAttribute("aria-pressed", String(Boolean(looked?.favourite)))
    diff.hidden = !differences.length
    apart.replaceChildren(...differences.map((each) => h("tr", {}, h("th", {scope: "row"}, each.field), h("td", {}, each.before || "default"), h("td", {}, each.after || "default"))))
    say(words, refused)
    for (const each of element.querySelectorAll("button, input")) each.disabled = read_only && !["Load", "Export", "Export all"].includes(each.textContent)
  }
  const save = () => {
    if (!model.download.text) return
    const address = URL.createObjectURL(new Blob([model.download.text], {type: "application/json"}))
    h("a", {href: address, download: model.download.name}).click()
    setTimeout(() => URL.revokeObjectURL(address), 1000)
  }
  const open = () => {
    if (!model.templates_open) return
    element.open = true
    list.focus()
  }
  model.on("templates_open", () => setTimeout(open))
  setTimeout(open)
  model.on("templates", show)
  model.on("download", save)
  show()
  return element
}
