"""Words of the field find the views that come with miscope."""

import pytest

from miscope.figures.finding import find, findable_lens, findable_records
from miscope.plugins.plugins import Plugins

EXPECTED = {
    "grok": "cohort.quality",
    "grokking": "events.timeline",
    "learning curves": "behaviour.losses",
    "fourier": "spectra.embedding",
    "key frequencies": "keys.votes",
    "progress measures": "progress.losses",
    "PCA": "parameters.trajectory",
    "principal components": "dimensions.spectrum",
    "SVD": "ranks.scree",
    "hessian": "curvature.eigenvalues",
    "hesian": "curvature.trace",
    "sharpness": "flatness.over_training",
    "edge of stability": "curvature.eigenvalues",
    "loss landscape": "flatness.slice",
    "mode connectivity": "connectivity.barriers",
    "DMD": "dynamics.modes",
    "koopman": "dynamics.modes",
    "SAE": "sae.alive",
    "sparse autoencoder": "sae.reconstruction",
    "dictionary learning": "sae.reconstruction",
    "crosscoder": "sae.births_agreed",
    "monosemanticity": "sae.purity",
    "attention": "attention.patterns",
    "induction heads": "heads.roles",
    "knockout": "ablations.effects",
    "neural collapse": "geometry.collapse",
    "kaplan-meier": "cohort.events",
    "ANOVA": "factors.answers",
    "gating": "routing.use",
    "lipschitz": "sensitivity.jacobian",
    "phase transition": "stages.change_points",
    "dead neurons": "units.dead",
    "calibration": "behaviour.calibration",
    "omnigrok": "parameters.layers",
    "arXiv 1912.02757": None,
}
"""Word -> a view that is among the first three; None for a word of no view."""


@pytest.fixture(scope="module")
def known():
    plugins = Plugins.installed()
    return findable_records(plugins, plugins.views.values())


@pytest.mark.parametrize(("words", "view"), EXPECTED.items())
def test_a_word_of_the_field_finds_the_view_that_it_means(known, words, view):
    found = [each.name for each in find(words, known).found]
    assert (view in found[:3]) if view else found == []


def test_every_view_has_a_summary_and_is_found_by_its_name_and_by_its_title(known):
    for each in known:
        texts = dict(each.texts)
        assert texts["summary"].endswith("."), "the first line of a drawing function's docstring is a sentence"
        assert find(each.name, known).found[0].name == each.name
        assert each.name in [found.name for found in find(texts["title"], known).found][:3]


@pytest.mark.parametrize(
    ("words", "lens"),
    [
        ("fourier", "frequencies"),
        ("hessian", "loss-landscape"),
        ("SAE", "sae"),
        ("heads", "attention"),
        ("PCA", "geometry"),
    ],
)
def test_a_word_of_the_field_finds_the_lens_that_it_means(words, lens):
    lenses = [findable_lens(each) for each in Plugins.installed().lenses.values()]
    assert find(words, lenses).found[0].name == lens
