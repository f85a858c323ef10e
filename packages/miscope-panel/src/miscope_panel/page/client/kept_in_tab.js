// What only this tab knows, over a load of the page: what was typed and not sent, what had the keys, how far it was
// scrolled, and what pages had kept here. It is put back once, where it stood.
const KEPT = "miscope.kept"
const TEXT = "input:not([type]), input[type=text], input[type=search], input[type=number], textarea"
const KEYED = `${TEXT}, select, button, a[href], [tabindex]`
const LOOK = 100
const MOST_LOOKS = 600
const SETTLED = 20
const MOST_PUTS = 3
const ACTS = ["pointerdown", "keydown"]

function* all_in(root) {
  for (const each of root.querySelectorAll("*")) {
    yield each
    if (each.shadowRoot) yield* all_in(each.shadowRoot)
  }
}
const words_of = (element) => element.getAttribute("aria-label") || element.labels?.[0]?.textContent || element.placeholder
  || (element.matches(TEXT) ? "" : element.textContent.trim().slice(0, 60))
// By what is said of it and of what it lies in: there is nothing else that is the same on the next page.
const name_of = (element) => {
  const names = [element.localName, words_of(element)]
  for (let at = element.parentNode ?? element.host; at; at = at.parentNode ?? at.host)
    if (at instanceof Element) names.push(at.dataset.field ?? at.dataset.run ?? at.getAttribute("aria-label"))
  return names.filter(Boolean).join(" < ")
}
const scrolled_most = (wanted) => {
  let [most, room] = [null, 0]
  for (const each of all_in(document.body)) {
    if (each.matches(TEXT) || each.scrollHeight <= each.clientHeight || !wanted(each)) continue
    if (each.scrollHeight - each.clientHeight > room) [most, room] = [each, each.scrollHeight - each.clientHeight]
  }
  return most
}

function put_text(field, text, stays) {
  // The setter of the class: a framework that watches the field's own would take the text for one that it knows.
  const kind = field.localName === "textarea" ? HTMLTextAreaElement : HTMLInputElement
  Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(field, text)
  field.dispatchEvent(new Event("input", {bubbles: true, composed: true}))
  if (!stays)
    setTimeout(() => {
      field.dispatchEvent(new Event("change", {bubbles: true}))
      for (const name of ["blur", "focusout"]) field.dispatchEvent(new FocusEvent(name, {bubbles: name === "focusout", composed: true}))
    }, LOOK)
}

const kept_in_tab = (model) => {
  const typed = new Set()
  let waiting = []
  let held = null
  let scrolled = 0

  const read = () => {
    try {
      const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null")
      sessionStorage.removeItem(KEPT)
      return kept?.address === location.href ? kept : null
    } catch {
      return null
    }
  }
  const keep = () => {
    const focus = in_hand()
    const texts = [...typed].filter((field) => field.isConnected).map((field) => ({name: name_of(field), text: field.value}))
    const scroller = scrolled_most((each) => each.scrollTop > 0)
    const kept = {address: location.href, memory: model.kept, scrolled: scroller?.scrollTop ?? scrolled,
      texts: [...waiting.filter(({name}) => !texts.some((each) => each.name === name)).map(({name, text}) => ({name, text})), ...texts],
      held: focus ? {name: name_of(focus), caret: focus.matches(TEXT) ? focus.selectionStart : null} : held && {name: held.name, caret: held.caret}}
    try {
      sessionStorage.setItem(KEPT, JSON.stringify(kept))
    } catch {
      // A browser that keeps nothing loads the page as its address has it.
    }
  }

  function put_back() {
    const named = new Map()
    for (const each of all_in(document.body)) if (each.matches(KEYED) && !each.disabled && !named.has(name_of(each))) named.set(name_of(each), each)
    for (const each of waiting) {
      const field = named.get(each.name)
      if (!field) continue
      if (field.value === each.text) each.there = (each.there ?? 0) + 1
      else if ((each.puts = (each.puts ?? 0) + 1) <= MOST_PUTS) put_text(field, each.text, held?.name === each.name)
    }
    waiting = waiting.filter((each) => (each.there ?? 0) < SETTLED && (each.puts ?? 0) <= MOST_PUTS)
    const element = held && named.get(held.name)
    if (element && element === in_hand()) {
      if ((held.there = (held.there ?? 0) + 1) >= SETTLED) held = null
    } else if (element) {
      // Again where the page took the keys elsewhere while it was built; whoever acts has them (see `act`).
      held.there = 0
      element.focus({preventScroll: true})
      if (held.caret != null && element.matches(TEXT) && element.type !== "number") element.setSelectionRange(held.caret, held.caret)
    }
    const scroller = scrolled ? scrolled_most((each) => each.scrollHeight - each.clientHeight >= scrolled && getComputedStyle(each).overflowY !== "visible") : null
    if (scroller) {
      scroller.scrollTop = scrolled
      scrolled = 0
    }
  }

  const type = (event) => {
    const field = event.composedPath()[0]
    if (!(field instanceof Element) || !field.matches(TEXT)) return
    typed.add(field)
    // Whoever types there now has the last word.
    if (event.isTrusted) waiting = waiting.filter(({name}) => name !== name_of(field))
  }
  // Whoever presses something has seen what was put back, and what comes of it is theirs: a field that it clears stays
  // empty, and the keys stay where it takes them.
  const act = (event) => {
    if (!event.isTrusted) return
    held = null
    if (event.type !== "keydown" || !event.composedPath()[0].matches?.(TEXT)) waiting = waiting.filter(({puts}) => !puts)
  }
  const rest = () => (scrolled = 0)
  const page_shown = () => new URLSearchParams(location.search).get("page") ?? ""
  const kept = read()
  window.addEventListener("input", type, true)
  for (const name of ACTS) window.addEventListener(name, act, true)
  window.addEventListener("wheel", rest, {passive: true})
  if (kept) {
    ({texts: waiting, held, scrolled} = kept)
    model.send_msg({kept: kept.memory})
    let where
    let looks = 0
    const timer = setInterval(() => {
      // Another page has other fields under the same names. By the first look the address is written as it always is.
      if (page_shown() !== (where ??= page_shown())) [waiting, held, scrolled] = [[], null, 0]
      put_back()
      if ((looks += 1) >= MOST_LOOKS || !(waiting.length || held || scrolled)) clearInterval(timer)
    }, LOOK)
    model.on("remove", () => clearInterval(timer))
  }
  model.on("remove", () => {
    window.removeEventListener("input", type, true)
    for (const name of ACTS) window.removeEventListener(name, act, true)
    window.removeEventListener("wheel", rest)
  })
  return keep
}
