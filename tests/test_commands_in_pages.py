"""Every `miscope ...` line of the documentation is one that the command line takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from miscope.cli.app import application

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
BLOCK = re.compile(r"^```\n(.*?)^```", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"`(miscope(?: [^`]+)?)`")


def lines_of(page: str) -> Iterator[str]:
    """Commands in blocks, without what is said of them, and in running text."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for block in BLOCK.findall(text):
        yield from (re.split(r"\s{3,}|\s+#", line)[0] for line in block.splitlines() if line.startswith("miscope "))
    for span in SPAN.findall(re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)):
        yield " ".join(span.split("|")[0].split())


@pytest.mark.parametrize("page", [page for page in PAGES if any(lines_of(page))])
def test_the_command_line_takes_what_a_page_says(page: str) -> None:
    cli: Any = typer.main.get_command(application())
    for line in lines_of(page):
        words = ["1" if word == "N" else word for word in shlex.split(line)[1:] if word != "..."]
        while words[:1] and words[0].startswith("-"):
            words = words[2:] if words[0] == "-w" else words[1:]
        if not words:
            continue
        name, *words = words
        command = cli.get_command(cli.make_context("miscope", ["plugins"]), name)
        assert command is not None, line
        if words:  # a command's name alone is no line to type
            command.make_context(name, words)
