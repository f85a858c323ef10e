// A figure that has other numbers alone than the one drawn is painted over it: plotly.js would draw all of it anew, which
// takes several times as long. Only where that looks the same; and in full once no other has come for a while.
const REST_OF_STEPS = 400
const SHADES = 4096
// What of a trace may be other numbers; of lying bars y has the names.
const free_in = ({type, orientation}) => ({heatmap: ["z", "customdata"], bar: [orientation === "h" ? "x" : "y", "customdata"]}[type] ?? [])
// Bars may have other colours too, one each.
const colours_of = ({type, marker}) => (type === "bar" && Array.isArray(marker?.color) ? marker.color : null)
const NUMBERS = {f8: Float64Array, f4: Float32Array, i4: Int32Array, u4: Uint32Array, i2: Int16Array, u2: Uint16Array, i1: Int8Array, u1: Uint8Array}

const bytes_of = (bdata) => (typeof bdata === "string" ? Uint8Array.from(atob(bdata), (letter) => letter.charCodeAt(0)).buffer : bdata)

// An array as plotly.js has it once it has read it: of several rows one array each.
const decoded = (part) => {
  if (part?.bdata == null) return part
  const all = new NUMBERS[part.dtype](bytes_of(part.bdata))
  const [rows, columns] = String(part.shape ?? "").split(",").map(Number)
  return columns == null ? all : Array.from({length: rows}, (_, row) => all.subarray(row * columns, (row + 1) * columns))
}

const same = (a, b) => {
  if (a === b) return true
  if (!a || !b || typeof a !== "object" || typeof b !== "object") return false
  if (a instanceof ArrayBuffer) return b instanceof ArrayBuffer && same(new Uint8Array(a), new Uint8Array(b))
  if (ArrayBuffer.isView(a)) return ArrayBuffer.isView(b) && a.length === b.length && a.every((one, i) => one === b[i])
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && same(a[key], b[key]))
}
const without = (part, keys) => Object.fromEntries(Object.entries(part).filter(([key]) => !keys.includes(key)))
const size_of = (part) => (part?.bdata == null ? `${part?.length} ${part?.[0]?.length}` : `${part.dtype} ${part.shape ?? bytes_of(part.bdata).byteLength}`)

const set_apart = (trace, free) => {
  const rest = without(trace, free)
  const colours = colours_of(trace)
  return colours ? {...rest, marker: {...without(trace.marker, ["color"]), colours: colours.length}} : rest
}

// Which traces have other numbers, where all else of the figure is the same; null where it is not.
const other_numbers = (before, now) => {
  const frame = (figure) => without(figure.layout, ["meta"])
  if (before.data.length !== now.data.length || !same(frame(before), frame(now))) return null
  const others = []
  for (let i = 0; i < now.data.length; i++) {
    const [old, trace] = [before.data[i], now.data[i]]
    const free = old.type === trace.type ? free_in(trace) : []
    if (!same(set_apart(old, free), set_apart(trace, free)) || free.some((key) => size_of(old[key]) !== size_of(trace[key]))) return null
    if (!free.every((key) => same(old[key], trace[key])) || !same(colours_of(old), colours_of(trace))) others.push(i)
  }
  return others
}

// --- heat maps

// The shades of a colour scale, as plotly.js has them: linear between its colours.
const shades_of = (scale) => {
  const brush = Object.assign(document.createElement("canvas"), {width: 1, height: 1}).getContext("2d", {willReadFrequently: true})
  const colours = scale.map(([, colour]) => {
    brush.clearRect(0, 0, 1, 1)
    brush.fillStyle = colour
    brush.fillRect(0, 0, 1, 1)
    return brush.getImageData(0, 0, 1, 1).data
  })
  const table = new Uint8ClampedArray(4 * SHADES)
  for (let i = 0, k = 0; i < SHADES; i++) {
    const at = i / (SHADES - 1)
    while (k < scale.length - 2 && at > scale[k + 1][0]) k++
    const share = Math.min(Math.max((at - scale[k][0]) / (scale[k + 1][0] - scale[k][0] || 1), 0), 1)
    for (let c = 0; c < 4; c++) table[4 * i + c] = colours[k][c] + share * (colours[k + 1][c] - colours[k][c])
  }
  return new Uint32Array(table.buffer)
}

