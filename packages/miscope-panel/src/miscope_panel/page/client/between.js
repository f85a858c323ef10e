// A range of steps as the address has it, 'FIRST,LAST'; null for one that is none.
const between_read = (text) => {
  const ends = (text ?? "").split(",").map(Number)
  return text && ends.length === 2 && ends.every(Number.isFinite) && ends[0] < ends[1] ? ends : null
}

// Rounded to a thousandth of its width, however far from 0 it is.
const FINEST = 20
const between_written = (ends) => {
  const [first, last] = [...ends].sort((a, b) => a - b)
  const places = last > first ? Math.min(Math.max(3 - Math.floor(Math.log10(last - first)), 0), FINEST) : 0
  return [first, last].map((end) => String(Number(end.toFixed(places)))).join(",")
}
