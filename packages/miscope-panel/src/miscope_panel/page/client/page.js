// What every component of the page shares while it is open.
// waiting: the cards in sight whose picture is on its way or being drawn.
const miscope = (window.miscope ??= {step: null, dark: false, charts: null, selected: {}, waiting: new Set()})
const page = hub_on(window, miscope)
const {announce, listen} = page
