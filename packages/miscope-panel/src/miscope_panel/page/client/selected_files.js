// Reports on the selected variants, and their numbers: written by the server, saved by the browser.
const API = "/api/v1"
const LONGEST = 8000

export function render({model, el}) {
  const said = h("span", {class: "said", role: "status"})

  function address(path) {
    return `${API}/${path}?${new URLSearchParams(model.names.map((name) => ["variant", name]))}`
  }

  async function file(what, path) {
    const asked = address(path)
    // A server reads no longer address, and says so in words for who wrote it.
    if (asked.length > LONGEST) return (said.textContent = `These are too many for one file: ${model.names.length} variants.`)
    said.textContent = `Making the ${what} …`
    const answer = await fetch(asked)
    if (!answer.ok) return (said.textContent = (await answer.json()).error.message)
    const [, name] = answer.headers.get("content-disposition").match(/filename="(.*)"/)
    const made = URL.createObjectURL(await answer.blob())
    saved(name, made)
    URL.revokeObjectURL(made)
    said.textContent = ""
  }

  const entry = (words, what, path) => [words, () => file(what, path)]
  const choices = () => [
    {title: "Report", items: [
      entry("Page (HTML)", "report", "report/html"), entry("For print (PDF)", "report", "report/pdf"),
      entry("Markdown", "report", "report/md"), entry("Notebook", "report", "report/ipynb")]},
    {title: "Numbers by step", items: [entry("CSV", "table", "history/csv"), entry("Parquet", "table", "history/parquet")]},
  ]

  const [button, list] = menu(model, "Report and export", choices)
  button.className = "labelled"
  button.textContent = "Report and export"
  const follow = () => (button.disabled = !model.names.length)
  model.on("names", follow)
  follow()
  el.append(h("div", {class: "files"}, button, list), said)
}
