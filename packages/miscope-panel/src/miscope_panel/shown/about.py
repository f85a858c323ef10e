"""What there is to know of a card: what its view asks, by which formula, after whom, and whence its numbers come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, final

from miscope.analyzer import Grain
from miscope.errors import MiscopeError
from miscope.figures.provenance import ArtifactOrigin, Provenance, provenance
from miscope.view import View
from miscope_panel.shown.computed_options import options_given
from miscope_panel.shown.formula import readable

if TYPE_CHECKING:
    from miscope.plugins.plugins import Plugins
    from miscope.workspace import Workspace
    from miscope_panel.shown.picture import Request

__all__ = ["AboutSection", "Line", "about", "as_text", "asked_of", "told", "untold"]


@final
@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing that is said."""

    label: str
    """Never empty: it names the text for one who hears the page."""
    text: str
    code: bool = False
    """Whether it is a formula or a name."""


@final
@dataclass(frozen=True, kw_only=True)
class AboutSection:
    """Lines under a heading."""

    title: str
    lines: tuple[Line, ...]


def about(workspace: Workspace, request: Request) -> tuple[AboutSection, ...]:
    """All of it, read from records and ledgers. Never raises: what cannot be read is said in its place."""
    try:
        view = workspace.plugins.view(request.view)
        names = [request.variant, *(request.compared if view.grain is Grain.COHORT else ())]
        variants = [workspace.find(name) for name in dict.fromkeys(names)]
        options = options_given(workspace, request.controls)
        found = provenance(workspace, view, variants, request.step, options)
    except MiscopeError as error:
        return (_unsaid(str(error)),)
    sections = (_shown(workspace.plugins, view), *asked_of(workspace.plugins, view), *_made(found))
    return tuple(section for section in sections if section.lines)


def told(workspace: Workspace, title: str, request: Request) -> dict[str, Any]:
    """The same as a card takes it: sections with lines, and text to be copied."""
    sections = about(workspace, request)
    return _for_card(title, sections)


def untold(title: str, why: str) -> dict[str, Any]:
    """In place of that, where reading it failed."""
    return _for_card(title, (_unsaid(why),))


def _for_card(title: str, sections: Sequence[AboutSection]) -> dict[str, Any]:
    return {"sections": [asdict(section) for section in sections], "text": as_text(title, sections)}


def _unsaid(why: str) -> AboutSection:
    return AboutSection(title="It cannot be said", lines=(Line(label="Why", text=why),))


def as_text(title: str, sections: Sequence[AboutSection]) -> str:
    """To be copied."""
    blocks = [title]
    for section in sections:
        lines = [f"  {line.label}: {line.text}" for line in section.lines]
        blocks.append("\n".join([section.title, *lines]))
    return "\n\n".join(blocks) + "\n"


def _shown(plugins: Plugins, view: View) -> AboutSection:
    provider, needs = plugins.provided_by["view", view.name], view.needs
    looked_at = {"metrics": needs.metrics, "sites": needs.sites, "weights": needs.weights}
    lines = (
        Line(label="In short", text=view.summary),
        Line(label="View", text=f"{view.name}, from {provider.package} {provider.version}"),
        *(Line(label=f"Reads {what}", text=", ".join(names), code=True) for what, names in looked_at.items() if names),
    )
    return AboutSection(title="What it shows", lines=tuple(line for line in lines if line.text))


def asked_of(plugins: Plugins, view: View) -> Iterator[AboutSection]:
    """Question, formula and source of each instrument that the view shows."""
    for name in dict.fromkeys(view.needs.artifacts):
        analyzer = plugins.analyzers.get(name)
        if analyzer is None:
            yield AboutSection(title=name, lines=(Line(label="Missing", text="This analyzer is not installed."),))
            continue
        lines = (
            Line(label="Question", text=analyzer.question),
            Line(label="Formula", text=readable(analyzer.formula), code=True),
            Line(label="Source", text=analyzer.source),
            Line(label="Changes under", text=", ".join(analyzer.not_invariant_to)),
        )
        yield AboutSection(title=name, lines=tuple(line for line in lines if line.text))


def _made(found: Provenance) -> Iterator[AboutSection]:
    for artifact in found.artifacts:
        yield AboutSection(title=f"Numbers of {artifact.analyzer}", lines=tuple(_origin(artifact, found)))
    for trained in found.trained:
        facts = ", ".join(f"{name} {value}" for name, value in trained.facts.items())
        lines = [Line(label="Variant", text=trained.variant), Line(label="Digest", text=trained.digest, code=True)]
        lines += [Line(label="Made with", text=facts)] if facts else []
        yield AboutSection(title="Weights", lines=tuple(lines))


def _origin(artifact: ArtifactOrigin, found: Provenance) -> Iterator[Line]:
    if len(found.trained) > 1 and not artifact.variant.startswith("cohort/"):
        yield Line(label="Of", text=artifact.variant)
    yield Line(label="Analyzer", text=f"{artifact.analyzer}, version {artifact.version}, from {artifact.package}")
    yield Line(label="Recipe", text=artifact.recipe, code=True)
    yield Line(label="Inputs", text="none" if artifact.probe == "-" else artifact.probe, code=artifact.probe != "-")
    yield Line(label="Options", text=", ".join(artifact.options) or "the defaults")
    if artifact.step is not None:
        yield Line(label="Step", text=f"{artifact.step:,}")
    yield Line(label="Computed", text=_when(artifact))


def _when(artifact: ArtifactOrigin) -> str:
    if not artifact.there:
        return "not yet"
    if artifact.computed is None:
        return "elsewhere: no run of this workspace has it"
    known = {
        "miscope": artifact.miscope,
        "Python": artifact.python,
        "on": artifact.host,
        "run": artifact.run,
    }
    return ", ".join([f"{artifact.computed:%Y-%m-%d %H:%M} UTC", *(f"{w} {v}" for w, v in known.items() if v)])
