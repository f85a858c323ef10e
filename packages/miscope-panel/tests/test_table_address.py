"""What is asked of the table of variants, through an address and back."""

from urllib.parse import parse_qsl, urlencode

from hypothesis import given
from hypothesis import strategies as st

from miscope.tabulating.asked import Order, TableAsked
from miscope_panel.shown.table_address import asked_in, query_of, read_asked, write_asked

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
ORDER = st.builds(Order, column=NAMES, descending=st.booleans())
ASKED = st.builds(
    TableAsked,
    text=TEXTS,
    where=TEXTS,
    order=st.lists(ORDER, unique_by=lambda order: order.column, max_size=3).map(tuple),
    columns=st.lists(NAMES, unique=True, max_size=4).map(tuple),
    group=st.lists(NAMES, unique=True, max_size=3).map(tuple),
    at=st.none() | st.integers(0, 10**18 - 1),
)


@given(ASKED)
def test_every_question_survives_the_address_bar(asked):
    query = urlencode(write_asked(asked))
    assert read_asked(dict(parse_qsl(query, keep_blank_values=True))) == asked
    assert asked_in(query_of(asked)) == asked


def test_what_is_not_asked_is_not_written():
    assert write_asked(TableAsked()) == []


def test_an_address_of_the_table_can_be_read_by_people():
    asked = TableAsked(
        text="seed=1",
        where="prime > 50",
        order=(Order(column="test_loss", descending=True), Order(column="prime")),
        columns=("variant", "events.grokking/fell"),
        group=("prime",),
        at=2500,
    )
    assert write_asked(asked) == [
        ("find", "seed=1"),
        ("where", "prime > 50"),
        ("sort", "test_loss:desc,prime"),
        ("columns", "variant,events.grokking/fell"),
        ("group", "prime"),
        ("at", "2500"),
    ]


def test_what_cannot_be_read_asks_nothing():
    assert read_asked({"sort": ",:desc,,", "columns": ",", "find": "", "at": "-1"}) == TableAsked()
