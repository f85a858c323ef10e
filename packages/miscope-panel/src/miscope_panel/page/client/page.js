// What every component of the page shares while it is open.
// between: the range of steps that all axes over training show, as the address has it. pointed: where one is pointed at.
// playing: whether its cursor goes from step to step by itself.
// waiting: the cards in sight whose picture is on its way or being drawn.
const miscope = (window.miscope ??= {step: null, playing: false, dark: false, charts: null, selected: {}, waiting: new Set(), between: "",
  pointed: null})
const page = hub_on(window, miscope)
const {announce, listen} = page

// Cards whose pictures come at about the same time are drawn at once: the browser lays the page out and paints it for each
// time that it is left alone. It is waited for as long as pictures are on their way, and no longer than this.
const TOGETHER = 20
// The cards in sight whose picture is on its way.
miscope.late ??= new Set()
const together = () => {
  if (!miscope.together) {
    const round = (miscope.together = {})
    round.all = new Promise((done) => (round.begin = done))
    setTimeout(round.begin, TOGETHER)
    round.all.then(() => {
      miscope.together = null
      announce("drawing")
    })
  }
  if (!miscope.late.size) miscope.together.begin()
  return miscope.together.all
}
const begin_unless_late = () => miscope.late.size || miscope.together?.begin()

// What has the keys, however deep it lies in components; null where nothing has.
const in_hand = () => {
  let held = document.activeElement
  while (held?.shadowRoot?.activeElement) held = held.shadowRoot.activeElement
  return held === document.body ? null : held
}

// Whether a button may be pressed. One that is disabled loses the keys, maybe to one that does something else; of such a
// one a press does nothing, and says why in its title.
const allow = (button, can) => {
  button.setAttribute("aria-disabled", String(!can))
  return button
}
const allowed = (button) => button.ariaDisabled !== "true"
const when_allowed = (action) => (event) => allowed(event.currentTarget) && action()
