"""What trainings will take and what should be known of them, said before they begin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from miscope.cli.estimating import basis, note_remarks, written_bytes, written_time
from miscope.cli.printing import note, print_table
from miscope_sae.warm_start import begins_with, from_drawn_weights

if TYPE_CHECKING:
    from miscope import Remark
    from miscope.training.estimate import Estimate
    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["tell", "tell_all"]


def tell(place: Workspace, variants: Sequence[Variant], threads: int | None) -> None:
    """Of trainings of one configuration: the remarks of the first of each site, and how long all of them take.

    Raises BadValue where one of these could not be trained.
    """
    from miscope.training.remarked import refuse_errors

    by_site = _by_site(variants)
    known = {site: _estimate(place, some[0], threads) for site, some in by_site.items()}
    for site, some in by_site.items():
        refuse_errors(some[0].family, known[site].remarks)
    for site, one in known.items():
        if len(known) > 1:
            note(f"{site}:")
        note_remarks(one.remarks)
    if all(one.steps for one in known.values()):
        takes = [each for site, some in by_site.items() for each in _alike(place, some, threads, known[site])]
        note(f"time: {_time(takes)}, {basis(takes[0].measured, variants[0].family)}")


def tell_all(place: Workspace, variants: Sequence[Variant], threads: int | None) -> int:
    """A table of what each takes, and the remarks of each site, each once; 1 where one of them is an error."""
    found = {one.name: _estimate(place, one, threads) for one in variants}
    rows = [
        (name, f"{one.weights:,}", f"{one.steps:,}", f"{one.checkpoints:,}", written_bytes(one.size), _time([one]))
        for name, one in found.items()
    ]
    print_table(("variant", "weights", "steps", "checkpoints", "disk", "time"), rows)
    by_site = _by_site(variants)
    for site, some in by_site.items():
        if len(by_site) > 1:
            note(f"{site}:")
        note_remarks(dict.fromkeys(each for one in some for each in _said(one, found[one.name])))
    known = tuple(found.values())
    note(f"time: {_time(known)}, {basis(known[0].measured, variants[0].family)}")
    return int(any(each.severity == "error" for one in known for each in one.remarks))


def _said(variant: Variant, known: Estimate) -> Iterator[Remark]:
    """Of one that is warm what ends it alone: the rest was found out as if it began anew."""
    return (each for each in known.remarks if each.severity == "error" or not begins_with(variant.params))


def _alike(place: Workspace, variants: Sequence[Variant], threads: int | None, first: Estimate) -> list[Estimate]:
    """What each takes, found out once for each length."""
    by_length = {_length(variants[0]): first}
    for one in variants:
        if _length(one) not in by_length:
            by_length[_length(one)] = _estimate(place, one, threads)
    return [by_length[_length(one)] for one in variants]


def _length(variant: Variant) -> int:
    assert variant.training is not None, "autoencoders are trained here"
    return variant.training.steps


def _by_site(variants: Sequence[Variant]) -> dict[str, list[Variant]]:
    found: dict[str, list[Variant]] = {}
    for one in variants:
        found.setdefault(str(one.params.model_dump()["site"]), []).append(one)
    return found


def _estimate(place: Workspace, variant: Variant, threads: int | None) -> Estimate:
    from miscope.training.estimate import estimate

    return estimate(place, from_drawn_weights(variant), threads=threads or 1)


def _time(found: Sequence[Estimate]) -> str:
    low, high = (written_time(sum(known.seconds[end] for known in found)) for end in (0, 1))
    return f"{low} to {high}"
