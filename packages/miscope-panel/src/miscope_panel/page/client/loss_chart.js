// Losses over steps, the losses on a logarithmic axis: what the server thinned out, and behind it what came since.
const WIDE = 340, TALL = 112, LEFT = 44, RIGHT = 8, TOP = 6, BOTTOM = 18, MOST_NEW = 240
const SVG = "http://www.w3.org/2000/svg"

const s = (tag, attributes, ...children) => {
  const element = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

const short = (value) => (value >= 0.01 && value < 1000 ? String(Number(value.toPrecision(3))) : value.toExponential(1).replace("e+", "e"))
const steps_short = (step) => (step >= 10000 ? `${Number((step / 1000).toPrecision(3))}k` : grouped(step))

const loss_chart = () => {
  const frame = s("g", {class: "axes"})
  const lines = s("g", {class: "lines"})
  const rule = s("line", {class: "rule", y1: TOP, y2: TALL - BOTTOM, visibility: "hidden"})
  const svg = s("svg", {viewBox: `0 0 ${WIDE} ${TALL}`, role: "img", class: "losses"}, frame, lines, rule)
  const legend = h("div", {class: "legend"})
  const waiting = h("p", {class: "waiting"}, "loss curve …")
  const element = h("figure", {class: "chart", hidden: true}, waiting, svg, legend)
  let curves = {}
  let read = false
  let fresh = {}
  let ticking = false

  const points = (name) => {
    const kept = curves[name] ?? {steps: [], values: []}
    const last = kept.steps.at(-1) ?? -1
    const later = (fresh[name] ?? []).filter(([step]) => step > last)
    return [...kept.steps.map((step, i) => [step, kept.values[i]]), ...later]
  }
  const names = () => [...new Set([...Object.keys(curves), ...Object.keys(fresh)])]

  let x = null
  let y = null
  function draw() {
    ticking = false
    const all = names().map((name) => [name, points(name)]).filter(([, list]) => list.length)
    // A point alone, the last loss before the curve was read, has no axis.
    const drawn = all.some(([, list]) => list.at(-1)[0] > list[0][0])
    element.hidden = !drawn && (read || !all.length)
    waiting.hidden = drawn
    svg.toggleAttribute("hidden", !drawn)
    legend.hidden = !drawn
    if (!drawn) return
    const steps = all.flatMap(([, list]) => [list[0][0], list.at(-1)[0]])
    const logs = all.flatMap(([, list]) => list.map(([, value]) => Math.log10(value)))
    const [first, last] = [Math.min(...steps), Math.max(...steps)]
    let [low, high] = [Math.min(...logs), Math.max(...logs)]
    if (high - low < 0.2) [low, high] = [low - 0.1, high + 0.1]
    x = (step) => LEFT + (WIDE - LEFT - RIGHT) * (step - first) / (last - first)
    y = (value) => TOP + (TALL - TOP - BOTTOM) * (high - Math.log10(value)) / (high - low)
    frame.replaceChildren(...ticks(low, high).flatMap((value) => [
      s("line", {x1: LEFT, x2: WIDE - RIGHT, y1: y(value), y2: y(value)}),
      s("text", {x: LEFT - 5, y: y(value) + 3.5, "text-anchor": "end"}, short(value))]),
      s("text", {x: LEFT, y: TALL - 4}, steps_short(first)),
      s("text", {x: WIDE - RIGHT, y: TALL - 4, "text-anchor": "end"}, `step ${steps_short(last)}`))
    lines.replaceChildren(...all.map(([, list], i) => (list.length > 1
      ? s("polyline", {class: `curve c${i}`, points: list.map(([step, value]) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`).join(" ")})
      : s("circle", {class: `curve c${i}`, r: 2, cx: x(list[0][0]), cy: y(list[0][1])}))))
    label(all.map(([name, list]) => [name, list.at(-1)]))
    element.dataset.points = String(all.reduce((sum, [, list]) => sum + list.length, 0))
    element.dataset.last = String(last)
  }
  function ticks(low, high) {
    const whole = Array.from({length: Math.floor(high) - Math.ceil(low) + 1}, (_, i) => Math.ceil(low) + i)
    const every = Math.max(1, Math.ceil(whole.length / 4))
    return whole.length > 1 ? whole.filter((power) => power % every === 0).map((power) => 10 ** power) : [10 ** low, 10 ** high]
  }
  function label(values) {
    legend.replaceChildren(...values.map(([name, [step, value]], i) =>
      h("span", {class: `key c${i}`, title: `at step ${grouped(step)}`}, `${name} ${short(value)}`)))
    svg.setAttribute("aria-label", values.map(([name, [step, value]]) => `${name} ${short(value)} at step ${grouped(step)}`).join(", "))
  }
  const redraw = () => {
    if (ticking) return
    ticking = true
    requestAnimationFrame(draw)
  }

  svg.addEventListener("pointermove", (event) => {
    if (!x) return
    const at = (event.offsetX / svg.clientWidth) * WIDE
    const near = (list) => list.reduce((best, each) => (Math.abs(x(each[0]) - at) < Math.abs(x(best[0]) - at) ? each : best))
    const all = names().map((name) => [name, points(name)]).filter(([, list]) => list.length).map(([name, list]) => [name, near(list)])
    rule.setAttribute("visibility", "visible")
    rule.setAttribute("x1", x(all[0][1][0]))
    rule.setAttribute("x2", x(all[0][1][0]))
    label(all)
  })
  svg.addEventListener("pointerleave", () => {
    rule.setAttribute("visibility", "hidden")
    redraw()
  })

  return {
    element,
    set(found) {
      curves = found
      read = true
      redraw()
    },
    append(step, losses) {
      for (const [name, value] of Object.entries(losses)) {
        let list = (fresh[name] ??= [])
        // A training that began again at an earlier step has nothing of what came after it.
        if (list.length && list.at(-1)[0] > step) list = fresh[name] = []
        if (!list.length || list.at(-1)[0] < step) list.push([step, value])
        if (list.length > MOST_NEW) fresh[name] = list.filter((_, i) => i % 2 === 1)
      }
      redraw()
    },
  }
}
