// Pixels that a menu keeps from the edges of the window.
const MENU_EDGE = 8
// What of the window moves the button that a menu belongs to.
const MENU_MOVED = ["scroll", "resize"]

// A button that opens a list of actions. Arrows walk it, Escape and a press elsewhere close it.
const menu = (model, label, groups_of) => {
  const list = h("div", {class: "menu", role: "menu", popover: "manual", "aria-label": label, hidden: true})
  // A card that is moved in the page takes its list out of the front by itself.
  const shown = () => !list.hidden && (!list.showPopover || list.matches(":popover-open"))
  const toggle = () => (shown() ? close() : open())
  const button = icon("more", label, toggle)
  button.setAttribute("aria-haspopup", "menu")
  button.setAttribute("aria-expanded", "false")
  const items = () => [...list.querySelectorAll("button")]
  // One of them is a stop of Tab, so that a list which scrolls can be come to.
  const stop_at = (chosen) => {
    for (const each of items()) each.tabIndex = each === chosen ? 0 : -1
    chosen?.focus()
  }

  const item = ([words, action]) => h("button", {type: "button", role: "menuitem", tabindex: "-1", onclick: () => {
    close()
    action()
  }}, words)

  // In front of everything and within the window: below the button, above it, or else at its left.
  const place = () => {
    const {left, right, top, bottom} = button.getBoundingClientRect()
    const [wide, high] = [innerWidth - MENU_EDGE, innerHeight - MENU_EDGE]
    Object.assign(list.style, {position: "fixed", inset: "auto", margin: 0, color: "inherit", overflowY: "auto", maxHeight: `${high - MENU_EDGE}px`})
    const {offsetWidth: width, offsetHeight: height} = list
    const fits_below = bottom + height <= high
    const fits_above = top - height >= MENU_EDGE
    const at_top = fits_below ? bottom : fits_above ? top - height : high - height
    const at_right = fits_below || fits_above ? right : left
    list.style.top = `${Math.max(MENU_EDGE, Math.min(at_top, high - height))}px`
    list.style.left = `${Math.max(MENU_EDGE, Math.min(at_right, wide) - width)}px`
  }

  function open() {
    list.replaceChildren(...groups_of().filter((group) => group.items.length).map((group) =>
      h("div", {role: "group", "aria-label": group.title}, h("h6", {"aria-hidden": "true"}, group.title), ...group.items.map(item))))
    list.hidden = false
    list.showPopover?.()
    place()
    for (const moved of MENU_MOVED) addEventListener(moved, place, true)
    button.setAttribute("aria-expanded", "true")
    stop_at(items()[0])
  }
  function rest() {
    for (const moved of MENU_MOVED) removeEventListener(moved, place, true)
  }
  model.on("remove", rest)
  function close() {
    if (list.hidden) return
    if (shown()) list.hidePopover?.()
    rest()
    list.hidden = true
    button.setAttribute("aria-expanded", "false")
    button.focus()
  }

  const walk = {ArrowDown: 1, ArrowUp: -1}
  list.addEventListener("keydown", (event) => {
    const all = items()
    const at = all.indexOf(event.composedPath()[0])
    const to = event.key === "Home" ? 0 : event.key === "End" ? all.length - 1 : (at + (walk[event.key] ?? 0) + all.length) % all.length
    // None of these keys moves the step cursor while the menu is open.
    event.stopPropagation()
    if (event.key === "Escape" || event.key === "Tab") close()
    else if (event.key in walk || event.key === "Home" || event.key === "End") stop_at(all[to])
    else return
    event.preventDefault()
  })
  listen(model, "pointerdown", (event) => {
    if (!list.hidden && !event.composedPath().includes(list) && !event.composedPath().includes(button)) close()
  })
  return [button, list]
}

const saved = (name, address) => {
  const link = h("a", {href: address, download: name})
  document.body.append(link)
  link.click()
  link.remove()
}
