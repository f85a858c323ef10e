// The layout of a figure for a frame whose own header carries the title, so that its room goes to the plot.
const LEFT = 72
const RIGHT = 24
const BAR = {orientation: "h", x: 1, xanchor: "right", y: 1, yanchor: "bottom", ypad: 2, thickness: 8, len: 0.45}
const AMID = {...BAR, x: 0.5, xanchor: "center", lenmode: "pixels", len: 200}

const colour_bars = ({data, layout}) => [
  ...Object.entries(layout).filter(([name, axis]) => name.startsWith("coloraxis") && axis.showscale !== false).map(([, axis]) => axis),
  ...data.flatMap((trace) => [trace, trace.marker].filter((part) => part && !part.coloraxis && part.showscale !== false && (part.showscale || part.colorbar))),
]

const has_legend = ({data, layout}) =>
  layout.showlegend !== false && data.filter((trace) => trace.showlegend !== false && (trace.name || trace.showlegend)).length > (layout.showlegend ? 0 : 1)

// A legend above the plot takes no width from it, however long its words; one that the view has placed stays.
const legend_of = ({layout: {legend = {}}}) => legend.x != null || legend.y != null || legend.orientation ? legend : {
  ...legend, orientation: "h", x: 0, xanchor: "left", y: 1, yanchor: "bottom", maxheight: 0.4, itemwidth: 30}

// Under a colour bar that lies above, plotly.js puts the titles of axes on their ticks.
const below_bars = (layout) => Object.fromEntries(Object.entries(layout).filter(([name, axis]) => name.startsWith("xaxis") && axis.title?.text)
  .map(([name, axis]) => [name, {...axis, title: {...axis.title, standoff: 24}}]))

// The one colour bar above the plot; null where there is none, or more than one, or a legend has that place.
const with_bar_above = (content, place) => {
  const {data, layout} = content
  const bars = colour_bars(content)
  if (bars.length !== 1 || has_legend(content)) return null
  // A short one stands beside the bar: a line of its own would be taken from the map.
  const words = bars[0].colorbar?.title
  const title = {...words, side: place === AMID && (words?.text ?? "").length <= 14 ? "right" : "top"}
  const axes = below_bars(layout)
  const bar = {...bars[0].colorbar, ...place, title}
  if (data.some((trace) => trace === bars[0] || trace.marker === bars[0])) {
    bars[0].colorbar = bar
    return {...layout, ...axes}
  }
  const name = Object.keys(layout).find((key) => layout[key] === bars[0])
  return {...layout, ...axes, [name]: {...bars[0], colorbar: bar}}
}

// Plots over training begin and end at the same places, from card to card, whatever stands beside them.
const aligned = (content) => with_bar_above(content, BAR) ?? content.layout

const is_lone_square = ({layout}) =>
  Object.keys(layout).filter((name) => /^[xy]axis/.test(name)).length === 2 &&
  layout.yaxis?.scaleanchor === "x" && layout.xaxis?.constrain === "domain" &&
  Object.keys(layout).some((name) => name.startsWith("coloraxis")) && !layout.annotations?.some(({y, yref}) => yref === "paper" && y >= 1)

// A square map amid a wide frame would be far from a colour bar at its side.
const amid = (content) => {
  const layout = is_lone_square(content) ? with_bar_above(content, AMID) : null
  return layout ? {...layout, xaxis: {...layout.xaxis, constraintoward: "center"}} : content.layout
}

const framed = (content, name, template) => {
  const over_training = content.layout.meta?.miscope?.time_axis === "x"
  const {title, width, height, ...layout} = over_training ? aligned(content) : amid(content)
  const margin = {l: over_training ? LEFT : 56, r: RIGHT, t: 12, b: 44, ...layout.margin}
  const heading = layout.meta?.miscope?.heading ?? 0
  if (title) margin.t = Math.max(14, (layout.margin?.t ?? 64) - heading - 50)
  return {...layout, margin, legend: legend_of(content), autosize: true, uirevision: name, template}
}

// As tall as its rows: what the figure says is made for a narrower page, and never low.
const height_of_table = ({data: [{header, cells}], layout}) => {
  const rows = (cells.values?.[0]?.length ?? 0) * (cells.height ?? 28) + (header.height ?? 28)
  return layout.height > 500 ? Math.max(layout.height - 50, rows + 70) : rows + 70
}

// Panels above each other need room for each.
const height_of = (content) => {
  const {layout} = content
  if (is_table(content)) return height_of_table(content)
  const axes = Object.entries(layout).filter(([name, axis]) => name.startsWith("yaxis") && !axis.overlaying)
  const rows = new Set(axes.map(([, {domain}]) => (domain ?? [0, 1])[0].toFixed(2))).size
  return Math.min(180 + 120 * Math.max(rows, 1), 720)
}


const is_table = ({data}) => data.length > 0 && data.every((trace) => trace.type === "table")

// The axes that a change of the layout moves, with their ranges; null for one that shows all again.
const ranges_in = (change) => {
  const moved = {}
  for (const [key, value] of Object.entries(change)) {
    const [, axis, part, end] = key.match(/^([xy]axis\d*)\.(range|autorange)(?:\[([01])\])?$/) ?? []
    if (part === "autorange" && value) moved[axis] = null
    else if (part === "range" && end == null && Array.isArray(value)) moved[axis] = value.map(Number)
    else if (part === "range" && end != null) (moved[axis] ??= [])[Number(end)] = Number(value)
  }
  return Object.fromEntries(Object.entries(moved).filter(([, ends]) => !ends || (ends.length === 2 && ends.every(Number.isFinite))))
}

// Ranges as an address has them: 'xaxis=0,500;yaxis=-1,2'.
const zoom_read = (text) => Object.fromEntries(text.split(";").map((part) => part.match(/^([xy]axis\d*)=([^,]+),([^,]+)$/))
  .filter((found) => found && Number.isFinite(Number(found[2])) && Number.isFinite(Number(found[3])))
  .map(([, axis, low, high]) => [axis, [Number(low), Number(high)]]))

const zoom_after = (before, moved) => Object.entries({...zoom_read(before), ...moved}).filter(([, ends]) => ends)
  .map(([axis, ends]) => `${axis}=${ends.map((end) => Number(end.toPrecision(5))).join(",")}`).join(";")

const zoomed = (layout, text) => ({...layout, ...Object.fromEntries(
  Object.entries(zoom_read(text)).map(([axis, range]) => [axis, {...layout[axis], range, autorange: false}]))})
