// Of many alike one is on the way of Tab, the one that had the keys last; arrows go on from there. Who pressed one with
// the pointer keeps the arrows for the page.
const one_stop = (within, parts, [back, on] = ["ArrowUp", "ArrowDown"]) => {
  const all = () => [...within.querySelectorAll(parts)]
  const seen = () => all().filter((each) => !each.disabled && each.checkVisibility())
  // What is drawn anew is known by what it is of, or by its words but for numbers.
  const called = (each) => Object.values(each.dataset).join() || each.textContent.replace(/[\d.,]+/g, "")
  let last = ""
  const settle = () => {
    const now = seen()
    const one = now.find((each) => called(each) === last) ?? now[0]
    for (const each of all()) each.tabIndex = each === one ? 0 : -1
  }
  within.addEventListener("focusin", (event) => {
    if (!event.target.matches(parts)) return
    last = called(event.target)
    settle()
  })
  within.addEventListener("keydown", (event) => {
    const by = {[back]: -1, [on]: 1}[event.key]
    const now = seen()
    const at = now.indexOf(event.target)
    if (!by || at < 0 || !event.target.matches(":focus-visible") || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    event.stopPropagation()
    now[Math.min(Math.max(at + by, 0), now.length - 1)].focus()
  })
  // What is folded, in a closed part, is none of those that are seen.
  within.addEventListener("toggle", settle, true)
  return settle
}
