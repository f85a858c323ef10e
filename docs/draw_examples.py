"""Draw an example of every view into docs/examples, and record there which families each of them draws.

Small runs of several families are trained in ./examples-workspace, once; a picture that is there is left as it is
unless --anew is given. Published checkpoints, where they lie beside the project, are looked at too.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from plotly.graph_objects import Figure

import miscope_lal
import miscope_modadd
import miscope_sae
import miscope_toys
import miscope_views
from miscope.analysis.analyze import analyze
from miscope.analyzer import Grain
from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.errors import DoesNotApply, NoArtifact
from miscope.figures.export import Exporter
from miscope.figures.render import render
from miscope.outcome import State
from miscope.testing import coverage, coverage_of, tables
from miscope.variant import Variant
from miscope.view import View
from miscope_modadd.demo import DEMO, FAMILY

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "examples"
PUBLISHED = ROOT.parent / "shared" / "calibration" / "induction_head_infinite.pth"
BUILT_ON = {
    **{"variant": "toy.sum/v5-seed0-width16", "step": 20, "site": "blocks.0.mlp.hook_post"},
    **{"latents": 24, "allow_out_of_range": True},
}
"""A toy's neurons, and latents for them."""
OVER_CHECKPOINTS = {**{name: BUILT_ON[name] for name in BUILT_ON if name != "step"}, "source_steps": [2, 10, 20]}
"""The same at several of its checkpoints."""
SMALL = {
    "modadd.transformer": {"prime": 7},
    "modadd.nanda2023": {"prime": 7},
    "modadd.mlp": {"prime": 7},
    "modadd.embedding-mlp": {"prime": 7},
    "toys.induction": {"vocabulary": 12, "length": 16, "sequences": 64, "width": 16},
    "toys.parity": {"bits": 6, "degree": 2, "examples": 60, "width": 16},
    "toys.permutation": {"degree": 3, "width": 8, "neurons": 16},
    "lal.mlp": {"prime": 7, "n_layers": 2, "hidden_dim": 16},
    "lal.transformer": {"prime": 5, "hidden_dim": 8, "n_heads": 2},
    "lal.routed": {"prime": 7, "n_layers": 2, "hidden_dim": 8},
    "lal.routed-transformer": {"prime": 5, "n_layers": 1, "hidden_dim": 8, "n_heads": 2},
    "sae.known-features": {"features": 12, "width": 8, "inputs": 100},
    "sae.known-births": {"features": 12, "width": 8, "inputs": 100},
    "sae.crosscoder": OVER_CHECKPOINTS,
    "sae.crosscoder-batchtopk": {**OVER_CHECKPOINTS, "k": 3},
    **{f"sae.{name}": BUILT_ON for name in ("standard", "jumprelu", "gated", "skip")},
    "sae.transcoder": {**BUILT_ON, "target_site": "blocks.0.hook_resid_post"},
    **{f"sae.{name}": {**BUILT_ON, "k": 3} for name in ("topk", "batchtopk", "matryoshka")},
}
"""Sizes at which a family is trained to see which views draw it."""
GROKKING = {
    **{"prime": 17, "train_fraction": 0.7, "warmup_steps": 100},
    **{"evaluate_every": 25, "steps": 2500, "checkpoints": "every:250"},
}
"""A transformer that groks within 1,500 epochs where its weights decay."""
WATCHED = {"lal.transformer": ("curvature.gradient:25", "smoothness.spectrum:50")}
"""Instruments that are recorded while a family's runs train."""
BETTER_OF = {
    **{"cohort.quality": "lal.transformer", "cohort.recorded": "lal.transformer"},
    **dict.fromkeys(("sae.reconstruction", "sae.sparsity", "sae.spliced", "sae.maps"), "sae.batchtopk"),
}
"""Views with a family whose runs show more than the others'."""
LONGEST = ("sae.transfer", "sae.codability")
"""Views that compare steps: of the most runs."""
GAIN = ("gain-k5-x3-from200-to600",)
"""A frequency made stronger while the demo has memorised and not yet generalised."""
ROUTED = {
    **{"prime": 17, "n_layers": 2, "hidden_dim": 32, "weight_decay": 2.0, "train_fraction": 0.8},
    **{"lambda_routing": 0.1, "steps": 4000, "checkpoints": "every:200"},
}
"""A network that routes, and decides."""
SIZE = {"width": 760, "height": 480, "scale": 1}


