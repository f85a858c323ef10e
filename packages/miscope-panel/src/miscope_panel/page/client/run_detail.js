// What of a run is read only by those who ask for it: its log, a traceback, and what it was asked for with.
const copied = async (text, button, words) => {
  // Without https the browser keeps its clipboard from pages of other machines.
  if (navigator.clipboard) await navigator.clipboard.writeText(text)
  button.textContent = navigator.clipboard ? "Copied" : "No clipboard here"
  setTimeout(() => (button.textContent = words), 2000)
}

const copy_button = (words, text_of) => {
  const button = h("button", {type: "button", class: "act", onclick: () => copied(text_of(), button, words)}, words)
  return button
}

const unfolded = (model, id, about, words) => {
  const text = h("pre", {tabindex: "0"}, "Reading …")
  const details = h("details", {}, h("summary", {}, words), text)
  details.addEventListener("toggle", () => model.send_msg({kind: "detail", id, about, open: details.open}))
  return {
    element: details,
    text: () => text.textContent,
    show(lines) {
      const at_end = text.scrollHeight - text.scrollTop - text.clientHeight < 8
      text.textContent = lines.join("\n") || "Nothing is there."
      if (at_end || about === "log") text.scrollTop = text.scrollHeight
    },
  }
}

const configuration_window = (model) => {
  const title = h("h3", {id: "configured"})
  const parts = h("div", {class: "parts"})
  const copies = h("div", {class: "copies"})
  const close = icon("close", "Close", () => dialog.close())
  const dialog = h("dialog", {"aria-labelledby": "configured"}, h("header", {}, title, close), copies, parts)
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close())
  return {
    element: dialog,
    open(card) {
      title.textContent = `${card.training ? "Hyperparameters" : "Configuration"} of run ${card.id}`
      parts.replaceChildren(h("p", {class: "quiet"}, "Reading …"))
      copies.replaceChildren()
      dialog.dataset.id = String(card.id)
      dialog.showModal()
      model.send_msg({kind: "detail", id: card.id, about: "configuration", open: true})
    },
    show(found) {
      if (dialog.dataset.id !== String(found.id)) return
      copies.replaceChildren(...Object.entries(found.texts).map(([name, text]) => copy_button(`Copy as ${name}`, () => text)))
      parts.replaceChildren(...found.parts.map((part) => h("section", {}, h("h4", {}, part.title), h("dl", {},
        ...part.rows.flatMap(([name, value, given]) => [h("dt", {}, name),
          h("dd", {class: given ? "given" : "", title: given ? "Asked for" : "The default"}, value)])))))
    },
  }
}
