// What a chart has at a step, read from what plotly.js draws: the points of paths, and what curves are worth there.
const MOST_VALUES = 6
const STALE = 1.5

// Steps on an axis that counts since an event, or as a fraction of training, and back.
const on_axis = ({clock}, step) => (clock ? (step - clock.zero) / clock.unit : step)
const of_axis = ({clock}, place) => (clock ? place * clock.unit + clock.zero : place)

// The place of the greatest number at or before a step, of several the last; -1 where there is none.
const last_before = (numbers, step) => {
  let found = -1
  for (let i = 0; i < numbers.length; i++)
    if (numbers[i] != null && numbers[i] <= step && (found < 0 || numbers[i] >= numbers[found])) found = i
  return found
}

const drawn_traces = (canvas) => (canvas._fullData ?? []).filter((trace) => trace.visible === true)

// --- paths: their points carry their steps

const steps_of_path = ({meta, customdata}) =>
  meta?.steps === "customdata" ? Array.from(customdata ?? [], (one) => (one != null && typeof one === "object" ? one[0] : one)) : []

const paths_in = (canvas) => drawn_traces(canvas).map((trace) => [trace, steps_of_path(trace)]).filter(([, steps]) => steps.length)

const times = (matrix, vector) => [0, 1, 2, 3].map((row) => vector.reduce((sum, value, column) => sum + matrix[4 * column + row] * value, 0))

// Where a point of a scene is on the screen: as plotly.js places its annotations.
const in_scene = (canvas, trace, at) => {
  const {_scene: scene, domain} = canvas._fullLayout[trace.scene] ?? {}
  const {view, projection, model} = scene?.glplot?.cameraParams ?? {}
  if (!model) return null
  const placed = ["x", "y", "z"].map((letter, i) => scene.fullSceneLayout[`${letter}axis`].d2l(trace[letter][at]) * scene.dataScale[i])
  const [x, y, , w] = times(projection, times(view, times(model, [...placed, 1])))
  const {l, t, w: width, h: height} = canvas._fullLayout._size
  const box = {left: l + domain.x[0] * width, top: t + (1 - domain.y[1]) * height,
    width: (domain.x[1] - domain.x[0]) * width, height: (domain.y[1] - domain.y[0]) * height}
  return [box.left + (0.5 + (0.5 * x) / w) * box.width, box.top + (0.5 - (0.5 * y) / w) * box.height]
}

const in_plane = (canvas, trace, at) => {
  const {xaxis, yaxis} = canvas._fullLayout._plots[`${trace.xaxis}${trace.yaxis}`] ?? {}
  if (!xaxis) return null
  const [across, down] = [xaxis.d2p(trace.x[at]), yaxis.d2p(trace.y[at])]
  const inside = across >= -1 && down >= -1 && across <= xaxis._length + 1 && down <= yaxis._length + 1
  return inside ? [xaxis._offset + across, yaxis._offset + down] : null
}

const place_on_screen = (canvas, trace, at) => (trace.scene ? in_scene : in_plane)(canvas, trace, at)

// Of each path the points at the last of its steps that is at or before this one, in pixels.
const path_marks = (canvas, step) => paths_in(canvas).flatMap(([trace, steps]) => {
  const last = last_before(steps, step)
  return steps.flatMap((one, at) => (last >= 0 && one === steps[last] ? [place_on_screen(canvas, trace, at)] : []))
}).filter((place) => place?.every(Number.isFinite))

// The step of the path's point that is nearest to a place on the screen; null where none is near.
const step_near = (canvas, [x, y], reach) => {
  let [best, far] = [null, reach]
  for (const [trace, steps] of paths_in(canvas)) for (let at = 0; at < steps.length; at++) {
    const place = Number.isFinite(steps[at]) ? place_on_screen(canvas, trace, at) : null
    const away = place ? Math.hypot(place[0] - x, place[1] - y) : Infinity
    if (away < far) [best, far] = [steps[at], away]
  }
  return best
}

// --- values

const DIGITS = 4

// Four digits; what is less than `whole` in size is never rounded up to it.
const in_digits = (value, whole) => {
  const near = Number(value.toPrecision(DIGITS))
  const below = Math.abs(value) < whole && Math.abs(near) >= whole
  return below ? Number((Math.sign(value) * whole * (1 - 10 ** -DIGITS)).toPrecision(DIGITS)) : near
}

const compact = (value, format = "") => {
  if (format.endsWith("%")) return `${compact_at(100 * value, 100)} %`
  return compact_at(value, 1)
}
const compact_at = (value, whole) => {
  const size = Math.abs(value)
  if (size >= 1e9 || (size > 0 && size < 1e-3)) return value.toExponential(DIGITS - 1).replace(/\.?0*e([+-])(\d)$/, "e$10$2").replace(/\.?0*e/, "e")
  return grouped(size >= 1000 ? Math.round(value) : in_digits(value, whole))
}

