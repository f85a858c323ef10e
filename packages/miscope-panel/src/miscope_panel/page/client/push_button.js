// A button whose words and state are the server's.
export function render({model, el}) {
  const button = h("button", {type: "button", class: model.look, onclick: () => model.send_msg({kind: "press"})})
  const show = () => {
    button.textContent = model.label
    button.disabled = model.disabled
  }
  model.on("label", show)
  model.on("disabled", show)
  // What is shown at the same time is laid out first.
  model.on("msg:custom", () => requestAnimationFrame(() => button.focus()))
  show()
  el.append(button)
}
