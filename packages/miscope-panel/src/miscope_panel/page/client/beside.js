// Where cards lie on the board: one that is held beside the one it was held of, and one that is new where it is seen.
const FLASH = 1800

// The view that a card shows, held, one of several, or neither.
const view_shown = (entry) => entry.split("@")[0].split("~")[0]

// Where a board changes while its parts are being built, Bokeh builds one part twice, and keeps the later.
const once = (parts) => {
  const last = new Map(parts.map((part) => [part.dataset.tag ?? part, part]))
  const kept = new Set(last.values())
  for (const part of parts.filter((each) => !kept.has(each))) {
    part.dataset.twin = ""
    part.remove()
  }
  return parts.filter((part) => kept.has(part))
}

// Whether it was taken off the board beside another of the same model, which is seen or not whatever becomes of this one.
const is_twin = (host) => "twin" in host.dataset

// Then, too, it leaves them in another order than the page has them in.
const in_order = (board, parts) => {
  const place = ({dataset}) => Number(dataset.place ?? -1)
  const wanted = [...parts].sort((one, other) => place(one) - place(other))
  const first = wanted.findIndex((part, i) => part !== parts[i])
  if (first >= 0) board.append(...wanted.slice(first))
  return wanted
}

const lay_out = (board) => {
  const parts = in_order(board, once([...board.children].filter((part) => part.matches(":not(style, link, .scroll-button)"))))
  const kinds = parts.map(({dataset, classList}, i) => {
    const before = parts[i - 1]?.dataset.entry
    // A heading, too, has a row of its own.
    const heading = !dataset.entry
    const paired = "held" in dataset && before != null && view_shown(before) === view_shown(dataset.entry)
    return {heading, wide: heading || classList.contains("wide"), paired, fixed: heading || classList.contains("table")}
  })
  share_rows(board, parts, kinds)
}

// host: of the card, or of a heading, which shows no view. Gives what lays the board out anew.
const beside = (model, host) => {
  if (model.view != null) host.dataset.entry = model.view
  host.dataset.tag = model.tag
  if (model.held) host.dataset.held = ""
  let board = null
  const again = () => board && lay_out(board)
  const stand = () => {
    host.dataset.place = model.place
    again()
  }
  model.on("place", stand)
  stand()
  // Of one that was built twice, too, nothing stays.
  const leave = () => model.gone && host.remove()
  model.on("gone", leave)
  const size = new ResizeObserver(again)
  requestAnimationFrame(() => {
    board = host.parentNode
    if (!board?.host) return (board = null)
    leave()
    size.observe(board.host)
    again()
    if (!model.fresh) return
    host.classList.add("fresh")
    setTimeout(() => host.classList.remove("fresh"), FLASH)
    host.scrollIntoView({block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth"})
  })
  model.on("remove", () => {
    size.disconnect()
    requestAnimationFrame(again)
  })
  return again
}
