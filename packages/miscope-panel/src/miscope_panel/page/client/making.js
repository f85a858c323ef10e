// Reports of the open cards, and films of one: made by the server, previewed in a tab of its own, saved by the browser.
const SHOWN = [".html", ".pdf", ".gif", ".webp", ".mp4", ".md"]

export function render({model, el}) {
  const state = h("span", {role: "status"})
  const bar = h("span", {class: "bar", role: "progressbar", "aria-label": "Made", "aria-valuemin": 0, "aria-valuemax": 100, hidden: true}, h("i"))
  const error = h("span", {class: "problem", role: "alert"})
  const preview = h("a", {class: "labelled", target: "_blank", rel: "noopener", hidden: true}, "Preview")
  const save = h("a", {class: "labelled", hidden: true}, "Save")
  const leave = h("button", {type: "button", class: "labelled", hidden: true, onclick: () => model.send_msg({kind: "leave"})}, "Cancel")

  const report = (words, suffix) => [words, () => model.send_msg({kind: "report", suffix})]
  const [button, list] = menu(model, "Report on the open cards", () => [{title: "Report on the open cards", items: [
    report("Page (HTML)", "html"), report("For print (PDF)", "pdf"), report("Markdown", "md"), report("Notebook", "ipynb")]}])
  button.className = "labelled"
  button.textContent = "Report"

  // Not once more where the page comes back with a file that was made before.
  let awaited = false
  function show() {
    const made = model.making
    const under_way = made.what && !made.address && !made.error
    const ready = Boolean(made.address)
    const words = !made.what ? "" : ready ? `${made.what} is ready.` : made.error ? "" : `Making ${made.what[0].toLowerCase()}${made.what.slice(1)} …`
    if (state.textContent !== words) state.textContent = words
    bar.hidden = !under_way || made.share == null
    if (!bar.hidden) {
      bar.setAttribute("aria-valuenow", Math.floor(100 * made.share))
      bar.setAttribute("aria-valuetext", made.far)
      bar.title = made.far
      bar.firstChild.style.width = `${100 * made.share}%`
    }
    error.textContent = made.error ?? ""
    preview.hidden = !ready || !SHOWN.some((suffix) => made.name.endsWith(suffix))
    save.hidden = !ready
    if (ready && made.saved && awaited) saved(made.name, made.address)
    awaited = Boolean(under_way)
    if (ready) {
      preview.href = save.href = made.address
      save.download = made.name
    }
    const held = el.getRootNode().activeElement
    leave.hidden = !made.what
    leave.textContent = under_way ? "Cancel" : "Dismiss"
    if (held?.hidden) button.focus()
  }
  // By its key the page finds it again, once it is loaded anew.
  const name = `miscope.making.${model.of}`
  const remember = () => {
    try {
      if (model.making.key) sessionStorage.setItem(name, model.making.key)
      else sessionStorage.removeItem(name)
    } catch {
      // A browser that keeps nothing does not find it.
    }
  }
  const before = () => {
    try {
      return sessionStorage.getItem(name)
    } catch {
      return null
    }
  }
  model.on("making", () => {
    remember()
    show()
  })
  const key = before()
  if (key && !model.making.key) model.send_msg({kind: "find", key})
  show()
  // By keys one comes from the button to what it made.
  el.append(h("div", {class: "making"}, h("div", {class: "files"}, button, list), state, bar, error, preview, save, leave))
}
