from typing import Any

import pytest

from miscope import Grain, Needs, View, __version__
from miscope.analysis import resolved_analysis
from miscope.bound import open_bound
from miscope.errors import MiscopeError
from miscope.figures.provenance import provenance
from miscope.store.process_identity import this_process
from miscope.testing import tables


def drawn(shown: Any) -> Any:
    """Is not drawn here."""


READS = Needs(reads=("parameters.norms",))
NORMS = View(name="a.norms", title="Norms", grain=Grain.CHECKPOINT, draw=drawn, needs=READS)
PATH = View(name="a.path", title="Path", grain=Grain.TRAJECTORY, draw=drawn, needs=READS)
GONE = View(name="a.gone", title="Gone", grain=Grain.TRAJECTORY, draw=drawn, needs=Needs(reads=("nobody.has",)))
EACH = View(name="a.each", title="Each", grain=Grain.COHORT, draw=drawn, needs=READS)
MEMBERS = View(name="a.many", title="Many", grain=Grain.COHORT, draw=drawn, needs=Needs(reads=("cohort.weights",)))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    workspace = open_bound(tmp_path_factory.mktemp("provenance"), tables())
    variants = [workspace.variant("toy.sum", seed=seed) for seed in (0, 1)]
    for variant in variants:
        list(variant.train(threads=1))
    variants[0].analyze("parameters.norms", steps=[0, 20])
    return variants


def of(variants, view, step=None):
    return provenance(variants[0].workspace.value, view, [variant.value for variant in variants], step)


def test_an_artifact_is_of_an_analyzer_a_run_a_machine_and_a_version(trained):
    (artifact,) = of(trained[:1], NORMS, 20).artifacts
    assert (artifact.analyzer, artifact.step, artifact.there, artifact.probe) == ("parameters.norms", 20, True, "-")
    assert artifact.version == trained[0].workspace.plugins.analyzers["parameters.norms"].version
    assert artifact.package == "core local"
    assert (artifact.miscope, artifact.host) == (__version__, this_process().host)
    started = trained[0].workspace.ask(f"SELECT started FROM runs WHERE run = '{artifact.run}'")["started"][0].as_py()
    assert artifact.computed is not None
    assert artifact.computed >= started


def test_of_what_was_not_computed_it_is_said_under_which_recipe_it_would_be(trained):
    (there,), (absent,) = (of(trained[:1], NORMS, step).artifacts for step in (20, 10))
    assert (absent.there, absent.computed, absent.run) == (False, None, "")
    assert absent.recipe == there.recipe


def test_a_view_over_training_names_the_last_that_is_there(trained):
    (artifact,) = of(trained[:1], PATH).artifacts
    assert (artifact.step, artifact.there) == (20, True)


def test_an_analyzer_that_is_not_installed_has_no_origin(trained):
    assert of(trained[:1], GONE).artifacts == ()


def test_what_spans_variants_is_one_and_the_weights_are_those_of_each(trained):
    found = of(trained, MEMBERS)
    (artifact,) = found.artifacts
    assert artifact.variant.startswith("cohort/")
    assert not artifact.there
    assert [each.variant for each in found.trained] == [variant.name for variant in trained]
    assert found.trained[0].facts["device"] == "cpu"
    assert found.trained[0].facts["miscope-core"] == __version__


def test_a_variant_that_an_instrument_does_not_apply_to_takes_nothing_from_the_others(trained, monkeypatch):
    resolve = resolved_analysis.resolve_analysis

    def of_the_first(workspace, variant, *arguments, **more):
        if variant.name == trained[1].name:
            raise MiscopeError("It does not apply.", "It has no such weights.", "Leave it out.")
        return resolve(workspace, variant, *arguments, **more)

    assert [artifact.variant for artifact in of(trained, EACH).artifacts] == [one.name for one in trained]
    monkeypatch.setattr(resolved_analysis, "resolve_analysis", of_the_first)
    assert [artifact.variant for artifact in of(trained, EACH).artifacts] == [trained[0].name]
