"""Run every command of docs/sae.md and draw its figures: autoencoders of the demo's run, one of every 200th step."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from miscope.analysis.analyze import analyze
from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.figures.export import Exporter
from miscope.figures.render import render
from miscope_modadd.demo import DEMO, FAMILY
from miscope_sae import autoencoders

SITE = "blocks.0.mlp.hook_post"
SHORT = {"steps": 1000, "k": 8}
SIZE = {"width": 760, "height": 480, "scale": 1}
FEW = {"architecture": "batchtopk", "latents": "0.25x", "k": 8, "allow_out_of_range": True, "checkpoints": "every:100"}
OF_LAST = ("sae.density", "sae.purity", "sae.decoder", "sae.ranked")
OF_FEW = ("sae.reconstruction", "sae.sparsity", "sae.spliced", "sae.maps", "sae.purity_over_training")


def main() -> None:
    """Train, analyze, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--workspace", type=Path, default=Path("sae-workspace"))
    asked = parser.parse_args()
    place = open_bound(asked.workspace)
    series, seeds, few = trained(place)
    asked.out.mkdir(parents=True, exist_ok=True)
    shown: dict[str, Any] = {name: seeds[0].value for name in OF_LAST} | {name: few.value for name in OF_FEW}
    shown |= {"sae.transfer": [one.value for one in series], "sae.agreement": [one.value for one in seeds]}
    with Exporter() as exporter:
        for name, what in shown.items():
            controls = {"by": "purity"} if name == "sae.maps" else {}
            figure = render(place.value, place.value.plugins.view(name), what, **controls)
            exporter.export(figure, asked.out / f"{name}.png", **SIZE)
            print(name, flush=True)


def trained(place: BoundWorkspace) -> tuple[list[BoundVariant], list[BoundVariant], BoundVariant]:
    """One of every 200th step, three seeds of the last, and one of few latents; analyzed alone and together."""
    run = place.variant(FAMILY, **DEMO)
    done(run)
    series = autoencoders(run, SITE, step="every:200", **SHORT)
    seeds = [one for seed in (0, 1, 2) for one in autoencoders(run, SITE, seed=seed, **SHORT)]
    (few,) = autoencoders(run, SITE, **FEW)
    for one in {each.name: each for each in (*series, *seeds, few)}.values():
        done(one)
    for several, names in ((series, ["sae.transfer"]), (seeds, ["sae.agreement"])):
        for outcome in analyze(place.value, [one.value for one in several], names):
            assert not outcome.error, outcome.error
    for one in (*series, *seeds[:1], few):
        one.analyze()
    return series, seeds, few


def done(variant: BoundVariant) -> None:
    """Train it to its end."""
    for progress in variant.train(threads=1):
        if progress.step % 500 == 0:
            print(variant.name, progress.step, flush=True)


if __name__ == "__main__":
    main()
