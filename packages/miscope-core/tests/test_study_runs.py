"""Which runs a study has, in which order, what they are called, and what is asked of each."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from miscope.analyze_request import AnalyzeRequest
from miscope.errors import BadValue, UnknownName
from miscope.settings import settings_of
from miscope.studies.bad_study import BadStudy
from miscope.studies.document import parsed
from miscope.studies.keeping import keep_study, study_text
from miscope.studies.resolving import read_study, resolved
from miscope.studies.run_names import formatted, scientific
from miscope.studies.study import Study
from miscope.testing import tables
from miscope.train_request import TrainRequest
from miscope.workspace import Workspace, open_workspace

Of = Callable[[str], Study]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return open_workspace(tmp_path / "ws", tables())


@pytest.fixture
def study(workspace: Workspace) -> Of:
    """study(text): the study of the toy family with that text."""
    return lambda text: resolved(workspace, parsed(f"family: toy.sum\n{text}", "sweep.yaml"))


def fields_of(found: Study, *names: str) -> list[tuple[object, ...]]:
    return [tuple(settings_of(run.variant)[name] for name in names) for run in found.runs]


def names_of(found: Study) -> list[str]:
    return [run.name for run in found.runs]


# --- which runs -----------------------------------------------------------------------------------------------------


def test_a_study_without_lists_is_one_run(study: Of) -> None:
    assert fields_of(study("base: {width: 8}"), "width", "values") == [(8, 5)]


def test_a_matrix_is_every_combination_the_first_key_outermost(study: Of) -> None:
    found = study("base: {width: 8}\nmatrix: {values: [5, 7], seed: [1, 2], learning_rate: [1e-3]}")
    expected = [(5, 1, 8, 1e-3), (5, 2, 8, 1e-3), (7, 1, 8, 1e-3), (7, 2, 8, 1e-3)]
    assert fields_of(found, "values", "seed", "width", "learning_rate") == expected


def test_lists_that_are_zipped_go_together_inside_of_the_matrix(study: Of) -> None:
    found = study("matrix: {seed: [1, 2]}\nzip: {values: [5, 7, 9], width: [4, 8, 16]}")
    assert fields_of(found, "seed", "values", "width") == [
        (1, 5, 4), (1, 7, 8), (1, 9, 16), (2, 5, 4), (2, 7, 8), (2, 9, 16),
    ]  # fmt: skip


def test_combinations_that_have_all_of_an_exclusion_are_left_out(study: Of) -> None:
    found = study("matrix: {values: [5, 7], seed: [1, 2]}\nexclude: [{values: 7, seed: 1}, {seed: 2, values: 5}]")
    assert fields_of(found, "values", "seed") == [(5, 1), (7, 2)]


def test_what_is_included_comes_last_over_the_base_and_is_never_excluded(study: Of) -> None:
    text = "base: {width: 8}\nmatrix: {seed: [1, 2]}\nexclude: [{seed: 1}]\ninclude: [{name: first, seed: 1, width: 4}]"
    assert fields_of(study(text), "seed", "width") == [(2, 8), (1, 4)]


@pytest.mark.parametrize("word", ["include", "experiments"])
def test_a_list_by_hand_may_stand_alone(study: Of, word: str) -> None:
    found = study(f"base: {{width: 8}}\n{word}:\n- {{name: one, seed: 1}}\n- {{name: two, seed: 2, width: 4}}\n")
    assert names_of(found) == ["one", "two"]
    assert fields_of(found, "seed", "width") == [(1, 8), (2, 4)]


def test_a_value_may_be_a_list_or_nothing(study: Of) -> None:
    found = study("matrix: {betas: [[0.9, 0.98], [0.5, 0.5]]}\nbase: {clip_norm: null, checkpoints: [0, 3]}")
    assert fields_of(found, "betas", "clip_norm", "checkpoints") == [
        ([0.9, 0.98], None, "0,3"),
        ([0.5, 0.5], None, "0,3"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "matrix: {seed: [1]}\nzip: {seed: [1]}",
            "sweep.yaml, line 3: 'seed' is in `matrix` and in `zip`.\nA field has one value in each combination.\n"
            "Change it there; nothing was run.",
        ),
        (
            "zip: {seed: [1, 2], values: [5]}",
            "sweep.yaml, line 2: The lists of `zip` differ in length.\nOf values seed has 2, values has 1.\n"
            "Change it there; nothing was run.",
        ),
        (
            "matrix: {seed: [1, 2]}\nexclude:\n- {seed: 1}\n- {seed: 3}",
            "sweep.yaml, line 5: No combination has {'seed': 3}.\nIt would be the same study without this entry.\n"
            "Change it there; nothing was run.",
        ),
        (
            "matrix: {seed: [1]}\nexclude: [{seed: 1}]",
            "sweep.yaml, line 3: Every run is excluded.\nThere is nothing left to do.\n"
            "Change it there; nothing was run.",
        ),
        (
            "include: [{seed: 1}]\nexperiments: [{seed: 2}]",
            "sweep.yaml, line 3: There are `include` and `experiments`.\nBoth are lists of further runs.\n"
            "Make them one list.",
        ),
        (
            "include: [{name: 5, seed: 1}]",
            "sweep.yaml, line 2: A run cannot be called 5.\nA name is text.\nPut it between quotes.",
        ),
        (
            "matrix: {seed: [1, 2], values: [5, 5]}",
            "sweep.yaml, line 2: Two runs are called 'v5-seed1-width16'.\nThey differ in: nothing.\n"
            "Name what differs in `run_name`, or give each its own `name`.",
        ),
        (
            "run_name: 'v{values}'\nmatrix: {seed: [1, 2]}",
            "sweep.yaml, line 3: Two runs are called 'v5'.\nThey differ in: seed.\n"
            "Name what differs in `run_name`, or give each its own `name`.",
        ),
        (
            "run_name: 's{steps}'\nmatrix:\n  steps: [1, 2]",
            "sweep.yaml, line 3: 's1' and 's2' are the same variant, toy.sum/v5-seed0-width16.\n"
            "How long a training goes and what is kept of it do not make another.\nLeave one of them out.",
        ),
    ],
    ids=["axis twice", "lengths", "idle exclusion", "all excluded", "both lists", "name", "same", "names", "variants"],
)
def test_what_makes_no_study_is_refused_where_it_stands(study: Of, text: str, message: str) -> None:
    with pytest.raises(BadStudy) as refused:
        study(text)
    assert str(refused.value) == message


def test_more_combinations_than_anybody_runs_are_refused_before_they_are_made(study: Of) -> None:
    seeds = list(range(1000))
    with pytest.raises(BadStudy, match="They make 1000000000 runs; a study has at most 10000"):
        study(f"matrix: {{seed: {seeds}, values: {seeds}, width: {seeds}}}")


# --- what they are called --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3e-4, "3e-4"), (1e-3, "1e-3"), (1.5e-3, "1.5e-3"), (1, "1e0"), (0.5, "5e-1"), (120, "1.2e2"),
        (-2.5e-10, "-2.5e-10"), (0, "0"), (0.1 + 0.2, "3.0000000000000004e-1"), (1e22, "1e22"),
    ],
)  # fmt: skip
def test_numbers_are_written_in_powers_of_ten_without_zeros_to_fill_them(value: float, text: str) -> None:
    assert scientific(value) == text
    assert float(text) == value


def test_a_run_is_called_as_the_format_has_it_with_defaults_too(study: Of) -> None:
    found = study("run_name: 'v{values}_lr{learning_rate:sci}_wd{weight_decay:.2f}_w{width:03d}'\nmatrix: {width: [8]}")
    assert names_of(found) == ["v5_lr1e-2_wd1.00_w008"]


@pytest.mark.parametrize(
    ("format_", "first"),
    [
        ("v{valeus}", "The format 'v{valeus}' names 'valeus', which is no field."),
        ("v{values", "'v{values' is no format: expected '}' before end of string."),
        ("v{values.real}", "'v{values.real}' is no format of fields."),
        ("v{values[0]}", "'v{values[0]}' is no format of fields."),
        ("v{}", "'v{}' is no format of fields."),
        ("v{values!r}", "'v{values!r}' is no format of fields."),
        ("v{values:{width}}", "'v{values:{width}}' is no format of fields."),
        ("v{values:999999999}", "'999999999' is no way to write a number."),
        ("v{betas:sci}", "betas=[0.9, 0.98] cannot be written as 'sci': it is no number."),
        ("v{optimizer:.2f}", "optimizer='adamw' cannot be written as '.2f':"),
        ("{betas}", "It cannot be called '[0.9, 0.98]'."),
    ],
)
def test_a_format_that_makes_no_name_is_refused(study: Of, format_: str, first: str) -> None:
    with pytest.raises(BadStudy) as refused:
        study(f"run_name: '{format_}'")
    place, _, rest = str(refused.value).partition(": ")
    assert place in ("sweep.yaml, line 2", "sweep.yaml, line 1")
    assert rest.startswith(first)


def test_a_number_that_is_none_has_no_power_of_ten() -> None:
    with pytest.raises(BadValue, match="cannot be written as 'sci': it is not finite"):
        formatted("{rate:sci}", {"rate": math.inf})


# --- what is asked of each --------------------------------------------------------------------------------------------


def test_each_run_is_a_training_and_an_analysis_of_its_variant_in_the_group_of_the_study(study: Of) -> None:
    text = (
        "name: widths\nbase: {width: 8, weight_decay: 0.5}\n"
        "train: {steps: 7, threads: 1, device: cpu, compile: true, watch: ['ranks.weights:2'], label: mine}\n"
        "analyze: {analyzers: [neurons.bands], steps: 'every:2', options: {neurons.bands: {bands: 4}}, "
        "executor: processes}\n"
    )
    (run,) = study(text).runs
    assert run.train == TrainRequest(
        family="toy.sum",
        params={"values": 5, "seed": 0, "width": 8},
        training={"weight_decay": 0.5, "steps": 7},
        label="mine",
        device="cpu",
        threads=1,
        compile=True,
        watch=("ranks.weights:2",),
        group="widths",
    )
    assert run.analyze == AnalyzeRequest(
        variants=("toy.sum/v5-seed0-width8-wd0.5@mine",),
        analyzers=("neurons.bands",),
        steps="every:2",
        executor="processes",
        options={"neurons.bands": {"bands": 4}},
        group="widths",
    )


def test_no_analysis_is_asked_for_unless_the_study_says_so(study: Of) -> None:
    assert study("base: {}").runs[0].analyze is None
    everything = study("analyze: {}").runs[0].analyze
    assert everything is not None
    assert everything.analyzers is None


def test_runs_are_chosen_by_name_and_the_first_of_those_left_out(study: Of) -> None:
    found = study("run_name: 's{seed}'\nmatrix: {seed: [1, 2, 3, 4]}")
    assert [run.name for run in found.chosen(start_from=1)] == ["s2", "s3", "s4"]
    assert [run.name for run in found.chosen(["s4", "s1", "s3"], start_from=1)] == ["s3", "s4"]
    with pytest.raises(UnknownName) as unknown:
        found.chosen(["t4"])
    assert str(unknown.value) == (
        "There is no run named 't4'.\nNone that is known here is spelt like it.\n"
        "`--dry-run` lists the 4 that sweep has."
    )
    with pytest.raises(BadValue) as none:
        found.chosen(["s4"], start_from=1)
    assert str(none.value) == (
        "No run is left from number 1 on.\nThere are 1 to begin with, counted from 0.\nGive a smaller number."
    )


# --- as it is kept --------------------------------------------------------------------------------------------------


def test_a_kept_study_says_every_setting_and_is_the_same_study(study: Of, workspace: Workspace) -> None:
    found = study(
        "name: kept\ndescription: 'colons: and \"quotes\"'\nmatrix: {seed: [1, 2], learning_rate: [1e-8, 3e-4]}\n"
        "base: {checkpoints: 'adaptive:2-9', role_groups: 'W_E:lr_factor=0.123456789', no_decay: W_E, eps: 1e-10}\n"
        "train: {threads: 1}\nanalyze: {steps: [0, 5], options: {neurons.bands: {bands: 3}}}\n"
    )
    path = keep_study(workspace, found)
    assert path == workspace.root / "studies" / "kept.yaml"
    assert read_study(workspace, path) == found
    values = parsed(path.read_text(encoding="utf-8"), "kept.yaml").values
    own = set(values["base"]) | set(values["include"][0]) - {"name"}
    assert own == set(settings_of(found.runs[0].variant))
    again = read_study(workspace, keep_study(workspace, read_study(workspace, path)))
    assert study_text(again) == study_text(found)
