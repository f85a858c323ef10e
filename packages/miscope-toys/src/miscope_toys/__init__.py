"""Small families without a Fourier basis, on which every universal instrument must speak: induction, parity, groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from miscope import hookimpl

if TYPE_CHECKING:
    from miscope import Family


@hookimpl
def miscope_families() -> Iterable[Family]:
    from miscope_toys.induction import InductionFamily
    from miscope_toys.nanda_induction import NandaInductionFamily
    from miscope_toys.parity import ParityFamily
    from miscope_toys.permutation import PermutationFamily

    return (InductionFamily(), ParityFamily(), PermutationFamily(), NandaInductionFamily())
