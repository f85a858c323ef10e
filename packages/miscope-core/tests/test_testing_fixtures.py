"""The pytest fixtures that come with miscope-core."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

from miscope import Analyzer, Grain, Plugins, hookimpl
from miscope.analysis.executors import Inline
from miscope.bound import BoundVariant, BoundWorkspace


def count(snapshot: object) -> dict[str, object]:
    """One."""
    import numpy as np

    return {"one": np.asarray(1.0)}


@hookimpl
def miscope_analyzers() -> list[Analyzer]:
    outputs = {"one": "() 1"}
    return [Analyzer(name="count.one", version=1, grain=Grain.CHECKPOINT, compute=count, outputs=outputs)]  # type: ignore[arg-type]


@hookimpl
def miscope_executors() -> list[Inline]:
    return []


MODULE = SimpleNamespace(miscope_analyzers=miscope_analyzers, miscope_executors=miscope_executors)


def test_plugins_are_core_the_toys_and_what_one_names(plugins: Callable[..., Plugins]) -> None:
    offered = plugins(count=MODULE)
    assert [provider.plugin for provider in offered.providers] == ["core", "toy", "count"]
    assert set(offered.families) == {"pytorch.module", "toy.fourier", "toy.sum"}
    assert "count.one" in offered.analyzers
    assert not offered.views


def test_a_workspace_knows_the_modules_one_names(workspace: Callable[..., BoundWorkspace]) -> None:
    place = workspace(count=MODULE)
    assert "count.one" in place.plugins.analyzers
    assert place.variants() == []


def test_a_toy_variant_is_trained_and_analyzed(toy_variant: Callable[..., BoundVariant]) -> None:
    variant = toy_variant(count=MODULE)
    assert variant.steps == [0, 10, 20, 30]
    assert variant.arrays("count.one")["one"].tolist() == [1, 1, 1, 1]


def test_an_offered_module_is_found_like_an_installed_package(offer: Callable[[str, str], None]) -> None:
    before = set(Plugins.installed().families)
    offer("toy", "miscope.testing.toy")
    after = Plugins.installed()
    assert set(after.families) - before == {"toy.fourier", "toy.sum"}
    assert str(after.provided_by["family", "toy.sum"]) == "miscope-toy 1.0"
