from dataclasses import replace
from typing import Any

import pytest

from miscope import Analyzer, Grain, Lens, Needs, View
from miscope.figures.finding import Findings, Found, find, findable_lens, findable_records
from miscope.testing import tables


def curves(shown: Any) -> Any:
    """Loss over training."""


def measured(snapshot: Any) -> Any:
    """Eigenvalues of the second derivative."""


BENT = Analyzer(
    name="bent.top",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=measured,
    question="How strongly does the loss curve?",
    formula="lambda = max of v' H v, |v| = 1",
    source="Ghorbani et al. 2019",
    synonyms=("Hessian", "edge of stability"),
)
VIEWS = (
    View(
        name="bent.over_training", title="Bend", grain=Grain.TRAJECTORY, draw=curves, needs=Needs(reads=("bent.top",))
    ),
    View(name="losses.curve", title="Learning curve", grain=Grain.TRAJECTORY, draw=curves, synonyms=("grokking",)),
    View(name="samples.shown", title="Balsam", grain=Grain.CHECKPOINT, draw=curves),
)


PLUGINS = tables(BENT)


@pytest.fixture(scope="module")
def known():
    return findable_records(PLUGINS, [*VIEWS, BENT])


def names(findings: Findings) -> list[str]:
    return [found.name for found in findings.found]


@pytest.mark.parametrize(
    ("words", "first", "by"),
    [
        ("bend", "bent.over_training", ()),
        ("losses.curve", "losses.curve", ()),
        ("GROK", "losses.curve", ("synonyms",)),
        ("strongly", "bent.top", ("question",)),
        ("ghorbani", "bent.top", ("source",)),
        ("lambda", "bent.top", ("formula",)),
        ("edge stability", "bent.top", ("synonyms",)),
        ("curve hessian", "bent.top", ("synonyms", "question")),
    ],
)
def test_words_find_what_has_all_of_them_and_it_is_said_where(known, words, first, by):
    found = find(words, known).found[0]
    assert (found.name, found.by) == (first, by)


def test_a_view_is_found_by_what_is_said_of_the_instruments_it_shows(known):
    assert names(find("hessian", known)) == ["bent.top", "bent.over_training"]


def test_the_title_goes_before_the_question_and_a_whole_word_before_its_beginning(known):
    assert names(find("curve", known)) == ["losses.curve", "bent.top", "bent.over_training"]
    other = replace(VIEWS[1], name="losses.curves", title="Curves")
    assert names(find("curve", findable_records(PLUGINS, [other, VIEWS[1]]))) == ["losses.curve", "losses.curves"]


def test_a_short_word_inside_of_another_is_no_match(known):
    assert names(find("als", known)) == []
    assert names(find("alsam", known)) == ["samples.shown"]


def test_a_misspelt_word_is_read_as_the_one_most_like_it(known):
    findings = find("hesian", known)
    assert findings.read_as == {"hesian": "hessian"}
    assert names(findings) == ["bent.top", "bent.over_training"]


def test_nothing_is_found_by_nothing_or_by_a_word_that_is_like_none(known):
    assert find("  ", known) == find("xyzzyx", known) == Findings()


def test_a_lens_is_found_by_its_question_and_by_its_headings():
    lens = Lens.model_validate(
        {"name": "own", "title": "Own", "question": "What stays?", "sections": [{"title": "Weights", "views": ["a.b"]}]}
    )
    assert find("stays weights", [findable_lens(lens)]).found == (
        Found(kind="lens", name="own", by=("question", "sections")),
    )
