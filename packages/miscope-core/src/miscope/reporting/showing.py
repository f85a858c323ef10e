"""The figures of a report, each with the lines that draw it again."""

from __future__ import annotations

import base64
import io
import shlex
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

from miscope.analysis.analyzer_options import written_options
from miscope.analyzer import Grain
from miscope.commands import in_workspace
from miscope.figures.availability import gather_before
from miscope.figures.compare import compare
from miscope.figures.comparing.how_compared import HowCompared
from miscope.figures.comparing.in_python import compared_in_python
from miscope.figures.controls import refuse_unknown
from miscope.figures.export import Exporter
from miscope.figures.render import draw
from miscope.reporting.chosen_views import Wanted
from miscope.reporting.content import Missing, ShownView
from miscope.reporting.contributed import attempted
from miscope.workspace import Workspace

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["HEIGHT", "WIDTH", "Picture", "shown_views"]

Picture = Literal["png", "svg"]

WIDTH, HEIGHT = 760, 440
"""CSS pixels of a picture, and its height where the view gives none."""

_SCALE = 1.5
"""Pixels of a PNG per CSS pixel."""

_TYPES = {"png": "image/png", "svg": "image/svg+xml"}


def shown_views(
    workspace: Workspace, wanted: Sequence[Wanted], picture: Picture | None
) -> Iterator[ShownView | Missing]:
    """Every figure that can be drawn, numbered from 1, and what is to be said of the others.

    picture: drawn as one too, by a Chromium. Raises NoBrowser where there is none.
    """
    number = 1
    with Exporter() as exporter, TemporaryDirectory() as folder:
        for each in wanted:
            shown = attempted(each.view.name, each.of, partial(_shown, workspace, each, number))
            if isinstance(shown, Missing):
                yield shown
                continue
            image = "" if picture is None else _image(exporter, shown.figure, Path(folder) / f"figure.{picture}")
            number += 1
            yield ShownView(**{**vars(shown), "image": image})


def _shown(workspace: Workspace, wanted: Wanted, number: int) -> ShownView:
    if wanted.compared is not None:
        return _put_together(workspace, wanted, wanted.compared, number)
    refuse_unknown(wanted.view, wanted.controls)
    steps = workspace.store.finite_steps(wanted.variants[0].name)
    last = steps[-1] if steps and wanted.view.grain is Grain.CHECKPOINT else None
    at = wanted.step if last is not None and wanted.step is not None else last
    data = gather_before(workspace, wanted.view, wanted.variants, at, wanted.options)
    return ShownView(
        number=number,
        view=wanted.view.name,
        title=wanted.title or wanted.view.title,
        of=wanted.of,
        summary=wanted.view.summary,
        python=_in_python(wanted, data.step),
        command=in_workspace(workspace.root, _in_shell(wanted, data.step)),
        figure=_fitted(draw(wanted.view, data, wanted.controls)),
    )


def _put_together(workspace: Workspace, wanted: Wanted, how: HowCompared, number: int) -> ShownView:
    shown = {"step": wanted.step, "options": wanted.options, "controls": wanted.controls}
    figures = compare(workspace, wanted.view, wanted.variants, how, **shown)
    names = [variant.name for variant in wanted.variants]
    asked = {"step": wanted.step, **wanted.controls}
    python = compared_in_python(wanted.view.name, names, how, asked, wanted.options)
    return ShownView(
        number=number,
        view=wanted.view.name,
        title=wanted.title or wanted.view.title,
        of=wanted.of,
        summary=wanted.view.summary,
        python=python,
        command=python,
        figure=_fitted(figures[how.place]),
    )


def _fitted(figure: Figure) -> Figure:
    layout: Any = figure.layout
    layout.width, layout.height = None, layout.height or HEIGHT
    return figure


def _image(exporter: Exporter, figure: Figure, path: Path) -> str:
    kind = path.suffix.removeprefix(".")
    content = exporter.export(figure, path, width=WIDTH, scale=_SCALE).read_bytes()
    content = _smaller(content) if kind == "png" else content
    return f"data:{_TYPES[kind]};base64,{base64.b64encode(content).decode()}"


def _smaller(png: bytes) -> bytes:
    """The picture in 256 colours, a third of the size; as it is where Pillow is not installed."""
    try:
        from PIL import Image
    except ImportError:
        return png
    with Image.open(io.BytesIO(png)) as image, io.BytesIO() as file:
        image.convert("RGB").quantize(256).save(file, format="PNG", optimize=True)
        return file.getvalue()


def _in_python(wanted: Wanted, step: int | None) -> str:
    controls = "".join(f", {name}={value!r}" for name, value in wanted.controls.items())
    options = {name: dict(values) for name, values in wanted.options.items()}
    controls = f", options={options!r}{controls}" if options else controls
    found = [f"workspace.find({variant.name!r})" for variant in wanted.variants]
    if wanted.view.grain is Grain.COHORT:
        members = "".join(f"    {each},\n" for each in found)
        return f"variants = [\n{members}]\nworkspace.view({wanted.view.name!r}, variants{controls})"
    at = "" if step is None else f".at({step})"
    return f"{found[0]}{at}.view({wanted.view.name!r}{controls})"


def _in_shell(wanted: Wanted, step: int | None) -> str:
    words = ["miscope", "show", wanted.view.name, *(variant.name for variant in wanted.variants)]
    words += [] if step is None else ["--step", str(step)]
    words += [word for name, value in wanted.controls.items() for word in ("-o", f"{name}={value}")]
    words += [word for option in written_options(wanted.options) for word in ("-o", option)]
    return shlex.join([*words, "--out", f"{wanted.view.name}.png"])
