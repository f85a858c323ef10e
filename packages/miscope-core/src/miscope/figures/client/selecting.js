// What a click on a point selects, and where in a chart the selected is, as the meta of traces says (`figures.selecting`).
const cell_of = (where, point) => {
  const [, name, part] = where.match(/^(x|y|customdata)(?:\[(\d+)\])?$/) ?? []
  const found = name == null ? undefined : point[name]
  return part == null ? found : found?.[Number(part)]
}

// What a point of plotly's that was clicked selects, as texts; null for one that selects nothing.
const selected_by = (point) => {
  const {read = {}, same = {}} = point?.data?.meta?.selects ?? {}
  const found = Object.entries(read).map(([what, where]) => [what, cell_of(where, point)]).filter(([, value]) => value != null && value === value)
  const nothing = Object.keys(read).length ? !found.length : !Object.keys(same).length
  return nothing ? null : {...same, ...Object.fromEntries(found.map(([what, value]) => [what, String(value)]))}
}

const is_heat = ({type}) => type === "heatmap"

const point_at = ({x, y, customdata}, i) => ({x: x?.[i] ?? i, y: y?.[i] ?? i, customdata: customdata?.[i]})
const heat_at = ({x, y, customdata}, row, column) => ({x: x?.[column] ?? column, y: y?.[row] ?? row, customdata: customdata?.[row]?.[column]})

// Places of what is selected in a drawn trace: {at: i} of points, {row} or {column} of a heat map that has all of one
// row or column for it.
const places_of = (trace, selected) => {
  const {read = {}, same = {}} = trace.meta?.selects ?? {}
  const asked = Object.entries(read).filter(([what]) => selected[what] != null).map(([what, where]) => [where, String(selected[what])])
  const elsewhere = Object.entries(same).some(([what, value]) => selected[what] != null && String(selected[what]) !== String(value))
  if (!asked.length || elsewhere || trace.visible !== true) return []
  const here = (point) => asked.every(([where, value]) => String(cell_of(where, point)) === value)
  if (!is_heat(trace)) {
    const length = Math.max(trace.x?.length ?? 0, trace.y?.length ?? 0)
    return Array.from({length}, (_, i) => i).filter((i) => here(point_at(trace, i))).map((at) => ({at}))
  }
  const [rows, columns] = [trace.z?.length ?? 0, trace.z?.[0]?.length ?? 0]
  if (!rows || !columns) return []
  const all = (length) => Array.from({length}, (_, i) => i)
  const column = all(columns).find((i) => here(heat_at(trace, 0, i)) && here(heat_at(trace, rows - 1, i)))
  const row = all(rows).find((i) => here(heat_at(trace, i, 0)) && here(heat_at(trace, i, columns - 1)))
  return column == null ? (row == null ? [] : [{row}]) : [{column}]
}

// Pixels that a mark measures at least: around a point, across a heat map.
const RING = 15
const BAND = 5

// From where to where on an axis, in pixels of its pane: around a point that is so wide, and around the i-th cell.
const around = (axis, middle, wide) => {
  const at = axis.d2p(middle)
  const half = Math.max(wide == null ? 0 : Math.abs(axis.l2p(axis.d2l(middle) + wide) - at), RING) / 2
  return [at - half, at + half]
}
const along_cells = (axis, values, i, count) => {
  const next = i + 1 < count ? i + 1 : i - 1
  const at = axis.d2p(values?.[i] ?? i)
  const half = Math.max(count > 1 ? Math.abs(axis.d2p(values?.[next] ?? next) - at) : axis._length, BAND) / 2
  return [at - half, at + half]
}

const box_of = (trace, place, {xaxis, yaxis}) => {
  if (place.column != null) return [along_cells(xaxis, trace.x, place.column, trace.z[0].length), [0, yaxis._length]]
  if (place.row != null) return [[0, xaxis._length], along_cells(yaxis, trace.y, place.row, trace.z.length)]
  const [wide, high] = trace.meta.selects.cell ?? [null, null]
  return [around(xaxis, trace.x?.[place.at] ?? place.at, wide), around(yaxis, trace.y?.[place.at] ?? place.at, high)]
}

// Marks of what is selected in the panes of a chart: elements, laid over it.
const marks_in = (canvas, selected) => {
  const marks = []
  for (const trace of canvas._fullData ?? []) {
    const pane = canvas._fullLayout?._plots?.[`${trace.xaxis}${trace.yaxis}`]
    for (const place of pane && Object.keys(selected).length ? places_of(trace, selected) : []) {
      const {xaxis, yaxis} = pane
      const [[left, right], [top, bottom]] = box_of(trace, place, pane)
      if (![left, right, top, bottom].every(Number.isFinite) || right < 0 || bottom < 0 || left > xaxis._length || top > yaxis._length) continue
      const mark = h("div", {class: place.at != null && !trace.meta.selects.cell ? "mark ring" : "mark"})
      const box = {left: xaxis._offset + left, top: yaxis._offset + top, width: right - left, height: bottom - top}
      for (const [side, value] of Object.entries(box)) mark.style[side] = `${value}px`
      marks.push(mark)
    }
  }
  return marks
}
