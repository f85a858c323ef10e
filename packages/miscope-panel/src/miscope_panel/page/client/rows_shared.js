// Cards that share out the width of their board, row by row, under each heading: no row is left half empty on a wide screen.
const SHARES = 12
const NARROWEST = 420
const GAP = 14

// How many of so many cards stand in a row that has room for `fit`: as many as leave the fewest places empty.
const in_one_row = (count, fit) => {
  const most = Math.min(Math.max(fit, 1), count)
  const empty = (columns) => Math.ceil(count / columns) * columns - count
  const fitting = [6, 4, 3, 2, 1].filter((columns) => columns <= most && 2 * columns >= most)
  return fitting.reduce((best, columns) => (empty(columns) < empty(best) ? columns : best))
}

// The cards from one heading to the next, as indices of the parts; a card with a row of its own is none of them.
const rows_of = (parts) => parts.reduce((rows, part, i) => {
  if (part.heading) rows.push([])
  else if (!part.wide) rows.at(-1).push(i)
  return rows
}, [[]])

const share_rows = (parts, kinds, width) => {
  const fit = Math.floor((width + GAP) / (NARROWEST + GAP))
  for (const row of rows_of(kinds)) for (const i of row)
    parts[i].style.setProperty("--span", SHARES / in_one_row(row.length, fit))
}
