"""The view catalogue: one figure for every universal instrument, in modules named like the analyzers'."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from miscope import hookimpl

if TYPE_CHECKING:
    from miscope import View


@hookimpl
def miscope_views() -> Iterable[View]:
    from miscope_views import (
        ablations,
        atlas,
        attention,
        behaviour,
        circuits,
        coarseness,
        cohort,
        connectivity,
        dimensions,
        dynamics,
        events,
        factors,
        flatness,
        geometry,
        gradients,
        groups,
        heads,
        integrity,
        keys,
        learning,
        neurons,
        parameters,
        phases,
        products,
        progress,
        ranks,
        scores,
        spectra,
        stages,
        streams,
        summary,
        units,
    )

    for module in (
        behaviour,
        learning,
        events,
        integrity,
        summary,
        stages,
        parameters,
        dynamics,
        ranks,
        flatness,
        connectivity,
        spectra,
        products,
        factors,
        keys,
        progress,
        neurons,
        attention,
        heads,
        phases,
        geometry,
        dimensions,
        scores,
        ablations,
        units,
        coarseness,
        circuits,
        cohort,
        gradients,
        streams,
        groups,
        atlas,
    ):
        yield from module.VIEWS
