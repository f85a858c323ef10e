"""Events of training have one set of names, wherever they are spoken of."""

from miscope.maths.dated_events import EVENT_WORDS, long_name, meaning
from miscope.maths.learnt import DATED


def test_every_event_that_is_dated_has_a_name_and_a_meaning():
    assert list(EVENT_WORDS) == list(DATED)
    assert [long_name(event) for event in DATED] == [
        "memorised",
        "test loss peak",
        "onset of test loss fall",
        "half of test loss fall",
        "90 % of test loss fall",
        "generalised",
    ]
    assert all(meaning(event) for event in DATED)


def test_an_event_of_others_is_called_by_its_own_name():
    assert (long_name("slingshot"), meaning("slingshot")) == ("slingshot", "")
