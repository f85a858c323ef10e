"""A view at several steps as one page with a slider: every figure inside, plotly.js too, and no request to anywhere."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from miscope.figures.figure_names import plain
from miscope.figures.figure_style import CONFIG

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["scrubber_page"]

_STYLE = """
body { margin: 0; font: 14px system-ui, sans-serif; color: #262626; background: #fff; }
main { max-width: 1100px; margin: 0 auto; padding: 8px 16px; }
#plot { height: min(78vh, 760px); }
form { display: flex; align-items: center; gap: 12px; padding: 8px 0; }
input[type=range] { flex: 1; }
output { min-width: 11em; text-align: right; font-variant-numeric: tabular-nums; }
button { min-width: 5em; padding: 4px 10px; font: inherit; }
"""

_SCRIPT = """
const {frames, labels, template, config} = JSON.parse(document.getElementById("frames").textContent)
const plot = document.getElementById("plot"), slider = document.getElementById("step")
const label = document.getElementById("label"), play = document.getElementById("play")
let timer = null
async function show(number) {
  const {data, layout} = frames[number]
  slider.value = number
  label.textContent = labels[number]
  slider.setAttribute("aria-valuetext", labels[number])
  await Plotly.react(plot, data, {...layout, template, autosize: true}, config)
  document.body.dataset.shown = number
}
function rest() {
  clearInterval(timer)
  timer = null
  play.textContent = "Play"
}
slider.addEventListener("input", () => { rest(); show(Number(slider.value)) })
play.addEventListener("click", () => {
  if (timer !== null) return rest()
  play.textContent = "Pause"
  if (Number(slider.value) === frames.length - 1) show(0)
  timer = setInterval(() => {
    const next = Number(slider.value) + 1
    if (next === frames.length) return rest()
    show(next)
  }, 250)
})
show(frames.length - 1)
"""


def scrubber_page(figures: Sequence[Figure], labels: Sequence[str]) -> str:
    """The page of figures of one view, whose slider begins at the last; labels: what each is of, 'epoch 1,200'."""
    from plotly.offline import get_plotlyjs

    frames = [json.loads(figure.to_json() or "") for figure in figures]
    template = frames[-1]["layout"].get("template", {})
    for frame in frames:
        frame["layout"].pop("template", None)
        frame["layout"].pop("width", None)
    held = {"frames": frames, "labels": list(labels), "template": template, "config": dict(CONFIG)}
    # Inside a script element nothing may look like its end.
    content = json.dumps(held, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    title = html.escape(plain(frames[-1]["layout"].get("title", {}).get("text")))
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>{_STYLE}</style></head>
<body><main>
<div id="plot"></div>
<form onsubmit="return false"><button id="play" type="button">Play</button>
<input id="step" type="range" min="0" max="{len(frames) - 1}" value="{len(frames) - 1}" aria-label="step">
<output id="label" for="step"></output></form>
</main>
<script type="application/json" id="frames">{content}</script>
<script>{get_plotlyjs()}</script>
<script>{_SCRIPT}</script>
</body></html>
"""
