// Cards that share out the width of their board, row by row, under each heading: no row is left half empty.
const SHARES = 60
const MOST = 6
// Pixels: of a card where there is little room, where there is much, and between two.
const NARROWEST = 420
const COMFORTABLE = 520
const GAP = 14
const LOWEST = 340

// How many cards stand beside each other in so many pixels; in rows of the same length where few cards fill a screen of theirs.
const most_beside = (width, count, headed) => {
  const narrowest = Math.min(Math.max(NARROWEST, width / 4 - GAP), COMFORTABLE)
  const fit = Math.min(Math.max(Math.floor((width + GAP) / (narrowest + GAP)), 1), MOST)
  return headed ? fit : Math.min(fit, [fit, 1, 2, 3, 2, 3, 3, 4, 4, 3][count] ?? fit)
}

// Units of one card, and of those that are not parted from the one before them, in the fewest rows, which are as alike as they can be.
const balanced = (units, most) => {
  const best = [{cost: 0, rows: []}]
  for (let end = 1; end <= units.length; end++) {
    let length = 0
    for (let first = end - 1; first >= 0; first--) {
      length += units[first].length
      if (length > most) break
      const cost = best[first].cost + 1000 + length * length
      if (best[end] && cost >= best[end].cost) continue
      best[end] = {cost, rows: [...best[first].rows, units.slice(first, end).flat()]}
    }
  }
  return best.at(-1).rows
}

// Rows of indices of the cards from the top, in the order in which they are given; one that has a row of its own comes after the row
// that it would break. wide: has a row of its own; paired: belongs beside the card before it; heading: nothing goes past it.
const rows_of = (cards, most) => {
  const sections = [[]]
  cards.forEach(({heading}, i) => {
    if (heading) sections.push([i], [])
    else sections.at(-1).push(i)
  })
  return sections.flatMap((section) => {
    const units = []
    for (const i of section.filter((each) => !cards[each].wide)) {
      if (cards[i].paired && units.at(-1)?.at(-1) === i - 1 && units.at(-1).length < most) units.at(-1).push(i)
      else units.push([i])
    }
    const rows = balanced(units, most)
    for (const i of section.filter((each) => cards[each].wide)) {
      const after = rows.findLastIndex((row) => row.some((each) => each < i))
      rows.splice(after + 1, 0, [i])
    }
    return rows
  })
}

// kinds: what the parts are, beside `wide`, `paired` and `heading` whether each is a table, which is as high as it is.
const share_rows = (board, parts, kinds) => {
  const {style, clientWidth, clientHeight} = board.host
  const width = clientWidth - 2 * (GAP + 2)
  const headed = kinds.some(({heading}) => heading)
  const rows = rows_of(kinds, most_beside(width, kinds.filter(({wide}) => !wide).length, headed))
  rows.flat().forEach((place, i) => parts[place].style.setProperty("order", i))
  for (const row of rows) {
    const lowest = Math.max(LOWEST, Math.min(width / row.length / 2, 0.45 * clientHeight))
    for (const place of row) {
      parts[place].style.setProperty("--span", SHARES / row.length)
      parts[place].style.setProperty("--lowest", `${Math.round(lowest)}px`)
    }
  }
  // What height is left over is shared by the rows of cards.
  style.gridTemplateRows = rows.map((row) => (row.every((place) => kinds[place].fixed) ? "max-content" : "minmax(max-content, 1fr)")).join(" ")
}
