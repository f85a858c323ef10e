// Menus to choose from open by keys too: those of panel-material-ui hold themselves shut, and hear of a press alone. In
// one with a search what is typed goes there, and arrows lead back to what was found.
const OPENING = ["Enter", " ", "ArrowDown", "ArrowUp"]

const menus_by_key = (model) => {
  const searching = (event, target, list, search) => {
    // Browsers that fill in by themselves send events of keys without a key.
    if (!event.key) return
    const options = [...list.querySelectorAll("li[role=menuitem]:not([aria-disabled=true])")].filter((each) => !each.contains(search))
    if (target !== search) {
      if (event.key.length !== 1 || event.key === " ") return
      // The letter goes to the search alone: else the menu, too, would look for what begins with it.
      event.stopImmediatePropagation()
      search.focus()
      return
    }
    if (!["ArrowDown", "ArrowUp", "Escape", "Tab"].includes(event.key)) return
    const to = options[0] ?? search.closest("li")
    event.preventDefault()
    event.stopImmediatePropagation()
    to.focus()
    // What shuts the menu is heard from its options alone.
    if (event.key === "Escape" || event.key === "Tab")
      to.dispatchEvent(new KeyboardEvent("keydown", {key: event.key, bubbles: true, composed: true, cancelable: true}))
  }
  const hear = (event) => {
    const target = event.composedPath()[0]
    if (!(target instanceof Element) || event.ctrlKey || event.metaKey || event.altKey) return
    if (target.matches(".MuiSelect-select[role=combobox]:not([aria-disabled=true])")) {
      if (!OPENING.includes(event.key) || target.ariaExpanded === "true") return
      event.preventDefault()
      event.stopImmediatePropagation()
      target.click()
      return
    }
    const list = target.closest(".MuiMenu-list")
    const search = list?.querySelector("input[type=text]")
    if (search) searching(event, target, list, search)
  }
  window.addEventListener("keydown", hear, true)
  model.on("remove", () => window.removeEventListener("keydown", hear, true))
}
