"""Commands that do again what a report is of."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from miscope import Analyzer, Grain, Needs
from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.cli.options import assignments
from miscope.reporting.repeating import repeating
from miscope.schedule import Adaptive
from miscope.snapshot import Snapshot
from miscope.testing import tables


def test_the_commands_train_with_as_many_threads_and_compute_what_is_there(
    place: BoundWorkspace, seeds: list[BoundVariant]
):
    *training, analysis = repeating(place.value, [seed.value for seed in seeds])
    assert ["--threads", "1"] in [shlex.split(line)[i : i + 2] for line in training for i in range(len(line.split()))]
    assert len(training) == len(seeds)
    names = " ".join(seed.name for seed in seeds)
    only = "--only behaviour.calibration --only events.grokking --only parameters.norms --only small.broken"
    assert analysis == f"miscope analyze {names} {only} --workspace {place.root}"


def test_the_commands_name_no_instrument_where_all_were_used_and_have_no_analysis_where_none_was(tmp_path: Path):
    variant = open_bound(tmp_path, tables()).variant("toy.sum", steps=2)
    list(variant.train(threads=1))
    (training,) = repeating(variant.workspace.value, [variant.value])
    variant.analyze()
    again = repeating(variant.workspace.value, [variant.value])
    assert again == [training, f"miscope analyze {variant.name} --workspace {tmp_path}"]


def test_the_commands_leave_out_what_reads_an_instrument_that_is_not_installed(tmp_path: Path):
    reader = Analyzer(
        name="here.reader", version=1, grain=Grain.CHECKPOINT, compute=_nothing, needs=Needs(reads=("elsewhere.sums",))
    )
    variant = open_bound(tmp_path, tables(reader)).variant("toy.sum", steps=2)
    list(variant.train(threads=1))
    variant.analyze()
    variant.workspace.value.store.layout.recipes(variant.name, reader.name).mkdir(parents=True)  # while it was
    assert repeating(variant.workspace.value, [variant.value])[1:] == [
        f"miscope analyze {variant.name} --workspace {tmp_path}"
    ]


def _nothing(shown: Snapshot) -> Mapping[str, float]:
    return {}


def test_the_command_that_trains_a_variant_again_says_all_of_its_schedule(tmp_path: Path):
    schedule = Adaptive(least=3, most=20, change=0.5)
    variant = open_bound(tmp_path, tables()).variant("toy.sum", checkpoints=schedule)
    for _ in variant.train(steps=5, threads=1):
        pass
    words = shlex.split(repeating(variant.workspace.value, [variant.value])[0])
    fields = assignments([word for word in words if "=" in word])
    assert variant.workspace.variant("toy.sum", **fields).value.training.checkpoints == schedule
