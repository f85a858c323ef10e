// Which rows have the words that were typed, and of which a plain condition is true: places in the server's order. null
// where this is the server's alone to say. It says of all, and what it says stands.
const PLAIN = /^[ -~]*$/
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const ODD_NUMBER = /inf|nan|_/i
const COMPARED = /^(.+?)(<=|>=|!=|=|<|>)(.+)$/
const CONDITION = /^\s*(?:([a-z_]\w*)|"([^"]+)")\s*(<=|>=|!=|<>|=|<|>)\s*([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*$/i
const LONGEST_TEXT = 1000
const HOLDS = {
  "<=": (a, b) => a <= b, ">=": (a, b) => a >= b, "!=": (a, b) => a !== b, "<>": (a, b) => a !== b,
  "=": (a, b) => a === b, "<": (a, b) => a < b, ">": (a, b) => a > b,
}

const own_of = (column, row) => (column.at ? column.at[row] : row)
// Of columns whose names differ in case alone a word is of the last, and a condition, which is SQL, of the first.
const called = (name) => (column) => column.name && column.name === name.toLowerCase()

// One test of each different value, whose rows then all have the same answer.
const by_value = (column, values, holds) => {
  const held = values.map((value) => value !== null && holds(value))
  return (row) => held[own_of(column, row)]
}

function comparison(column, sign, value) {
  if (!column?.compared || ODD_NUMBER.test(value)) return null
  const number = NUMBER.test(value) ? Number(value) : null
  const text = value.toLowerCase()
  return by_value(column, column.compared, (cell) =>
    typeof cell === "string" ? HOLDS[sign](cell, text) : number === null ? sign === "!=" : HOLDS[sign](cell, number))
}

function word_test(known, word) {
  const parts = COMPARED.exec(word)
  if (parts) return comparison(known.columns.findLast(called(parts[1])), parts[2], parts[3])
  const searched = known.columns.filter((column) => column.searched)
  const tests = searched.map((column) => by_value(column, column.searched, (text) => text.includes(word.toLowerCase())))
  return (row) => tests.some((test) => test(row))
}

function condition_test(known, part) {
  const [, plain, quoted, sign, value] = CONDITION.exec(part) ?? []
  const column = sign && known.columns.find(called(plain ?? quoted))
  return column?.numeric ? comparison(column, sign, value) : null
}

function found_rows(known, text, where) {
  if (!PLAIN.test(text + where) || text.length > LONGEST_TEXT) return null
  const tests = text.split(" ").filter(Boolean).map((word) => word_test(known, word))
  if (where.trim()) tests.push(...where.split(/\sand\s/i).map((part) => condition_test(known, part)))
  if (tests.includes(null)) return null
  return [...Array(known.count).keys()].filter((row) => tests.every((test) => test(row)))
}