// A pixel for each number, in the order of the screen.
const pixels_of = (rows, {cmin, cmax}, shades, [leftwards, downwards]) => {
  const [height, width] = [rows.length, rows[0].length]
  const pixels = new Uint32Array(width * height)
  const per = (SHADES - 1) / (cmax - cmin)
  for (let row = 0; row < height; row++) {
    const numbers = rows[downwards ? row : height - 1 - row]
    for (let column = 0; column < width; column++) {
      const number = numbers[leftwards ? width - 1 - column : column]
      if (!Number.isFinite(number)) continue
      const shade = Math.round((number - cmin) * per)
      pixels[row * width + column] = shades[shade < 0 ? 0 : shade >= SHADES ? SHADES - 1 : shade]
    }
  }
  return new ImageData(new Uint8ClampedArray(pixels.buffer), width, height)
}

// Width and height of a picture in an address that holds it; plotly.js has drawn a heat map by one pixel a number where
// these are its columns and rows.
const size_in = (address) => {
  const head = address?.match(/^data:image\/png;base64,(.{32})/)
  const bytes = head && Uint8Array.from(atob(head[1]), (letter) => letter.charCodeAt(0))
  return bytes ? [16, 20].map((at) => new DataView(bytes.buffer).getUint32(at)) : []
}

// The image of a heat map, by where its address is written.
const image_of = (canvas, i) => {
  const image = canvas.calcdata[i][0].node3?.node()?.querySelector("image")
  return [...(image?.attributes ?? [])].find(({localName}) => localName === "href")
}

// What an image is painted with; null where plotly.js paints it otherwise.
const heat_of = (canvas, i, rows) => {
  const full = canvas._fullData[i]
  const colours = canvas._fullLayout[full.coloraxis]
  const image = image_of(canvas, i)
  const [width, height] = size_in(image?.value)
  const known = [colours?.cmin, colours?.cmax].every(Number.isFinite) && colours.cmin < colours.cmax && !colours.cauto
  if (!known || full.zsmooth || full.texttemplate || height !== rows.length || width !== rows[0]?.length) return null
  if (!ArrayBuffer.isView(rows[0])) return null
  const {x, y} = canvas.calcdata[i][0]
  const {xaxis, yaxis} = canvas._fullLayout._plots[`${full.xaxis}${full.yaxis}`]
  const sense = [xaxis.c2p(x[0]) > xaxis.c2p(x.at(-1)), yaxis.c2p(y[0]) < yaxis.c2p(y.at(-1))]
  return {image, rows, colours, sense}
}

const paint_heat = ({image, rows, colours, sense}, shades) => {
  const sheet = Object.assign(document.createElement("canvas"), {width: rows[0].length, height: rows.length})
  sheet.getContext("2d").putImageData(pixels_of(rows, colours, shades, sense), 0, 0)
  image.value = sheet.toDataURL()
}

// --- bars

// The bars of one pair of axes: all of them, for they may lie upon each other.
const pane_of = (canvas, i) => `${canvas._fullData[i].xaxis}${canvas._fullData[i].yaxis}`
// Axes whose range plotly.js finds from what is drawn would be others by now; error bars are no part of the bars, and the
// legend has the colour of the first.
const stays = (canvas, i) => {
  const {orientation, xaxis, yaxis, error_x, error_y, marker, showlegend} = canvas._fullData[i]
  if (Array.isArray(marker?.color) && showlegend && canvas._fullLayout.showlegend) return false
  const name = orientation === "h" ? xaxis : yaxis
  return !error_x?.visible && !error_y?.visible && canvas._fullLayout[`${name[0]}axis${name.slice(1)}`].autorange === false
}
const paint_bars = (canvas, pane) => {
  const plot = canvas._fullLayout._plots[pane]
  const bars = canvas._fullData.filter((full) => full.type === "bar" && `${full.xaxis}${full.yaxis}` === pane)
  const [{_module: drawing}] = bars
  for (const full of bars) {
    const points = drawing.calc(canvas, full)
    Object.assign(points[0], {t: points[0].t ?? {}, trace: full})
    canvas.calcdata[full.index] = points
  }
  drawing.crossTraceCalc(canvas, plot)
  drawing.plot(canvas, plot, bars.map((full) => canvas.calcdata[full.index]), plot.plot.select(".barlayer"))
  drawing.style(canvas)
}

// --- all of it