def main() -> None:
    """Record, train, analyze, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--anew", action="store_true", help="draw also what has a picture")
    parser.add_argument("--only", nargs="*", default=[], help="these views")
    asked = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    place = open_bound(ROOT / "examples-workspace")
    if not asked.only:
        record()
    runs = trained(place)
    with Exporter() as exporter:
        for name, view in sorted(place.plugins.views.items()):
            path = OUT / f"{name}.png"
            if (asked.only and name not in asked.only) or (path.exists() and not asked.anew and not asked.only):
                continue
            exporter.export(example(place, view, runs), path, **SIZE)
            print(path, flush=True)


def record() -> None:
    """Write coverage.json; what cannot be looked at here keeps its entry."""
    plugins = tables(modadd=miscope_modadd, toys=miscope_toys, lal=miscope_lal, sae=miscope_sae, views=miscope_views)
    path = OUT / "coverage.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for family, params in SMALL.items():
        found[family] = coverage(plugins.families[family], plugins, params)
        print(family, sum(not reason for reason in found[family].values()), "of", len(found[family]), flush=True)
    if PUBLISHED.exists():
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            place = open_bound(folder, plugins)
            found["toys.nanda-induction"] = coverage_of(place.value, [one.value for one in place.adopt(PUBLISHED)])
    path.write_text(json.dumps(dict(sorted(found.items())), indent=1) + "\n", encoding="utf-8")


def trained(place: BoundWorkspace) -> list[list[BoundVariant]]:
    """Several seeds of each kind of run, trained and analyzed."""
    demo = [place.variant(FAMILY, **{**DEMO, "seed": seed, "save_optimizer": True}) for seed in (0, 1, 2)]
    gained = place.variant(FAMILY, **DEMO, interventions=GAIN)
    kinds = [
        demo,
        [gained, demo[0]],
        [place.variant("toys.induction", seed=seed) for seed in (0, 1)],
        [place.variant("toys.parity", seed=seed) for seed in (0, 1)],
        [place.variant("toys.permutation", seed=seed) for seed in (0, 1)],
        [place.variant("lal.routed", **ROUTED)],
        *autoencoders_of(demo[0]),
        [place.variant("lal.transformer", **GROKKING, weight_decay=decay) for decay in (0.1, 1.5, 3.0)],
    ]
    for variants in kinds:
        for variant in variants:
            for progress in variant.train(threads=1, watch=WATCHED.get(variant.value.family, ())):
                if progress.step % 500 == 0:
                    print(variant.name, progress.step, flush=True)
        check(place, variants, None)
        for name, analyzer in place.plugins.analyzers.items():
            if not analyzer.opt_in:
                continue
            try:
                check(place, variants if analyzer.grain is Grain.COHORT else variants[:1], [name])
            except DoesNotApply as error:
                print(error, flush=True)
    return kinds


def autoencoders_of(run: BoundVariant) -> list[list[BoundVariant]]:
    """Of a trained run: of three seeds, of several checkpoints, one of few latents, three that checkpoints share, and a
    trial of the first on births that are known."""
    from miscope_sae import autoencoders, trial

    for _ in run.train(threads=1):
        pass
    site, short = "blocks.0.mlp.hook_post", {"steps": 1000, "k": 8}
    shared = {"architecture": "crosscoder", "latents": 256, "steps": 1000, "allow_out_of_range": True}
    few = {"architecture": "batchtopk", "latents": "0.25x", "allow_out_of_range": True, "checkpoints": "every:100"}
    crosscoders = [one for seed in (0, 1, 2) for one in autoencoders(run, site, step="every:200", seed=seed, **shared)]
    for _ in crosscoders[0].train(threads=1):
        pass
    return [
        [one for seed in (0, 1, 2) for one in autoencoders(run, site, seed=seed, **short)],
        [
            *autoencoders(run, site, step="every:200", **short),
            *autoencoders(run, site, step="every:400", seed=1, **short),
        ],
        [one for step in ("last", "first") for one in autoencoders(run, site, step=step, **few)],
        crosscoders,
        [trial(crosscoders[0])],
    ]


def check(place: BoundWorkspace, variants: list[BoundVariant], names: list[str] | None) -> None:
    """Analyze them, together where that is asked; anything that fails is said."""
    for outcome in analyze(place.value, [variant.value for variant in variants], names):
        if outcome.state in (State.FAILED, State.NOT_TRIED):
            print(outcome.variant, outcome.analyzers, outcome.step, outcome.error, outcome.trace, flush=True)


def example(place: BoundWorkspace, view: View, runs: list[list[BoundVariant]]) -> Figure:
    """The view of the first run that it draws."""
    better = BETTER_OF.get(view.name)
    many = view.name in LONGEST
    for variants in sorted(runs, key=lambda those: (those[0].value.family != better, -len(those) if many else 0)):
        for shown in candidates(view, variants):
            try:
                return render(place.value, view, shown)
            except (DoesNotApply, NoArtifact) as error:
                reason = error
    raise SystemExit(f"{view.name} draws none of the example runs: {reason}")


def candidates(view: View, variants: list[BoundVariant]) -> Iterator[Variant | list[Variant]]:
    """All of them for a view that compares, else the first."""
    values = [variant.value for variant in variants]
    yield values if view.grain is Grain.COHORT else values[0]


if __name__ == "__main__":
    main()
