// What of a card can be taken away: pictures as files, the numbers in them, and the words that draw them elsewhere.
const EXPORT = "/api/v1/export"

// Zoomed in and turned as it stands, though laid out as by itself: under the title that the card's header carries here, with legend
// and colour bars where the frame of the card has no say.
const unframed = ({layout}, canvas) => {
  const shown = Object.entries(layout).filter(([name]) => /^[xy]axis\d*$/.test(name)).map(([name, axis]) => {
    const {range, autorange} = canvas.layout[name] ?? {}
    return [name, {...axis, range, autorange}]
  })
  const turned = Object.entries(layout).filter(([name]) => /^scene\d*$/.test(name)).map(([name, scene]) => {
    const {camera = scene.camera, aspectmode = scene.aspectmode, aspectratio = scene.aspectratio} = canvas.layout[name] ?? {}
    return [name, {...scene, camera, aspectmode, aspectratio}]
  })
  return {...layout, ...Object.fromEntries([...shown, ...turned]), template: canvas.layout.template}
}
const bars_of = ({data}, canvas) => canvas.data.map((trace, i) => ({...trace, ...(trace.colorbar ? {colorbar: data[i].colorbar} : {}),
  ...(trace.marker?.colorbar ? {marker: {...trace.marker, colorbar: data[i].marker.colorbar}} : {})}))

const taking = (model, canvas, figure, say) => {
  async function copy(what, text) {
    // Without https the browser keeps its clipboard from pages of other machines.
    if (navigator.clipboard) await navigator.clipboard.writeText(text)
    say(navigator.clipboard ? `${what} copied.` : text, !navigator.clipboard)
  }

  // One that is put together of several variants is made by the page that shows them.
  const alone = () => Boolean(model.picture.taken?.query)
  const written = () => Boolean(model.picture.taken?.python)

  function address() {
    if (new URLSearchParams(location.search).get("page") === "compare") return location.href
    const now = new URLSearchParams(location.search)
    // And what is selected for all cards, and the steps that all axes over training show.
    const names = ["v", "e", "with", "theme", ...Object.keys(miscope.selected)]
    const kept = [...now].filter(([name]) => names.includes(name) || name.startsWith("cursor:") || name.startsWith("variants:"))
    // What a lens sets of the card is not in the page's address, which has the lens.
    const turned = Object.entries(model.turned).map(([name, text]) => [`${model.view}:${name}`, text])
    const query = new URLSearchParams([...kept, ["views", model.view], ...turned])
    return `${location.origin}${location.pathname}?${query}`
  }

  function stem() {
    const {variant, view, step} = JSON.parse(figure()).layout.meta.miscope
    const slug = [variant].flat()[0].split("/")[1]
    return `${slug}.${view}${step == null ? "" : `.step_${step}`}`
  }

  async function image(format) {
    const served = JSON.parse(figure())
    const size = {width: Math.max(canvas.clientWidth, 640), height: Math.max(canvas.clientHeight, 360) + 60}
    const made = await window.Plotly.toImage({data: bars_of(served, canvas), layout: unframed(served, canvas)}, {format, scale: 2, ...size})
    saved(`${stem()}.${format}`, made)
  }

  async function file(suffix, preset = "") {
    if (!alone()) return model.send_msg({kind: "file", suffix, preset})
    say(`Making the ${suffix} ...`, true)
    const answer = await fetch(`${EXPORT}/${suffix}?${model.picture.taken.query}${preset && `&preset=${preset}`}`)
    if (!answer.ok) return say((await answer.json()).error.message, true)
    const made = URL.createObjectURL(await answer.blob())
    saved(`${stem()}.${suffix}`, made)
    URL.revokeObjectURL(made)
    say("")
  }

  const paper = paper_form(file, () => canvas.getRootNode().querySelector("button[aria-haspopup=menu]")?.focus())

  // Made in the background; the bar over the cards says how far it is, and has the file.
  const film = (words, suffix) => [words, () => model.send_msg({kind: "film", suffix})]

  function choices() {
    const {state, taken} = model.picture
    const there = state === "figure" && figure()
    const hold = ["Hold it beside", () => model.send_msg({kind: "hold"})]
    return [
      {title: "Save", items: !there ? [] : [
        ["Image (PNG)", () => image("png")], ["Drawing (SVG)", () => image("svg")], ...(!written() ? [] : [
          ["For print (PDF)", () => file("pdf")], ["Page (HTML)", () => file("html")], ["Numbers (CSV)", () => file("csv")],
          ["Numbers (Parquet)", () => file("parquet")], ["Numbers (NumPy)", () => file("npz")]])]},
      {title: "For a paper", items: !there || !written() ? [] : [
        ["Width and font size \u2026", paper.open]]},
      {title: "Over training", items: !there || !alone() || !model.picture.badge || model.picture.filmed === false ? [] : [
        film("Film (MP4)", "mp4"), film("Film (GIF)", "gif"), film("Film (WebP)", "webp"), film("Page with a slider (HTML)", "html")]},
      {title: "Copy", items: [
        ["Link to this view", () => copy("Link", address())],
        ...(there && written() ? [["Python", () => copy("Python", taken.python)]] : []),
        ...(there && alone() ? [["Command", () => copy("Command", taken.shell)]] : [])]},
      {title: "Compare", items: there && model.holdable ? [hold] : []},
    ]
  }

  return {choices, copy, paper: paper.element}
}