// A figure as it came: plotly.js writes into what it is given, though not into numbers.
const copied = (part) => {
  if (!part || typeof part !== "object" || part instanceof ArrayBuffer || ArrayBuffer.isView(part)) return part
  if (Array.isArray(part)) return typeof part[0] === "object" ? part.map(copied) : part
  return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, copied(inner)]))
}
const apart = ({data, layout: {template, ...layout}}) => ({data: copied(data), layout: {...copied(layout), template}})

// The shades of the colours that were asked for last.
const shades_kept = () => {
  let [scale, reversed, shades] = [null, null, null]
  return ({colorscale, reversescale}) => {
    if (scale !== colorscale || reversed !== reversescale)
      shades = shades_of(reversescale ? colorscale.map(([at, colour]) => [1 - at, colour]).reverse() : colorscale)
    ;[scale, reversed] = [colorscale, reversescale]
    return shades
  }
}

// What `decoded` does not read: rows of rows of several numbers.
const in_space = (part) => String(part?.shape ?? "").split(",").length > 2
// As plotly.js has the numbers of a heat map: a cell without one has no label.
const cells_of = (rows) => rows.map((row) => (row.every(Number.isFinite) ? row : Array.from(row, (one) => (Number.isFinite(one) ? one : undefined))))

// What is to be painted for the numbers of these traces; null where that takes more.
const paint_for = (canvas, now, others) => {
  if (others.some((i) => free_in(now.data[i]).some((key) => in_space(now.data[i][key])))) return null
  const rows = new Map(others.filter((i) => now.data[i].type === "heatmap").map((i) => [i, decoded(in_numbers(now.data[i]).z)]))
  const heats = [...rows].map(([i, numbers]) => heat_of(canvas, i, numbers))
  const bars = others.filter((i) => now.data[i].type === "bar")
  return heats.includes(null) || !bars.every((i) => stays(canvas, i)) ? null : {rows, heats, panes: new Set(bars.map((i) => pane_of(canvas, i)))}
}

// canvas: drawn by plotly.js, as before. Whether it shows now by the end; as before where that takes more than paint.
const painted_over = (canvas, before, now, shades) => {
  const others = other_numbers(before, now)
  const all = canvas._fullData ?? []
  if (!others || all.length !== now.data.length || !all.every((full, i) => full.index === i && full.visible === true)) return false
  const paint = paint_for(canvas, now, others)
  if (!paint) return false
  for (const i of others) for (const key of free_in(now.data[i]).filter((each) => each in now.data[i])) {
    const numbers = key === "z" ? paint.rows.get(i) : decoded(now.data[i][key])
    canvas.data[i][key] = canvas._fullData[i][key] = numbers
    if (key === "z") canvas.calcdata[i][0].z = cells_of(numbers)
  }
  for (const i of others) {
    const colours = colours_of(now.data[i])
    if (colours) canvas.data[i].marker.color = canvas._fullData[i].marker.color = colours
  }
  for (const heat of paint.heats) paint_heat(heat, shades(heat.colours))
  for (const pane of paint.panes) paint_bars(canvas, pane)
  canvas.layout.meta = canvas._fullLayout.meta = now.layout.meta
  return true
}

// Of one chart. draw: has plotly.js draw the figure. moving: whether another step follows, however long it takes to come.
const repainting = (canvas, moving = () => false) => {
  let [drawn, rest] = [null, null]
  const shades = shades_kept()
  // What plotly.js keeps to itself may be otherwise in a figure nobody has thought of: it is then drawn in full.
  const painted = (before, now) => {
    try {
      return painted_over(canvas, before, now, shades)
    } catch (problem) {
      console.warn(problem)
      return false
    }
  }
  const in_full = (draw) => {
    canvas.removeAttribute("data-painted")
    return draw()
  }
  const once_at_rest = (draw) => {
    rest = setTimeout(() => (moving() ? once_at_rest : in_full)(draw), REST_OF_STEPS)
  }
  return {
    show: (figure, draw) => {
      clearTimeout(rest)
      const before = drawn
      drawn = apart(figure)
      if (!before || !painted(before, drawn)) return in_full(draw)
      canvas.setAttribute("data-painted", "")
      // A label under the pointer says the number that is there now.
      canvas._fullLayout._rehover?.()
      once_at_rest(draw)
    },
    end: () => clearTimeout(rest),
  }
}
