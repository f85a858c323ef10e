"""Everything that is installed as entries of a catalogue: lenses, views, instruments, families, events of training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, final

from miscope.field_docs import field_docs
from miscope.figures.finding import (
    Findable,
    Kind,
    findable_analyzer,
    findable_family,
    findable_lens,
    findable_view,
)
from miscope.figures.render import EVENTS
from miscope.maths.dated_events import long_name
from miscope.maths.learnt import DATED
from miscope_panel.shown.about import AboutSection, Line, asked_of
from miscope_panel.shown.formula import readable

if TYPE_CHECKING:
    from miscope.analyzer import Analyzer
    from miscope.family import Family
    from miscope.lens import Lens
    from miscope.plugins.plugins import Plugins
    from miscope.view import View

__all__ = ["KINDS", "Entry", "Known", "entries", "findables", "sections_about"]

KINDS: Mapping[Kind, str] = {
    "lens": "Lenses",
    "view": "Views",
    "analyzer": "Analyzers",
    "family": "Families",
    "event": "Events",
}
"""In the order of the page."""


@final
@dataclass(frozen=True, kw_only=True)
class Known:
    """What there is to list."""

    plugins: Plugins
    lenses: Mapping[str, Lens]
    """Those of packages and of the workspace, and those of one neuron, one head."""


@final
@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the catalogue."""

    kind: Kind
    name: str
    title: str
    """'' where the name is all there is."""
    line: str
    """What it asks, or what it is."""
    grain: str = ""
    package: str = ""
    """'' for a file of the workspace."""

    @property
    def key(self) -> str:
        """'view:spectra.embedding'."""
        return f"{self.kind}:{self.name}"


def entries(known: Known) -> tuple[Entry, ...]:
    """All of them, by kind and within it by name."""
    plugins = known.plugins
    return (
        *(_of_lens(plugins, name, lens) for name, lens in known.lenses.items()),
        *(_of_view(plugins, view) for _, view in sorted(plugins.views.items())),
        *(_of_analyzer(plugins, analyzer) for _, analyzer in sorted(plugins.analyzers.items())),
        *(_of_family(plugins, family) for _, family in sorted(plugins.families.items())),
        *(
            Entry(kind="event", name=name, title=long_name(name), line=text, package="")
            for name, text in _events(plugins)
        ),
    )


def findables(known: Known) -> list[Findable]:
    """The same, as words find them."""
    plugins = known.plugins
    return [
        *(findable_lens(lens) for lens in known.lenses.values()),
        *(findable_view(plugins, view) for view in plugins.views.values()),
        *(findable_analyzer(analyzer) for analyzer in plugins.analyzers.values()),
        *(findable_family(family) for family in plugins.families.values()),
        *(
            Findable(kind="event", name=name, texts=(("name", name), ("title", long_name(name)), ("definition", text)))
            for name, text in _events(plugins)
        ),
    ]


def sections_about(known: Known, kind: str, name: str) -> tuple[AboutSection, ...]:
    """All that its record says of one of them; () where there is none of that name."""
    plugins = known.plugins
    if kind == "lens" and name in known.lenses:
        return tuple(_sections_of_lens(plugins, known.lenses[name]))
    if kind == "view" and name in plugins.views:
        return (_turned(plugins.views[name]), *asked_of(plugins, plugins.views[name]))
    if kind == "analyzer" and name in plugins.analyzers:
        return tuple(_sections_of_analyzer(plugins.analyzers[name]))
    if kind == "family" and name in plugins.families:
        return (_parameters(plugins.families[name]),)
    if kind == "event":
        return tuple(
            AboutSection(
                title="When it is", lines=(Line(label="In words", text=text), Line(label="Found by", text=EVENTS))
            )
            for event, text in _events(plugins)
            if event == name
        )
    return ()


def _of_lens(plugins: Plugins, name: str, lens: Lens) -> Entry:
    package = plugins.provided_by.get(("lens", name)) if plugins.lenses.get(name) is lens else None
    return Entry(
        kind="lens", name=name, title=lens.title, line=lens.summary, package=package.package if package else ""
    )


