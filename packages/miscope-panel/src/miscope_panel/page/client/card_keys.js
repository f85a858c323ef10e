// What keys need of a card beside its buttons: one stop for the tool bar of its chart, and the next card once it is closed.
const chart_bar = (canvas) => {
  const settle = one_stop(canvas, ".modebar-btn", ["ArrowLeft", "ArrowRight"])
  return () => {
    // What was painted over has the bar it had, and to ask what is seen has the browser lay out the page for each card.
    if (canvas.hasAttribute("data-painted")) return
    const bar = canvas.querySelector(".modebar")
    bar?.setAttribute("role", "toolbar")
    bar?.setAttribute("aria-label", "Zoom and pan")
    settle()
  }
}

const to_next_card = (host) => {
  // On Compare all cards of the view go, and headings hold no keys.
  const all = [...(host.parentNode?.children ?? [])]
  const stays = (one) => one.dataset.entry && (one === host || one.dataset.entry !== host.dataset.entry)
  const cards = all.filter(stays)
  const at = cards.indexOf(host)
  const next = (cards[at + 1] ?? cards[at - 1])?.shadowRoot?.querySelector(".tools button")
  if (next) next.focus()
  else announce("content")
}
