// What keys need of a card beside its buttons: one stop for the tool bar of its chart, and the next card once it is closed.
const chart_bar = (canvas) => {
  const settle = one_stop(canvas, ".modebar-btn", ["ArrowLeft", "ArrowRight"])
  return () => {
    const bar = canvas.querySelector(".modebar")
    bar?.setAttribute("role", "toolbar")
    bar?.setAttribute("aria-label", "Zoom and pan")
    settle()
  }
}

const to_next_card = (host) => {
  const next = host.nextElementSibling ?? host.previousElementSibling
  next?.shadowRoot?.querySelector(".tools button")?.focus()
}