// Which numbers of a trace are its values: those that it is hovered with, for an area is drawn up to a sum.
const told_of = (trace, letter) => {
  const template = String([trace.hovertemplate ?? ""].flat()[0])
  const own = template.match(new RegExp(`%\\{${letter}(?::([^}]*))?\\}`))
  const custom = own ? null : template.match(/%\{customdata(?:\[(\d+)\])?(?::([^}]*))?\}/)
  const of = (at) => (custom?.[1] == null ? trace.customdata[at] : trace.customdata[at]?.[custom[1]])
  // Where nothing of it is a number they are names.
  const numbers = custom && Array.prototype.some.call(trace.customdata ?? [], (_, at) => Number.isFinite(of(at)))
  if (numbers) return {value: of, format: custom[2]}
  return {value: (at) => trace[letter]?.[at], format: own?.[1]}
}

// The last record at or before a place; none behind the end of a curve that ended, and of points alone only one that is there.
const record_at = (trace, along, place) => {
  const steps = trace[along] ?? []
  const at = last_before(steps, place)
  const behind = at > 0 ? Math.abs(steps[at] - steps[at - 1]) * STALE : 0
  const ended = at === steps.length - 1 && place - steps[at] > behind
  const loose = trace.mode != null && !trace.mode.includes("lines") && steps[at] !== place
  return at < 0 || ended || loose ? -1 : at
}

// Of a curve that is drawn by the first, lowest and highest of each stretch of records: the drawn points among which are those
// of the stretch of a place that has no point of its own.
const BESIDE = 2
const about_record = (trace, along, place, at, value) => {
  if (!trace.meta?.thinned || trace[along][at] === place) return [value(at)]
  return Array.from({length: 2 * BESIDE + 1}, (_, i) => value(at - BESIDE + i))
}

const extremes = (values) => {
  const finite = values.filter(Number.isFinite)
  return finite.length ? [...new Set([Math.min(...finite), Math.max(...finite)])] : []
}

const value_of = (trace, along, place) => {
  const at = record_at(trace, along, place)
  if (at < 0) return null
  if (trace.z) {
    const cells = along === "x" ? Array.from(trace.z, (row) => row[at]) : Array.from(trace.z[at] ?? [])
    return extremes(cells).map((end) => compact(end)).join(" to ")
  }
  const {value, format} = told_of(trace, along === "x" ? "y" : "x")
  return extremes(about_record(trace, along, place, at, value)).map((end) => compact(end, format)).join(" to ")
}

const colour_in = ({line, marker}) => [line?.color, marker?.color].find((colour) => typeof colour === "string" && !colour.startsWith("rgba(0,0,0,0"))

// What the figure's traces on these axes are worth at a place of them: [{name, colour, texts}], in order, by name.
const values_at = (canvas, axes, place) => {
  const named = new Map()
  for (const trace of drawn_traces(canvas)) {
    const over = [axes.includes(trace.xaxis), axes.includes(trace.yaxis)]
    // The edges of a band are told by hovering.
    if (over[0] === over[1] || ["skip", "none"].includes(trace.hoverinfo) || trace.meta?.edge) continue
    const along = over[0] ? "x" : "y"
    const text = value_of(trace, along, place)
    if (!text) continue
    const across = canvas._fullLayout[(over[0] ? trace.yaxis : trace.xaxis).replace(/^./, "$&axis")]
    const bar = canvas._fullLayout[trace.coloraxis]?.colorbar ?? trace.colorbar
    const name = canvas.data[trace.index].name || plain(trace.z ? bar?.title?.text : across?.title?.text)
    if (!named.has(name)) named.set(name, {name, colour: trace.z ? null : colour_in(trace), texts: []})
    named.get(name).texts.push(text)
  }
  return [...named.values()]
}

const said_value = ({name, texts}) => [name, texts.join(" · ")].filter(Boolean).join(" ")

// The values in one line; those that it has no room for are counted, and all are there on hovering.
const show_values = (line, values) => {
  const said = values.map(said_value).join("\n")
  if (line.title === said) return
  line.title = said
  const rest = values.length - MOST_VALUES
  line.replaceChildren(...values.slice(0, MOST_VALUES).map(({name, colour, texts}) => {
    const mark = colour ? h("i", {class: "dot", "aria-hidden": "true"}) : null
    if (mark) mark.style.background = colour
    return h("span", {}, mark, name ? `${name} ` : null, h("b", {}, texts.join(" · ")))
  }), rest > 0 ? h("span", {}, `and ${rest} more`) : "")
}
