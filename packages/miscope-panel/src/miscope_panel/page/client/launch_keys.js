// Keys of the form: Ctrl+Enter starts from wherever one is in it; up and down go from one heading to the next.
const launch_keys = (form, start) => {
  const headings = () => [...form.querySelectorAll("summary")].filter((each) => each.checkVisibility())
  form.addEventListener("keydown", (event) => {
    const [all, by] = [headings(), {ArrowUp: -1, ArrowDown: 1}[event.key]]
    const at = all.indexOf(event.target)
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      // What is being typed is said as the field is left.
      start.focus()
      start.click()
    } else if (by && at >= 0) all[Math.min(Math.max(at + by, 0), all.length - 1)].focus()
    else return
    event.preventDefault()
  })
}
