"""What is missing, told once for all that one command brings."""

from miscope.reporting.content import Missing
from miscope.reporting.gaps import gaps

NEVER = "it was never computed"


def never(name: str, of: str, analyzer: str = "") -> Missing:
    command = f"miscope analyze toy/{of} --only {analyzer or name} --workspace '/a b'"
    return Missing(name=name, of=of, reason=NEVER, command=command)


def test_what_one_command_computes_of_a_variant_is_one_gap():
    one, other = gaps([never("a.b", "1"), never("c.d", "2"), never("e.f", "1"), never("view.of", "1", "e.f")])
    assert (one.name, one.of, one.reason) == ("a.b, e.f, view.of", "1", NEVER)
    assert one.command == "miscope analyze toy/1 --only a.b --only e.f --workspace '/a b'"
    assert other == never("c.d", "2")


def test_what_nothing_computes_is_one_gap_of_all_its_variants():
    lacking = [Missing(name="a.b", of=of, reason="there is no grid") for of in ("1", "2")]
    other = Missing(name="a.b", of="3", reason="it failed: ValueError: x")
    assert gaps([*lacking, other]) == (Missing(name="a.b", of="1, 2", reason="there is no grid"), other)
