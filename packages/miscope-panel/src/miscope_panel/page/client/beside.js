// Where cards lie on the board: one that is held beside the one it was held of, and one that is new where it is seen.
const FLASH = 1800

// The order in which cards leave no hole and no pair is parted, as indices of the cards. wide: has a row of its own;
// paired: belongs beside the card before it; heading: nothing goes past it.
const order_of = (cards, columns) => {
  const units = []
  cards.forEach((card, i) => {
    const last = units.at(-1)
    if (card.paired && !card.wide && last && !last.wide && last.places.length < columns) last.places.push(i)
    else units.push({...card, places: [i]})
  })
  const fill = (row, room) => {
    for (let i = 0; i < units.length && !units[i].heading && room > 0;) {
      if (units[i].wide || units[i].places.length > room) i++
      else {
        room -= units[i].places.length
        row.push(...units.splice(i, 1))
      }
    }
    return room
  }
  const order = []
  while (units.length) {
    let row = [units.shift()]
    const room = row[0].wide ? 0 : fill(row, columns - row[0].places.length)
    if (room > 0 && units.length && !units[0].wide && units[0].places.length > row[0].places.length) {
      // Nothing fits behind these: what does not comes first, and they follow it.
      units.unshift(units.shift(), ...row)
      row = [units.shift()]
      fill(row, columns - row[0].places.length)
    }
    order.push(...row.flatMap((unit) => unit.places))
  }
  return order
}

// Columns in which so many cards fill a screen that has room for more: in rows of the same length where that can be.
const columns_of = (count) => [99, 1, 2, 3, 2, 3, 3, 4, 4, 3][count] ?? 99

// The view that a card shows, held, one of several, or neither.
const view_shown = (entry) => entry.split("@")[0].split("~")[0]

// Where a board changes while its cards are being built, Bokeh builds one of them twice, and keeps the later.
const once = (parts) => {
  const last = new Map(parts.map((part) => [part.dataset.tag ?? part, part]))
  const kept = new Set(last.values())
  for (const part of parts) if (!kept.has(part)) part.remove()
  return parts.filter((part) => kept.has(part))
}

const lay_out = (board) => {
  const parts = once([...board.children].filter((part) => part.matches(":not(style, link, .scroll-button)")))
  const cards = parts.map(({dataset, classList}, i) => {
    const before = parts[i - 1]?.dataset.entry
    // A heading, too, has a row of its own.
    const heading = !dataset.entry
    return {heading, wide: heading || classList.contains("wide"), paired: "held" in dataset && before != null && view_shown(before) === view_shown(dataset.entry)}
  })
  const {style} = board.host
  const look = getComputedStyle(board.host)
  const headed = parts.some((part) => !part.dataset.entry)
  // Under headings cards stand close; without, they share the height there is.
  style.alignContent = headed || parts.some((part) => part.classList.contains("table")) ? "start" : "stretch"
  if (look.getPropertyValue("--shares"))
    return share_rows(parts, cards, board.host.clientWidth - parseFloat(look.paddingLeft) - parseFloat(look.paddingRight))
  style.setProperty("--most", headed ? 99 : columns_of(cards.filter((card) => !card.wide).length))
  const columns = look.gridTemplateColumns.split(" ").length
  order_of(cards, columns).forEach((place, i) => (parts[place].style.order = String(i)))
}

// host: of the card. Gives what lays the board out anew.
const beside = (model, host) => {
  host.dataset.entry = model.view
  host.dataset.tag = model.tag
  if (model.held) host.dataset.held = ""
  let board = null
  const again = () => board && lay_out(board)
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
