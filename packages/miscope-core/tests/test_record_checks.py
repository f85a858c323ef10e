"""A record that would fail later, or take others along, is left out when it is loaded, with the reason."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict

from miscope import (
    Analyzer,
    Choice,
    Executor,
    Family,
    Grain,
    Needs,
    Number,
    Options,
    Params,
    Plugins,
    Toggle,
    View,
    hookimpl,
)
from miscope.testing import ToyFamily, tables

Record = Any


def compute(snapshot: object) -> dict[str, object]:
    """Nothing."""
    return {}


def analyzer(**fields: Any) -> Analyzer:
    return Analyzer(**{"name": "a.b", "version": 1, "grain": Grain.CHECKPOINT, "compute": compute, **fields})


def view(**fields: Any) -> View:
    return View(**{"name": "a.b", "title": "T", "grain": Grain.CHECKPOINT, "draw": compute, **fields})


class Like(Family):
    """The toy under another name."""

    name, title, params = "like.toy", "Like the toy", ToyFamily.params
    model, probes, training = ToyFamily.model, ToyFamily.probes, ToyFamily.training
    task, bases = ToyFamily.task, ToyFamily.bases


def family(**fields: Any) -> Family:
    return type("Changed", (Like,), fields)()


class Nameless(Family):
    title, params = "Nameless", ToyFamily.params
    model, probes, training = ToyFamily.model, ToyFamily.probes, ToyFamily.training
    task, bases = ToyFamily.task, ToyFamily.bases


class Needy(Options):
    size: int


class Heavy(Options):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    table: np.ndarray = np.zeros(2)


class Tagged(Options):
    words: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()


class Inside(BaseModel):
    kinds: dict[str, set[int]] = {}


class TaggedParams(Params):
    size: int
    inside: Inside | None = None


class HeavyParams(Params):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    table: np.ndarray = np.zeros(2)


class Slashed(Params):
    size: int = 1
    model_config = ConfigDict(json_schema_extra=None)


Slashed.model_fields["size"].json_schema_extra = {"slug": "s/"}


class Nowhere(Executor):
    def run(self, work: Any, jobs: Any, *, lost: Any = None) -> Any:
        return iter(())


def offered(kind: str, *records: Record) -> Plugins:
    """Core, the toys, and a plug-in that offers these records of a kind."""
    module = ModuleType("sick")
    setattr(module, f"miscope_{kind}", hookimpl(lambda: records))
    return tables(sick=module)


UNORDERED = "is a set, or holds one: another process may order it, and make its digest, otherwise; use a tuple"
PATH = "its name becomes part of a path, and {!r} cannot be used in a path; use letters, digits and . _ + , = @ -"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (analyzer(name="../../../evil"), PATH.format("../../../evil")),
        (analyzer(name="a b"), PATH.format("a b")),
        (analyzer(name=7), "its `name` must be text, and is 7"),
        (
            analyzer(grain="checkpoints"),
            "its `grain` must be one of Grain.CHECKPOINT, Grain.TRAJECTORY, Grain.COHORT, and is 'checkpoints'; "
            "did you mean Grain.CHECKPOINT?",
        ),
        (
            analyzer(needs=Needs(weights="W_E")),
            "its `weights` is the text 'W_E', of which every letter would be a name; write ('W_E',)",
        ),
        (analyzer(needs=Needs(reads={"a": 1})), "its `reads` must be a tuple of names, and is {'a': 1}"),
        (analyzer(needs=Needs(sites=(7,))), "its `sites` must be names, and one is 7"),
        (analyzer(version="1"), "its `version` must be a whole number, and is '1'"),
        (analyzer(compute=None), "its `compute` must be a function, and is None"),
        (analyzer(needs=Needs(positions="last")), "its `positions` must be one of 'answer', 'all', and is 'last'"),
        (
            analyzer(not_invariant_to=("neurons",)),
            "its `not_invariant_to` must be one of 'neuron order', 'head order', 'residual rotation', 'relu scaling', "
            "'token relabelling', and is 'neurons'",
        ),
        (analyzer(outputs=("x",)), "its `outputs` must map array names to what they are, and is ('x',)"),
        (analyzer(options=dict), "its `options` must be a subclass of miscope.Options, and is dict"),
        (analyzer(options=Needy), "its option 'size' has no default; every one must have one"),
        (
            analyzer(options=Heavy),
            "its option 'table' cannot be written as JSON: ndarray (PydanticSerializationError)",
        ),
        (
            analyzer(options=Tagged),
            f"its option 'tags' {UNORDERED}",
        ),
        (analyzer(name="parameters.norms"), "core local has one of that name"),
        (analyzer(needs=Needs(reads=("a.b",))), "it reads itself in a circle, a.b -> a.b"),
        (
            analyzer(needs=Needs(reads=("cohort.losses",))),
            "it reads 'cohort.losses', which spans several variants: its numbers depend on which were analyzed "
            "together, so nothing may build on them",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else "analyzer",
)
def test_a_bad_analyzer_is_left_out_with_the_reason(record: Analyzer, reason: str):
    healthy = analyzer(name="a.well")
    plugins = offered("analyzers", record, healthy)
    (broken,) = plugins.broken
    assert (broken.package, broken.record, broken.reason) == ("sick", f"the analyzer {record.name!r}", reason) or (
        broken.record == "an analyzer (Analyzer)" and broken.reason == reason
    )
    assert plugins.analyzers["a.well"] is healthy
    assert set(plugins.analyzers) - {"a.well"} == set(tables().analyzers)


@pytest.mark.parametrize(
    ("record", "called", "reason"),
    [
        (Nameless(), "a family (Nameless)", "it has no `name`"),
        (family(name="cohort"), "the family 'cohort'", "'cohort' is miscope's own word for several variants together"),
        (family(name="a/b"), "the family 'a/b'", PATH.format("a/b")),
        (family(title=""), "the family 'like.toy'", "it has no `title`"),
        (
            family(params=dict),
            "the family 'like.toy'",
            "its `params` must be a subclass of miscope.Params, and is dict",
        ),
        (
            family(training_config=dict),
            "the family 'like.toy'",
            "its `training_config` must be a subclass of miscope.TrainingConfig, and is dict",
        ),
        (
            family(params=HeavyParams),
            "the family 'like.toy'",
            "its parameter 'table' cannot be written as JSON: ndarray (PydanticSerializationError)",
        ),
        (
            family(params=TaggedParams),
            "the family 'like.toy'",
            f"its parameter 'inside' {UNORDERED}",
        ),
        (
            family(params=Slashed),
            "the family 'like.toy'",
            "the slug 's/' of its parameter 'size' becomes part of a path: letters and digits only",
        ),
        (ToyFamily, "the family 'toy.sum'", f"miscope_families yields Family records, and gave {ToyFamily!r}"),
        (ToyFamily(), "the family 'toy.sum'", "toy local has one of that name"),
    ],
    ids=lambda value: "" if isinstance(value, str) else "family",
)
def test_a_bad_family_is_left_out_with_the_reason(record: Any, called: str, reason: str):
    (broken,) = offered("families", record).broken
    assert (broken.record, broken.reason) == (called, reason)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (view(name="x/y"), PATH.format("x/y")),
        (view(title=None), "it has no `title`"),
        (view(draw="x"), "its `draw` must be a function, and is 'x'"),
        (
            view(grain="trajectories"),
            "its `grain` must be one of Grain.CHECKPOINT, Grain.TRAJECTORY, Grain.COHORT, and is 'trajectories'; "
            "did you mean Grain.TRAJECTORY?",
        ),
        (
            view(needs=Needs(reads="a.b")),
            "its `reads` is the text 'a.b', of which every letter would be a name; write ('a.b',)",
        ),
        (view(time_axis="z"), "its `time_axis` must be one of None, 'x', 'y', and is 'z'"),
        (view(controls=("head",)), "its `controls` are Choice, Number and Toggle, and one is 'head'"),
        (
            view(controls=(Toggle(name="no name"),)),
            "its control 'no name' is given to `draw` by keyword, and that is no name for one",
        ),
        (view(controls=(Toggle(name="a"), Number(name="a", default=1))), "it has two controls named 'a'"),
        (
            view(controls=(Choice(name="a", options="abc"),)),  # pyright: ignore[reportArgumentType]
            "the options of its control 'a' must be a tuple, and are 'abc'",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else "view",
)
def test_a_bad_view_is_left_out_with_the_reason(record: View, reason: str):
    (broken,) = offered("views", record).broken
    assert (broken.record, broken.reason) == (f"the view {record.name!r}", reason)


def test_an_executor_without_a_name_is_left_out():
    (broken,) = offered("executors", Nowhere()).broken
    assert (broken.record, broken.reason) == ("an executor (Nowhere)", "it has no `name`")


def test_a_record_whose_own_code_raises_is_left_out():
    class Raising(Options):
        size: int = 1

        def model_post_init(self, context: Any) -> None:
            raise ZeroDivisionError("in a validator")

    (broken,) = offered("analyzers", analyzer(options=Raising)).broken
    assert (broken.record, broken.reason) == ("the analyzer 'a.b'", "ZeroDivisionError: in a validator")


def test_each_of_a_circle_is_left_out_and_what_reads_one_of_them_says_so(tmp_path: Any):
    from miscope.bound import open_bound

    reader = analyzer(name="a.reader", needs=Needs(reads=("a.one",)))
    plugins = offered(
        "analyzers",
        analyzer(name="a.one", needs=Needs(reads=("a.two",))),
        analyzer(name="a.two", needs=Needs(reads=("a.three",))),
        analyzer(name="a.three", needs=Needs(reads=("a.one", "parameters.norms"))),
        reader,
    )
    assert {one.record for one in plugins.broken} == {f"the analyzer 'a.{n}'" for n in ("one", "two", "three")}
    assert plugins.broken[0].reason == "it reads itself in a circle, a.one -> a.two -> a.three -> a.one"
    variant = open_bound(tmp_path, plugins).variant("toy.sum", steps=2)
    list(variant.train(threads=1))
    errors = {name: one.error for one in variant.analyze() for name in one.analyzers}
    assert errors["a.reader"] == "does not apply: it reads 'a.one', which is not installed"


def test_what_is_checked_of_a_record_needs_no_torch():
    import subprocess
    import sys

    code = "import sys, miscope.plugins.record_checks; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_everything_in_this_repository_passes_its_own_checks():
    assert Plugins.installed().broken == ()
