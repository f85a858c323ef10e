"""A report in a real browser: it draws its figures, and asks nobody for anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from miscope.bound import open_bound

pytestmark = pytest.mark.browser
REFERENCE = re.compile(r"<[^>]*\s(?:src|href|action|data)\s*=\s*[\"']?(?!data:|#)[^\"'>\s]+", flags=re.IGNORECASE)


def test_a_report_draws_its_figures_and_asks_the_network_for_nothing(chromium, tmp_path: Path):
    variant = open_bound(tmp_path / "ws").variant("toys.parity", bits=5, degree=2, examples=20, width=8, steps=20)
    list(variant.train(threads=1))
    variant.analyze("events.grokking", "behaviour.metrics", "parameters.trajectory")
    page = variant.report(tmp_path / "report.html")
    text = page.read_text(encoding="utf-8")
    without_scripts = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    assert REFERENCE.findall(without_scripts) == []
    assert "http://" not in without_scripts
    assert "https://" not in without_scripts
    context = chromium.new_context(viewport={"width": 1000, "height": 800}, color_scheme="light")
    tab = context.new_page()
    asked, wrong = [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    tab.goto(page.as_uri())
    plots = tab.locator(".plot").count()
    assert plots == text.count('class="plot"') > 0
    tab.wait_for_function(f"document.querySelectorAll('.plot[data-drawn]').length === {plots}")
    assert tab.locator(".plot .main-svg").count() >= plots
    context.close()
    assert (asked, wrong) == ([page.as_uri()], [])
