"""What is stored of a variant, over HTTP, whoever trained it: metrics, checkpoints, arrays of instruments."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response

from miscope.analysis.artifacts import arrays
from miscope.errors import BadValue
from miscope_panel.http.problem import PREFIX, PROBLEMS
from miscope_panel.rest.caching import tagged
from miscope_panel.rest.checkpoints_api import checkpoints_of
from miscope_panel.rest.metric_curves import FirstStep, LastStep, MetricNames, MostPoints, curves
from miscope_panel.rest.run_answers import answered
from miscope_panel.rest.training_answers import VariantCheckpoints, VariantMetrics
from miscope_panel.rest.workspace_api import VariantName
from miscope_panel.shown.computed_options import options_given

if TYPE_CHECKING:
    from miscope.artifact import Arrays
    from miscope.workspace import Workspace

__all__ = ["variants_router"]

_LARGEST = 2**28
"""Bytes of arrays in one answer."""
_ASKED = ("variant", "analyzer", "step", "names")
_NPZ: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The arrays by name, as `numpy.load` reads them.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
    304: {"description": "It is what `if-none-match` says the asker has."},
}

AnalyzerName = Annotated[str, Query(description="The instrument's name.", examples=["parameters.norms"])]
ArrayNames = Annotated[list[str] | None, Query(max_length=1000, description="Only these arrays; repeatable.")]
Step = Annotated[
    int | None, Query(ge=0, le=10**18 - 1, description="Of the checkpoint; without one all of them, one after another.")
]


def variants_router(workspace: Workspace) -> APIRouter:
    """The routes over what is stored of variants."""
    routes = APIRouter(prefix=PREFIX, tags=["workspace"], responses={**PROBLEMS})

    @routes.get("/metrics", response_model=VariantMetrics)
    def metrics(
        variant: VariantName,
        names: MetricNames = None,
        start_step: FirstStep = None,
        end_step: LastStep = None,
        max_points: MostPoints = None,
    ) -> Response:
        """The metrics of a variant as columns, as those of a training."""
        found = workspace.find(variant)
        series = workspace.store.metrics(found.name, names or ("*",))
        shown = curves(series, start_step, end_step, max_points)
        return answered(VariantMetrics(variant=found.name, metrics=shown))

    @routes.get("/checkpoints", response_model=VariantCheckpoints)
    def checkpoints(variant: VariantName) -> Response:
        """The checkpoints of a variant: size, metrics of that step, what is wrong with one."""
        found = workspace.find(variant)
        kept = checkpoints_of(workspace.store, found.name)
        return answered(VariantCheckpoints(variant=found.name, checkpoints=kept))

    @routes.get("/arrays", response_class=Response, responses={**_NPZ})
    def computed(
        request: Request, variant: VariantName, analyzer: AnalyzerName, step: Step = None, names: ArrayNames = None
    ) -> Response:
        """What an instrument left of a variant, as a file of NumPy (npz); any other parameter is an option that it was
        computed with: `neurons.clusters.threshold=0.8`."""
        given = {name: value for name, value in request.query_params.items() if name not in _ASKED}
        options = options_given(workspace, given)
        found = arrays(workspace, workspace.find(variant), analyzer, step=step, names=names, options=options)
        return tagged(request, Response(_npz(found), media_type="application/octet-stream"))

    return routes


def _npz(found: Arrays) -> bytes:
    held, size = io.BytesIO(), 0
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
        for name in found:
            array = np.asarray(found[name])
            size += array.nbytes
            if size > _LARGEST:
                raise _too_large(len(found))
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    return held.getvalue()


def _too_large(count: int) -> BadValue:
    return BadValue(
        f"The arrays are too large for one answer, of which {_LARGEST >> 20} MiB are the most.",
        f"There are {count}, and those of one checkpoint are smaller than those of all of them.",
        "Ask for a `step`, or for fewer `names`.",
        field="names",
    )
