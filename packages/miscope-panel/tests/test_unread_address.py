"""What an address names that is not here is said, with the nearest that is."""

import pytest

from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.pages import server_context
from miscope_panel.shown.unread_address import unread

PAGES = {"views": "Workbench", "runs": "Runs", "compare": "Compare"}
VIEWS = {"behaviour.losses": "Train and test loss", "ranks.weights_over": "Ranks"}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("page=workbench", "There is no page 'workbench'. Nearest: page=views (Workbench)."),
        ("page=zzz", "There is no page 'zzz'. There are: page=views (Workbench) or runs or compare."),
        ("views=ranks.weights", "There is no view 'ranks.weights'. Nearest: views=ranks.weights_over (Ranks)."),
        (
            "compare:views=behaviour.loses,behaviour.losses",
            "There is no view 'behaviour.loses'. Nearest: compare:views=behaviour.losses (Train and test loss).",
        ),
        (
            "cursor:clock=generalised",
            "A time axis cannot be laid out by 'generalised'. Nearest: cursor:clock=since generalised.",
        ),
        ("compare:mode=gird", "Variants cannot be compared by 'gird'. Nearest: compare:mode=grid (Small multiples)."),
    ],
)
def test_what_is_not_here_is_said_with_the_nearest(query: str, said: str):
    assert unread(query, PAGES, VIEWS) == (said,)


def test_where_no_name_is_near_and_there_are_many_it_is_said_where_they_are_listed():
    many = {f"group.view{number}": f"View {number}" for number in range(118)}
    said = "There is no view 'no.such'. There are 118: the Catalogue lists them, and `miscope views`."
    assert unread("views=no.such", PAGES, many) == unread("compare:views=no.such", PAGES, many) == (said,)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?page=views&views=none",
        "views=behaviour.losses~2,behaviour.losses@toy.sum/v5@20&cursor:clock=since onset&cursor:clock=log",
        "page=compare&compare:mode=ab&compare:views=",
    ],
)
def test_of_an_address_that_is_read_nothing_is_said(query: str):
    assert unread(query, PAGES, VIEWS) == ()


def test_the_page_says_it_and_no_more_of_the_next_address(trained, at_once):
    shell = Dashboard(server_context(trained, at_once), "page=workbench&views=no.such").shell
    assert [text.partition(".")[0] for text in shell.unread] == ["There is no page 'workbench'", "There is no view 'no"]
    shell._handle_msg({"query": "?page=runs"})
    assert shell.unread == []
