"""The whole way with what is installed: train, analyze, draw everything that applies, ask.

Of one family: that every family is drawn by every view, or says why not, is what the files on coverage find out.
"""

from __future__ import annotations

from pathlib import Path

import miscope
from miscope.analysis.analyze import analyze
from miscope.errors import DoesNotApply
from miscope.figures.render import render
from miscope.outcome import State
from miscope.plugins.plugins import Plugins

INSTALLED = Plugins.installed()
SMALL = {"prime": 7, "train_fraction": 0.6, "steps": 20, "checkpoints": "every:10"}


def test_from_a_config_to_every_figure(tmp_path: Path) -> None:
    workspace = miscope.open(tmp_path, plugins=INSTALLED)
    variant, other = (workspace.variant("modadd.transformer", seed=seed, **SMALL) for seed in (1, 2))
    for one in (variant, other):
        *_, last = one.train(threads=1)
        assert last.step == 20
        outcomes = one.analyze()
        assert [outcome for outcome in outcomes if outcome.state in (State.FAILED, State.NOT_TRIED)] == []
    assert not any(outcome.state == State.FAILED for outcome in analyze(workspace.value, [variant.value, other.value]))
    drawn = set()
    heavy = {name for name, analyzer in INSTALLED.analyzers.items() if analyzer.opt_in}
    for name, view in INSTALLED.views.items():
        if heavy & {*view.needs.reads, *view.needs.history}:
            continue
        try:
            shown = [variant.value, other.value] if view.grain == "cohort" else variant.value
            figure = render(workspace.value, name, shown)
        except DoesNotApply:
            continue
        assert tuple(figure.data), name
        drawn.add(name)
    assert {"behaviour.losses", "behaviour.compare", "parameters.trajectory"} <= drawn
    grain = workspace.ask("select count(distinct variant) as variants, max(step) as last from checkpoints").to_pylist()
    assert grain == [{"variants": 2, "last": 20}]
    names = {row["name"] for row in workspace.ask("select distinct name from scalars").to_pylist()}
    assert names


def test_one_variant_is_compared_with_itself_by_nothing_but_names(tmp_path: Path) -> None:
    """A second process needs only the folder: the workspace is found again by its files."""
    workspace = miscope.open(tmp_path, plugins=INSTALLED)
    variant = workspace.variant("modadd.transformer", seed=1, **SMALL)
    for _ in variant.train(threads=1):
        pass
    again = miscope.open(tmp_path, plugins=INSTALLED).find(variant.value.slug)
    assert again.value.digest == variant.value.digest
    assert again.steps == variant.steps
