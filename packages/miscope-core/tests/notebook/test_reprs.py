"""How handles show themselves: short, escaped, and in no colour of their own."""

from __future__ import annotations

from html import escape

import pytest

from miscope.bound import BoundWorkspace, open_bound
from miscope.testing import tables

FIRST = "toy.sum/v5-seed0-width16"


def test_a_workspace_lists_its_variants(tmp_path):
    place = open_bound(tmp_path / "<here>", tables())
    where = escape(str(tmp_path / "<here>"))
    assert repr(place) == f"BoundWorkspace({str(tmp_path / '<here>')!r})"
    assert place._repr_html_() == (
        f"<b>{where}</b><br>0 variants of 0 families"
        "<table><tr><th>variant</th><th>checkpoints</th><th>last step</th></tr></table>"
    )
    list(place.variant("toy.sum").train(threads=1))
    assert place._repr_html_() == (
        f"<b>{where}</b><br>1 variant of 1 family"
        "<table><tr><th>variant</th><th>checkpoints</th><th>last step</th></tr>"
        f"<tr><td>{FIRST}</td><td>4</td><td>30</td></tr></table>"
    )


def test_a_long_list_ends_with_how_many_more_there_are(tmp_path):
    place = open_bound(tmp_path / "many", tables())
    for seed in range(23):
        place.store.save_variant(place.variant("toy.sum", seed=seed).value)
    shown = place._repr_html_()
    assert shown.count("<tr>") == 21
    assert shown.endswith("<p>and 3 more</p>")


def test_a_variant_shows_what_there_is_of_it(toys: BoundWorkspace):
    assert toys.find(FIRST)._repr_html_() == (
        f"<b>{FIRST}</b><br>4 checkpoints, steps 0 to 30<table>"
        "<tr><th>values</th><td>5</td></tr><tr><th>seed</th><td>0</td></tr><tr><th>width</th><td>16</td></tr></table>"
    )
    assert repr(toys.find(FIRST)) == f"<{FIRST}: 4 checkpoints>"


def test_views_say_which_are_there_and_why_others_are_not(toys: BoundWorkspace):
    views = toys.find("toy.sum/v5-seed1-width16").views
    assert repr(views) == "<3 views of toy.sum/v5-seed1-width16>"
    assert views.toy._repr_html_() == (
        "<b>toy.sum/v5-seed1-width16</b><br>2 of 3 are there"
        "<table><tr><th>name</th></tr><tr><td>toy.broken</td></tr><tr><td>toy.losses</td></tr></table>"
        "<p>Not computed: toy.norms.</p>"
    )
    assert repr(views.toy.losses) == "<toy.losses of toy.sum/v5-seed1-width16>"


def test_artifacts_say_at_how_many_checkpoints_they_are(toys: BoundWorkspace):
    artifacts = toys.find(FIRST).artifacts
    assert list(artifacts["parameters.norms"]["step"]) == [0, 10, 20]
    shown = artifacts.parameters._repr_html_()
    assert shown.startswith(f"<b>{FIRST}</b><br>1 of {len(artifacts.parameters)} are there<table>")
    assert "<tr><td>parameters.norms</td><td>3</td></tr></table>" in shown


def test_a_view_and_a_name_that_is_none_are_said(toys: BoundWorkspace):
    variant = toys.find(FIRST)
    assert repr(variant.at(10).view("toy.norms", order="down")) == f"<toy.norms of {FIRST} at step 10, order='down'>"
    with pytest.raises(AttributeError, match="has no 'nothing'"):
        variant.views.nothing  # noqa: B018 - looking is the test
    with pytest.raises(KeyError):
        variant.views["toy.together"]
