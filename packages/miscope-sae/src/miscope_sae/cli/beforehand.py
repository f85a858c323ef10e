"""What trainings will take and what should be known of them, said before they begin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from miscope.cli.estimating import basis, note_remarks, written_bytes, written_time
from miscope.cli.printing import note, print_table
from miscope.cli.short_names import note_shortened, shown_names
from miscope_sae.warm_start import from_drawn_weights

if TYPE_CHECKING:
    from miscope import Remark
    from miscope.training.estimate import Estimate
    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["tell", "tell_all"]

_BESIDE = 64
"""Characters of the columns beside the names."""

_Found: TypeAlias = "Mapping[str, Estimate]"
"""What each training will take, by its variant's name."""


def tell(place: Workspace, variants: Sequence[Variant], threads: int | None) -> None:
    """Of trainings of one configuration: what should be known of those of each site, and how long all of them take.

    Found out once for those of one site that are as long and have come as far. Raises BadValue where one of these
    could not be trained.
    """
    from miscope.training.remarked import refuse_errors

    alike: dict[tuple[str, int, int], Estimate] = {}
    found = {}
    for one in variants:
        which = (_site(one), _length(one), max(place.store.steps(one.name), default=0))
        if which not in alike:
            alike[which] = _estimate(place, one, threads)
            refuse_errors(one.family, alike[which].remarks)
        found[one.name] = alike[which]
    _note(variants, found)


def tell_all(place: Workspace, variants: Sequence[Variant], threads: int | None) -> int:
    """A table of what each takes, and the same; 1 where one of them could not be trained."""
    found = {one.name: _estimate(place, one, threads) for one in variants}
    shown = shown_names([*found, *place.names()], beside=_BESIDE)
    rows = [_row(shown[name], known) for name, known in found.items()]
    print_table(("variant", "weights", "steps", "checkpoints", "disk", "time"), rows)
    note_shortened(shown)
    _note(variants, found)
    return int(any(each.severity == "error" for known in found.values() for each in known.remarks))


def _row(name: str, known: Estimate) -> tuple[str, ...]:
    weights = f"{known.weights:,}"
    if not known.steps:
        return name, weights, "none left", "-", "-", "-"
    return name, weights, f"{known.steps:,}", f"{known.checkpoints:,}", written_bytes(known.size), _time([known])


def _note(variants: Sequence[Variant], found: _Found) -> None:
    """The remarks of each site, and the time that is left of all."""
    by_site: dict[str, list[Variant]] = {}
    for one in variants:
        by_site.setdefault(_site(one), []).append(one)
    for site, some in by_site.items():
        if len(by_site) > 1:
            note(f"{site}:")
        note_remarks(dict.fromkeys(_said([found[one.name] for one in some])))
    known = list(found.values())
    if any(each.steps for each in known):
        note(f"time: {_time(known)}, {basis(known[0].measured, variants[0].family)}")
    else:
        note("Nothing is left to train.")


def _said(known: Sequence[Estimate]) -> Iterator[Remark]:
    """All that is said of the first; of others of its configuration what is wrong or unwise."""
    yield from known[0].remarks
    for other in known[1:]:
        yield from (each for each in other.remarks if each.severity != "info")


def _length(variant: Variant) -> int:
    assert variant.training is not None, "autoencoders are trained here"
    return variant.training.steps


def _site(variant: Variant) -> str:
    return str(variant.params.model_dump()["site"])


def _estimate(place: Workspace, variant: Variant, threads: int | None) -> Estimate:
    from miscope.training.estimate import estimate

    return estimate(place, from_drawn_weights(variant), threads=threads or 1)


def _time(found: Sequence[Estimate]) -> str:
    low, high = (written_time(sum(known.seconds[end] for known in found)) for end in (0, 1))
    return f"{low} to {high}"
