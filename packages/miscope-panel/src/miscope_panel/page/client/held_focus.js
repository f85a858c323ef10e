// What is drawn anew keeps the keys: on what is called the same but for numbers, or stands where that stood.
const KEYED_PARTS = "button, a[href], input, select, textarea, summary, [tabindex]"

const holding_focus = (within, draw, otherwise = () => null) => {
  const root = within.getRootNode()
  const held = root.activeElement
  if (!held || !within.contains(held)) return draw()
  const parts = () => [...within.querySelectorAll(KEYED_PARTS)].filter((each) => !each.disabled)
  const called = (each) => (each.getAttribute("aria-label") || each.textContent).replace(/\s*[\d.,()]+/g, "")
  const [at, name] = [parts().indexOf(held), called(held)]
  draw()
  if (root.activeElement && within.contains(root.activeElement)) return
  const now = parts()
  const next = held.isConnected && !held.disabled ? held : now.find((each) => called(each) === name) ?? now[Math.min(at, now.length - 1)] ?? otherwise()
  next?.focus({preventScroll: true})
}