def _of_view(plugins: Plugins, view: View) -> Entry:
    package = plugins.provided_by["view", view.name].package
    return Entry(
        kind="view", name=view.name, title=view.title, line=view.summary, grain=str(view.grain), package=package
    )


def _of_analyzer(plugins: Plugins, analyzer: Analyzer) -> Entry:
    package, line = plugins.provided_by["analyzer", analyzer.name].package, analyzer.question or analyzer.summary
    return Entry(kind="analyzer", name=analyzer.name, title="", line=line, grain=str(analyzer.grain), package=package)


def _of_family(plugins: Plugins, family: Family) -> Entry:
    package = plugins.provided_by["family", family.name].package
    return Entry(kind="family", name=family.name, title=family.title, line="", package=package)


def _events(plugins: Plugins) -> Iterator[tuple[str, str]]:
    """The events that a training is dated by, and how each is defined; none where no detector is installed."""
    detector = plugins.analyzers.get(EVENTS)
    said = {} if detector is None else {name: text for names, text in detector.outputs.items() for name in _each(names)}
    for name in DATED:
        if name in said:
            yield name, said[name].removeprefix("() ")


def _each(names: str) -> Iterator[str]:
    """'{onset,half}_ci' is 'onset_ci' and 'half_ci'."""
    parts = [part.split(",") for part in names.replace("{", "\0").replace("}", "\0").split("\0")]
    return ("".join(chosen) for chosen in product(*parts))


def _sections_of_lens(plugins: Plugins, lens: Lens) -> Iterator[AboutSection]:
    for section in lens.sections:
        lines = []
        for shown in section.views:
            view = plugins.views.get(shown.view)
            title = shown.title or (view.title if view else "is not installed")
            lines.append(Line(label=shown.view, text=title))
        yield AboutSection(title=section.title, lines=tuple(lines))


def _turned(view: View) -> AboutSection:
    labels = [control.label or control.name.replace("_", " ") for control in view.all_controls]
    lines = [Line(label="In short", text=view.summary), Line(label="Grain", text=str(view.grain))]
    lines += [Line(label="Can be turned", text=", ".join(labels))] if labels else []
    lines += [Line(label="Also called", text=", ".join(view.synonyms))] if view.synonyms else []
    return AboutSection(title="What it shows", lines=tuple(lines))


def _sections_of_analyzer(analyzer: Analyzer) -> Iterator[AboutSection]:
    lines = (
        Line(label="Question", text=analyzer.question),
        Line(label="In short", text=analyzer.summary),
        Line(label="Formula", text=readable(analyzer.formula), code=True),
        Line(label="Source", text=analyzer.source),
        Line(label="Also called", text=", ".join(analyzer.synonyms)),
        Line(label="Grain", text=f"{analyzer.grain}, version {analyzer.version}"),
        Line(label="Reads", text=", ".join(analyzer.needs.reads)),
        Line(label="Takes long", text="computed when asked for by name" if analyzer.opt_in else ""),
        Line(label="Changes under", text=", ".join(analyzer.not_invariant_to)),
    )
    yield AboutSection(title="What it computes", lines=tuple(line for line in lines if line.text))
    yield from _tabled("Outputs", analyzer.outputs)
    yield from _tabled("Options", {name: _default(analyzer.options, name) for name in analyzer.options.model_fields})


def _parameters(family: Family) -> AboutSection:
    lines = [Line(label=name, text=_default(family.params, name)) for name in family.params.model_fields]
    return AboutSection(title="Parameters", lines=tuple(lines))


def _default(model: type, name: str) -> str:
    """What is written under a field, and its default."""
    field = model.model_fields[name]  # pyright: ignore[reportAttributeAccessIssue]
    said = field.description or field_docs(model).get(name, "")
    return f"{said} Default: {field.default}." if not field.is_required() else f"{said} Must be given.".strip()


def _tabled(title: str, texts: Mapping[str, str]) -> Sequence[AboutSection]:
    lines = tuple(Line(label=name, text=text) for name, text in texts.items())
    return [AboutSection(title=title, lines=lines)] if lines else []
