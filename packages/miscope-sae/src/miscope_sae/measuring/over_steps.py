"""Which autoencoders are compared over the steps of their source: those of one configuration, or one warm series."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from miscope import Arrays
from miscope.errors import DoesNotApply
from miscope_sae.measuring.ended import Ended
from miscope_sae.warm_start import LENGTHS

__all__ = ["OUTPUTS", "OverSteps"]

OUTPUTS: Mapping[str, str] = {
    "warm": "(1,) 'forward' or 'backward' of a series in which each began with the weights of the one before; else ''",
    "left_out": "(m,) names of those of the first step that began anew beside such a series and are no part of it",
}
"""What an instrument that compares them says of which they are, by the names of `OverSteps.arrays`."""

_MAY_DIFFER = {"step", "seed", "imported", "begins_with", "begins_at"}


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class OverSteps:
    """What is compared, and what lies beside it."""

    members: Sequence[Ended]
    """By the step they are built on."""
    left_out: Sequence[Ended]
    """That of the first step is trained anew beside a warm series, for the figures that compare one with it."""

    @classmethod
    def of(cls, several: Sequence[Ended]) -> OverSteps:
        """Raises DoesNotApply where they differ in more than the step, the seed and the file they are from, or where
        one reconstructs another site than it reads: what that would do at another step hangs on both."""
        if any(len(each.sources) != 1 for each in several):
            raise DoesNotApply("they reconstruct another site than they read")
        for what, different in (
            ("are of several architectures", {each.variant.family for each in several}),
            ("are built on several variants", {each.source.variant for each in several}),
            ("are of several sites", {each.source.site for each in several}),
        ):
            if len(different) > 1:
                raise DoesNotApply(f"they {what}: {', '.join(sorted(different))}")
        left_out = _beside_a_series(several)
        members = [each for each in several if each not in left_out]
        if differ := _different(_settings(members)):
            raise DoesNotApply(f"they differ in {', '.join(differ)}")
        return cls(members=sorted(members, key=lambda each: each.source.step), left_out=left_out)

    @property
    def arrays(self) -> Arrays:
        """Of the outputs that say which they are."""
        warm = next((str(warm) for each in self.members if (warm := each.settings.get("warm"))), "")
        return {
            "warm": np.array([warm]),
            "left_out": np.array([each.variant.name for each in self.left_out], dtype=str),
        }


def _beside_a_series(several: Sequence[Ended]) -> list[Ended]:
    """Those of the first step that began anew, with which none begins, where the others are a warm series.

    That is of their configuration: with what the series began they differ in nothing but step and seed.
    """
    begun_with = {each.settings.get("begins_with") for each in several}
    anew = [each for each in several if not each.settings.get("warm")]
    first = [each for each in anew if each.variant.name in begun_with]
    beside = [each for each in anew if each.variant.name not in begun_with]
    least = min(each.source.step for each in several)
    if not first or any(each.source.step > least for each in beside):
        return []
    return [each for each in beside if not _different([first[0].settings, each.settings])]


def _different(settings: Sequence[Mapping[str, object]]) -> list[str]:
    """The fields in which they differ and should not."""
    names = {name for each in settings for name in each} - _MAY_DIFFER
    return sorted(name for name in names if any(each.get(name) != settings[0].get(name) for each in settings))


def _settings(members: Collection[Ended]) -> list[dict[str, object]]:
    """What is compared of each. The first of a warm series, with which others begin, is trained longer than these."""
    warm = next((member.settings for member in members if member.settings.get("warm")), {})
    theirs = {name: warm[name] for name in ("warm", *LENGTHS) if name in warm}
    begun_with = {member.settings.get("begins_with") for member in members}
    found = []
    for member in members:
        own = member.settings
        if member.variant.name in begun_with and not own.get("warm"):
            own = {name: value for name, value in own.items() if name not in LENGTHS} | theirs
        found.append(own)
    return found
