// What a paper asks of a figure: its width, its font size, the kind of file. The tab keeps it for the next one.
const PAPER = "miscope.paper"

const paper_form = (save, leave) => {
  const option = (value, words) => h("option", {value}, words)
  const own = h("input", {type: "number", min: 20, max: 1000, step: "any", value: 120, required: true, "aria-label": "Width in millimetres"})
  const own_row = h("label", {}, "mm ", own)
  const width = h("select", {"aria-label": "Width", onchange: () => other()},
    option("85", "One column, 85 mm"), option("178", "Two columns, 178 mm"), option("", "Other \u2026"))
  const font = h("input", {type: "number", min: 3, max: 40, step: "any", value: 8, required: true, "aria-label": "Font size in points"})
  const suffix = h("select", {"aria-label": "File"}, option("pdf", "PDF"), option("svg", "SVG"), option("png", "PNG"))
  const cancel = h("button", {type: "button", onclick: () => close()}, "Cancel")
  const element = h("form", {class: "menu paper", "aria-label": "For a paper", hidden: true, onsubmit: (event) => {
    event.preventDefault()
    const wanted = {width: width.value || own.value, font: font.value, suffix: suffix.value}
    try {
      sessionStorage.setItem(PAPER, JSON.stringify(wanted))
    } catch {
      // Where nothing may be kept it is asked each time.
    }
    close()
    save(wanted.suffix, `paper:${wanted.width}mm:${wanted.font}pt`)
  }}, h("label", {}, "Width ", width), own_row, h("label", {}, "Font size ", font, " pt"), h("label", {}, "File ", suffix),
    h("div", {class: "row"}, h("button", {type: "submit"}, "Save"), cancel))

  function other() {
    own.disabled = own_row.hidden = width.value !== ""
  }
  function open() {
    let kept = {}
    try {
      kept = JSON.parse(sessionStorage.getItem(PAPER) ?? "{}")
    } catch {
      // As it is at first.
    }
    if (kept.width) {
      width.value = ["85", "178"].includes(kept.width) ? kept.width : ""
      if (!width.value) own.value = kept.width
    }
    font.value = kept.font ?? font.value
    suffix.value = kept.suffix ?? suffix.value
    other()
    element.hidden = false
    width.focus()
  }
  function close() {
    element.hidden = true
    leave()
  }
  element.addEventListener("keydown", (event) => {
    // None of these keys moves the step cursor while the form is open.
    event.stopPropagation()
    if (event.key === "Escape") close()
  })
  other()
  return {element, open}
}
