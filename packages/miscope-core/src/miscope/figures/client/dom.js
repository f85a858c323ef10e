// Elements are made from text only, never from markup: what a plug-in says cannot become a script.
const h = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value)
    else if (value === true) element.setAttribute(name, "")
    else if (value !== false && value != null) element.setAttribute(name, value)
  }
  element.append(...children.filter((child) => child != null))
  return element
}

const SHAPES = {
  first: "M6 5h2v14H6zM20 5v14L9 12z",
  back: "M17 5v14L6 12z",
  play: "M8 5v14l11-7z",
  pause: "M7 5h4v14H7zM13 5h4v14h-4z",
  next: "M7 5v14l11-7z",
  last: "M4 5v14l11-7zM16 5h2v14h-2z",
  close: "M18.3 7.1 13.4 12l4.9 4.9-1.4 1.4-4.9-4.9-4.9 4.9-1.4-1.4 4.9-4.9-4.9-4.9 1.4-1.4 4.9 4.9 4.9-4.9z",
  wide: "M4 10V4h6v2H6v4zm10-6h6v6h-2V6h-4zM4 14h2v4h4v2H4zm14 0h2v6h-6v-2h4z",
  narrow: "M8 4h2v6H4V8h4zm6 0h2v4h4v2h-6zM4 14h6v6H8v-4H4zm10 0h6v2h-4v4h-2z",
  more: "M5 10a2 2 0 1 0 0 4 2 2 0 0 0 0-4zm7 0a2 2 0 1 0 0 4 2 2 0 0 0 0-4zm7 0a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
  again: "M17.7 6.3A8 8 0 1 0 19.7 14h-2.1A6 6 0 1 1 16.2 7.8L13 11h7V4z",
  about: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm0 2a7 7 0 1 1 0 14 7 7 0 0 1 0-14zm-1 2v2h2V7zm0 4v6h2v-6z",
  copy: "M8 3h11v14H8zM6 7H5v14h11v-2H7a1 1 0 0 1-1-1z",
}

const icon = (shape, label, action) => {
  const button = h("button", {class: "tool", type: "button", "aria-label": label, title: label, onclick: action})
  draw_icon(button, shape)
  return button
}

const draw_icon = (button, shape) => {
  const ns = "http://www.w3.org/2000/svg"
  const svg = document.createElementNS(ns, "svg")
  svg.setAttribute("viewBox", "0 0 24 24")
  svg.setAttribute("aria-hidden", "true")
  const path = document.createElementNS(ns, "path")
  path.setAttribute("d", SHAPES[shape])
  svg.append(path)
  button.replaceChildren(svg)
}

const typing = (event) => {
  const target = event.composedPath()[0]
  return target instanceof Element && (target.matches("input:not([type=checkbox]), textarea, select") || target.isContentEditable
    || Boolean(target.closest("[role=menu], [role=listbox], [role=combobox]")))
}

// As axes and the server write numbers: 1,600.
const grouped = (number) => {
  const [whole, fraction] = String(number).split(".")
  return [whole.replace(/\B(?=(\d{3})+(?!\d))/g, ","), ...(fraction ? [fraction] : [])].join(".")
}

// Charts and their cursor hear of each other through a target of their own: the page has one, each widget another.
const hub_on = (target, state) => ({
  state,
  announce: (name, detail) => target.dispatchEvent(new CustomEvent(`miscope:${name}`, {detail})),
  // For as long as the component is there.
  listen: (model, name, action) => {
    target.addEventListener(name, action)
    model.on("remove", () => target.removeEventListener(name, action))
  },
})
