"""What a study's file may say, key by key, and what is said of a file that says something else."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from miscope.field_docs import documented, field_docs
from miscope.field_text import why_refused
from miscope.studies.bad_study import BadStudy
from miscope.studies.document import Document

__all__ = ["TEMPLATE", "StudyAnalysis", "StudyFields", "StudyTraining", "study_fields"]

_Fields = Annotated[Mapping[str, JsonValue], Field(min_length=1)]
_Values = Annotated[tuple[JsonValue, ...], Field(min_length=1)]
_Axes = Annotated[Mapping[str, _Values], Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


@final
@documented
class StudyTraining(_Part):
    """How the runs of a study are trained, beside what their fields say."""

    steps: Annotated[int, Field(ge=0)] | None = None
    """How many updates; None for what the runs' own fields, or their family, say."""
    device: str = "auto"
    """'cpu', 'cuda', 'mps', or the fastest there is."""
    threads: Annotated[int, Field(ge=1)] | None = None
    """Of the CPU; 1 makes runs repeat bit by bit."""
    compile: bool = False
    """Compile the forward pass, where that works."""
    watch: tuple[str, ...] = ()
    """Instruments whose scalars are recorded while it trains: [ranks.weights, 'gradients.energy:200']."""
    log_every: Annotated[int, Field(ge=1)] | None = None
    """Steps from one line of a run's log to the next; None for a line now and then."""
    label: str | None = None
    """Tells the runs' variants from others of the same fields: SLUG@LABEL."""


@final
@documented
class StudyAnalysis(_Part):
    """What is computed of each run once it is trained."""

    analyzers: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Names; all that apply and do not take long, where they are left out."""
    steps: tuple[int, ...] | str | None = None
    """The checkpoints to analyze: a list, or a schedule ('every:1000'); all, where they are left out."""
    options: Mapping[str, Mapping[str, JsonValue]] = {}
    """Values by option, by analyzer: {neurons.clusters: {threshold: 0.8}}."""
    executor: str = "inline"
    """Where it runs: 'inline', 'processes', or a plug-in's."""


@final
@documented
class StudyFields(_Part):
    """A study as it is written. A field is a parameter of the family or a field of its training, by name."""

    name: str = ""
    """The group of its runs; the file's name, where it is left out."""
    description: str = ""
    """What is to be found out."""
    family: str
    """Of all its runs: 'modadd.transformer'."""
    base: Mapping[str, JsonValue] = {}
    """Fields that all runs have, unless they say otherwise."""
    matrix: _Axes = {}
    """Fields with lists of values: a run for each combination, the first key outermost."""
    zip: _Axes = {}
    """Fields with lists of values that go together, first with first; inside of the matrix, where there are both."""
    exclude: Annotated[tuple[_Fields, ...], Field(min_length=1)] = ()
    """Combinations that are left out: those that have all the fields of one of these."""
    include: Annotated[tuple[_Fields, ...], Field(min_length=1)] = ()
    """Further runs, each by the fields in which it differs from the base, and its `name`."""
    run_name: str = ""
    """What a run is called: 'p{prime}_lr{learning_rate:sci}'; as its variant, where it is left out."""
    train: StudyTraining = StudyTraining()
    """How its runs are trained, beside their fields."""
    analyze: StudyAnalysis | None = None
    """What is computed of each run; nothing, where it is left out, and {} for all that applies."""


_EXAMPLES = {
    "name": "name: transformer_sweep",
    "description": "description: does weight decay decide when it groks?",
    "family": "family: modadd.transformer",
    "base": "base: {train_fraction: 0.5, steps: 100000}",
    "matrix": "matrix: {prime: [17, 113], learning_rate: [3e-4, 1e-3]}",
    "zip": "zip: {prime: [17, 113], steps: [20000, 100000]}",
    "exclude": "exclude: [{prime: 17, learning_rate: 1e-3}]",
    "include": "include: [{name: wide, width: 512}]",
    "run_name": "run_name: 'p{prime}_lr{learning_rate:sci}'",
    "train": "train: {threads: 1, device: cpu}",
    "analyze": "analyze: {analyzers: [parameters.norms], steps: 'every:1000'}",
}
_PARTS: Mapping[str, type[_Part]] = {"train": StudyTraining, "analyze": StudyAnalysis}
_SEED_LIST = "experiments"
"""Another word for `include`."""
TEMPLATE = "template"
"""What is kept of a study that is a template; it says nothing of the runs."""


def study_fields(document: Document) -> StudyFields:
    """The fields of this document, `experiments` read as `include`. Raises BadStudy, with the place."""
    values = dict(document.values)
    if _SEED_LIST in values:
        if "include" in values:
            place, known = document.place(_SEED_LIST), "Both are lists of further runs."
            raise BadStudy(str(place), "There are `include` and `experiments`.", known, "Make them one list.")
        values["include"] = values.pop(_SEED_LIST)
    values.pop(TEMPLATE, None)
    values.setdefault("name", Path(document.file).stem)
    try:
        return StudyFields.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise _refused(first, document, in_seed_list=_SEED_LIST in document.values) from None


_REASONS = {
    "too_short": "there is nothing in it",
    "dict_type": "it is no mapping",
    "model_type": "it is no mapping",
    "tuple_type": "it is no list",
    "string_type": "it is no text",
}
"""What pydantic's words for a kind of value are in YAML's."""


def _refused(first: Any, document: Document, *, in_seed_list: bool) -> BadStudy:
    """What the first thing refused is, where it stands, and how the key is written."""
    path = first["loc"]
    key = str(path[0])
    written = (_SEED_LIST, *path[1:]) if in_seed_list and key == "include" else path
    place = str(document.place(*written))
    if first["type"] == "extra_forbidden":
        return _unknown_key(place, path)
    if first["type"] == "missing":
        known = "A study is of one family of models, and all its runs with it."
        return BadStudy(place, f"It says no {key!r}.", known, "`miscope families` lists them:  family: NAME")
    what = ".".join(map(str, written))
    reason = _REASONS.get(first["type"]) or why_refused(first)
    known = f"{key!r}: {field_docs(StudyFields)[key]}"
    return BadStudy(place, f"{what} is not as a study has it: {reason}.", known, f"Write it so:  {_EXAMPLES[key]}")


def _unknown_key(place: str, path: Sequence[str | int]) -> BadStudy:
    model = _PARTS.get(str(path[0]), StudyFields) if len(path) > 1 else StudyFields
    name, known = str(path[-1]), list(model.model_fields)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    inside = f"`{path[0]}`" if len(path) > 1 else "a study"
    listing = f"The keys of {inside} are: {', '.join(known)}."
    hint = f"Did you mean {close[0]!r}?" if close else "None of them is spelt like it."
    return BadStudy(place, f"There is no key {name!r} in {inside}.", hint, listing)
