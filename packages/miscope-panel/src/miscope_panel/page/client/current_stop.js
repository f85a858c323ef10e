// Tab comes to the button that is chosen among several, whichever of them it had come to before; arrows go on from there.
// panel-material-ui lets it come to the first one until a hand was there.
const GROUP = ".MuiToggleButtonGroup-root"

const groups_in = (root) => [...root.querySelectorAll(":not(svg, svg *)")].flatMap((each) =>
  [...(each.matches(GROUP) ? [each] : []), ...(each.shadowRoot ? groups_in(each.shadowRoot) : [])])

const current_stop = (model) => {
  const settle = (event) => {
    if (event.key !== "Tab") return
    for (const group of groups_in(document)) {
      const [buttons, chosen] = [[...group.querySelectorAll("button")], group.querySelector("[aria-pressed=true]:not(:disabled)")]
      if (!chosen || group.contains(group.getRootNode().activeElement)) continue
      for (const button of buttons) button.tabIndex = button === chosen ? 0 : -1
    }
  }
  window.addEventListener("keydown", settle, true)
  model.on("remove", () => window.removeEventListener("keydown", settle, true))
}
