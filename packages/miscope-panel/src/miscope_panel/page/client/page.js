// What every component of the page shares while it is open.
const miscope = (window.miscope ??= {step: null, dark: false, charts: null})
const page = hub_on(window, miscope)
const {announce, listen} = page
