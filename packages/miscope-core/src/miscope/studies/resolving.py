"""A study's file becomes a study: every run with all its settings, checked before any of them begins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from miscope.analysis.analyzer_options import options_apart, options_asked
from miscope.analyze_request import AnalyzeRequest
from miscope.checking import check_analysis, check_watch
from miscope.errors import BadValue, MiscopeError
from miscope.settings import settings_of
from miscope.studies.bad_study import BadStudy
from miscope.studies.document import Document
from miscope.studies.experiments import Experiment, experiments, written_fields
from miscope.studies.extending import read_study_file
from miscope.studies.run_names import checked_format, formatted
from miscope.studies.study import Study, StudyRun
from miscope.studies.study_fields import StudyAnalysis, StudyFields, study_fields
from miscope.train_options import TrainOptions, check_steps
from miscope.train_request import train_request
from miscope.training.devices import check_device_name
from miscope.validation import checked_name, checked_variant, refuse_unused, split_fields
from miscope.variant import Variant

if TYPE_CHECKING:
    from miscope.family import Family
    from miscope.workspace import Workspace

__all__ = ["read_study", "resolved"]


def read_study(workspace: Workspace, path: Path) -> Study:
    """The study that the file describes, for this workspace; nothing is written. Raises BadStudy, with the place."""
    return resolved(workspace, read_study_file(path))


def resolved(workspace: Workspace, document: Document, *, placed: bool = True) -> Study:
    """The study of a document, whose every run is a variant that can be trained. Raises BadStudy, with the place.

    placed: whether what its runs are built on is to be here; if not, only their fields are checked.
    """
    fields = study_fields(document)
    with _at(document, "name"):
        checked_name(fields.name)
    with _at(document, "family"):
        family = workspace.plugins.family(fields.family)
    _check_fields(family, fields, document)
    with _at(document, "train", "watch"):
        check_watch(workspace, fields.train.watch)
    with _at(document, "train", "device"):
        check_device_name(fields.train.device)  # which this machine has is no matter of a study: another may train it
    with _at(document, "analyze"):
        analyze = None if fields.analyze is None else _analysis(workspace, fields.analyze, fields.name)
    runs: dict[str, StudyRun] = {}
    names: dict[str, str] = {}
    for experiment in experiments(fields, document):
        with _at(document, *experiment.written):
            plain = _variant(workspace, fields, experiment, placed=placed)
        with _at(document, "train", "label"):
            variant = plain.labelled(fields.train.label)
        with _at(document, *experiment.written):
            run = _run(fields, experiment, variant, analyze)
            _refuse_double(runs, names, run)
        runs[run.name], names[run.variant.name] = run, run.name
    return Study(name=fields.name, description=fields.description, family=family.name, runs=tuple(runs.values()))


@contextmanager
def _at(document: Document, *path: str | int) -> Iterator[None]:
    """Any error of what is done meanwhile as one of the study, which says where it stands."""
    try:
        yield
    except BadStudy:
        raise
    except MiscopeError as error:
        field = error.field if isinstance(error, BadValue) else ""
        raise BadStudy(str(document.place(*path)), *str(error).split("\n"), field=field) from None


def _check_fields(family: Family, fields: StudyFields, document: Document) -> None:
    """Refuse names that are no fields of the family, wherever they stand, and a number of steps that is there twice."""
    for name, path in written_fields(fields):
        with _at(document, *path):
            split_fields(family, {name: None})
        if name == "steps" and fields.train.steps is not None:
            place, known = document.place("train", "steps"), f"It is a field too, {document.place(*path)}."
            raise BadStudy(str(place), "The number of steps is there twice.", known, "Leave one of them out.")
    with _at(document, "run_name"):
        checked_format(fields.run_name, [*family.params.model_fields, *family.training_config.model_fields])


def _analysis(workspace: Workspace, asked: StudyAnalysis, group: str) -> AnalyzeRequest:
    """The analysis of any run, as a request that names no variant yet; refused where it could be of none."""
    request = AnalyzeRequest(
        variants=("any",),
        analyzers=asked.analyzers,
        steps=asked.steps,
        executor=asked.executor,
        options=asked.options,
        group=group,
    )
    check_analysis(workspace, request)
    table = workspace.plugins.analyzers
    chosen = options_asked(table, asked.analyzers, asked.options)
    return request.model_copy(update={"options": options_apart(table, list(chosen), chosen)})


def _variant(workspace: Workspace, fields: StudyFields, experiment: Experiment, *, placed: bool) -> Variant:
    """The variant of these fields; BadValue where it cannot be trained here."""
    steps = {} if fields.train.steps is None else {"steps": fields.train.steps}
    given = {**experiment.fields, **steps}
    variant = workspace.variant(fields.family, **given) if placed else _unplaced(workspace, fields.family, given)
    if variant.training is None:
        raise BadValue(
            f"{variant.name} cannot be trained.",
            "Its checkpoints come from elsewhere.",
            "A study is of what is trained here; `miscope analyze` computes the instruments of what is not.",
        )
    check_steps(variant.training.steps)
    return variant


def _unplaced(workspace: Workspace, name: str, given: Mapping[str, object]) -> Variant:
    """The variant without what it is built on."""
    family = workspace.plugins.family(name)
    params, training = split_fields(family, given)
    variant = checked_variant(family, params, training)
    refuse_unused(variant, training)
    return variant


def _run(fields: StudyFields, experiment: Experiment, variant: Variant, analyze: AnalyzeRequest | None) -> StudyRun:
    how = fields.train
    options = TrainOptions(
        device=how.device,
        threads=how.threads,
        compile=how.compile,
        watch=how.watch,
        log_every=how.log_every,
        group=fields.name,
    )
    return StudyRun(
        name=_name(fields, experiment, variant),
        variant=variant,
        train=train_request(variant, options),
        analyze=None if analyze is None else analyze.model_copy(update={"variants": (variant.name,)}),
    )


def _name(fields: StudyFields, experiment: Experiment, variant: Variant) -> str:
    """As it is written by hand, as the format has it, or as the variant is called."""
    if experiment.name is not None:
        return checked_name(experiment.name)
    return formatted(fields.run_name, settings_of(variant)) if fields.run_name else variant.slug


def _refuse_double(before: Mapping[str, StudyRun], names: Mapping[str, str], run: StudyRun) -> None:
    """Raise BadValue where a run before has the same name, or is the same variant. names: of runs, by variant."""
    if run.name in before:
        mine, its = settings_of(run.variant), settings_of(before[run.name].variant)
        apart = [name for name, value in mine.items() if its.get(name) != value]
        raise BadValue(
            f"Two runs are called {run.name!r}.",
            f"They differ in: {', '.join(apart) or 'nothing'}.",
            "Name what differs in `run_name`, or give each its own `name`.",
        )
    if run.variant.name in names:
        raise BadValue(
            f"{names[run.variant.name]!r} and {run.name!r} are the same variant, {run.variant.name}.",
            "How long a training goes and what is kept of it do not make another.",
            "Leave one of them out.",
        )
