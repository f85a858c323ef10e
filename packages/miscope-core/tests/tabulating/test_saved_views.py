"""Questions to the table that are kept under a name, each a file of the workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from miscope.errors import BadValue, UnknownName
from miscope.store.layout import Layout
from miscope.tabulating.saved_views import KnownViews, SavedView, known_views, remove_view, save_view


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "ws")


def view(name: str, query: str = "find=seed%3D1") -> SavedView:
    return SavedView(name=name, query=query)


def test_what_is_saved_is_listed_by_name_and_gone_once_it_is_removed(layout: Layout) -> None:
    assert known_views(layout) == KnownViews()
    assert not layout.root.exists()
    for each in (view("grokked"), view("All of wd=1 / 50 %", ""), view("Ünlike")):
        save_view(layout, each)
    assert known_views(layout).views == (view("All of wd=1 / 50 %", ""), view("grokked"), view("Ünlike"))
    assert remove_view(layout, "GROKKED") == view("grokked")
    assert [each.name for each in known_views(layout).views] == ["All of wd=1 / 50 %", "Ünlike"]
    with pytest.raises(UnknownName, match="There is no saved view named 'grokked'"):
        remove_view(layout, "grokked")


def test_a_name_that_is_taken_in_any_case_is_given_only_to_who_replaces_it(layout: Layout) -> None:
    save_view(layout, view("grokked", "sort=seed"))
    with pytest.raises(BadValue) as refused:
        save_view(layout, view("Grokked", "sort=step"))
    assert str(refused.value) == (
        "There is a saved view named 'Grokked' already.\n"
        "Names differ in more than upper and lower case.\n"
        "Choose another name, or replace that one."
    )
    save_view(layout, view("Grokked", "sort=step"), over=True)
    assert known_views(layout).views == (view("Grokked", "sort=step"),)


@pytest.mark.parametrize("name", ["", " a", "a\nb", "\ud800", "x" * 101, "\0"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(BadValue) as refused:
        view(name)
    assert (str(refused.value).splitlines()[0], refused.value.field) == (
        "That cannot be the name of a saved view.",
        "name",
    )


@pytest.mark.parametrize("name", ["..", "../../escaped", "con", "a" * 100, "%00", "ß" * 100])
def test_a_name_never_leads_elsewhere(name: str, layout: Layout) -> None:
    save_view(layout, view(name))
    (path,) = layout.table_views.iterdir()
    assert path.resolve().parent == layout.table_views.resolve()
    assert known_views(layout).views == (view(name),)


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"name": "other", "query": ""}', b'{"name": 3, "query": ""}'])
def test_what_nobody_here_wrote_is_named_and_the_rest_is_listed(content: bytes, layout: Layout) -> None:
    save_view(layout, view("grokked"))
    path = layout.table_views / "0000000000000000.json"
    path.write_bytes(content)
    known = known_views(layout)
    assert known.views == (view("grokked"),)
    (problem,) = known.broken
    assert problem.startswith(f"{path} cannot be read.\nIt holds no saved view: ")
