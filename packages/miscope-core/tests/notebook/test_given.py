"""What `miscope.scrub` and `miscope.compare` may be given by mistake is refused in three parts."""

from __future__ import annotations

import pytest

import miscope
from miscope.errors import BadValue, UnknownName
from miscope.remote.remote_variant import RemoteVariant

NAME = "toy.sum/v5-seed0-width16"


@pytest.fixture
def variant(toys):
    return toys.variant("toy.sum")


def refused(call, *given, **more) -> list[str]:
    with pytest.raises(BadValue) as error:
        call(*given, **more)
    told = str(error.value).split("\n")
    assert len(told) == 3, told
    return told


def test_one_view_may_be_given_alone(variant, front_end):
    for view in ("toy.norms", variant.view("toy.norms")):
        assert [card["view"] for card in miscope.scrub(variant, view).cards] == ["toy.norms"]


def test_what_is_no_handle_of_a_variant_is_refused_with_what_makes_one_of_it(variant, front_end):
    remote = RemoteVariant(None, NAME, {}, {})
    assert refused(miscope.scrub, NAME) == [
        f"{NAME!r} is no handle of a variant.",
        "It is a name.",
        f"Take its handle:  workspace.find({NAME!r})",
    ]
    assert refused(miscope.scrub, [variant, variant])[2] == "Show several:  miscope.compare(variants)"
    assert refused(miscope.scrub, variant.at(20))[2] == "Give its `.variant`, and `step` for the step."
    assert refused(miscope.scrub, remote)[2] == "Have it drawn where it is:  variant.view(NAME).figure(step)"
    for other in (None, 3, variant.value, variant.workspace):
        assert refused(miscope.scrub, other)[0] == f"A {type(other).__name__} is no handle of a variant."
        assert refused(miscope.compare, [variant, other])[0] == f"A {type(other).__name__} is no handle of a variant."


def test_what_is_no_view_is_refused(variant, front_end):
    other = variant.workspace.variant("toy.sum", seed=1)
    for call, shown in ((miscope.scrub, variant), (miscope.compare, [variant, other])):
        assert refused(call, shown, [])[0] == "No view was chosen."
        for views in (7, [7], [None]):
            kind = type(views[0] if isinstance(views, list) else views).__name__
            assert refused(call, shown, views)[0] == f"A {kind} is no view."
        assert refused(call, shown, "toy.norms", step="last")[0] == "'last' is not a step."
        assert refused(call, shown, "toy.norms", step=float("nan"))[0] == "nan is not a step."


def test_a_name_that_is_no_text_is_an_unknown_one(variant):
    for call in (variant.view, variant.workspace.find):
        for name in (7, None):
            with pytest.raises(UnknownName, match=f"named {name}"):
                call(name)
    assert refused(variant.metric, 7)[0] == "7 is no name of a metric."


def test_what_cannot_be_compared_is_refused(variant, front_end):
    other = variant.workspace.variant("toy.sum", seed=1)
    for one in (variant, NAME):
        assert refused(miscope.compare, one)[0] == "One variant cannot be compared."
    assert refused(miscope.compare, 7)[0] == "A int holds no variants."
    assert refused(miscope.compare, [], workspace=variant.workspace)[0] == "0 variants cannot be compared."
    for align in (None, 3, "grokked"):
        assert refused(miscope.compare, [variant, other], align=align)[0] == f"Variants cannot be aligned by {align!r}."
    assert refused(miscope.compare, [NAME, "b"], workspace="ws")[0] == "A str is no workspace."
