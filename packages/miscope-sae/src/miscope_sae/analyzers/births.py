"""Since when there is what a latent writes: of latents that several checkpoints of a training share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, final

import numpy as np
from pydantic import Field

from miscope import Analyzer, Arrays, Grain, Needs, Observation, ObservedArtifact, Options, Snapshot
from miscope.errors import DoesNotApply
from miscope.lazily import torch
from miscope_sae.measuring.fidelity import unexplained
from miscope_sae.measuring.latent_scaling import scaling, split_with
from miscope_sae.measuring.presence import changes, lifetimes, presence, towards
from miscope_sae.measuring.principal_components import PrincipalComponents
from miscope_sae.roles import DECODER
from miscope_sae.rows.probe_parts import ALL, TRAIN, parts_of
from miscope_sae.sites import INPUT, LATENTS, RECONSTRUCTED

if TYPE_CHECKING:
    from torch import Tensor

    from miscope import SourceCheckpoint

_EARLY, _LATE = 0.2, 0.5
"""Shares between which a birth is looked for, to see whether it hangs on where the line is drawn."""
_LEAST = 1e-12
"""Mean norms below it count as this."""
_LINEAR = 1e-3
"""Share of the reconstructions' spread by which they may differ from what latents decode to."""

Share = Annotated[float, Field(gt=0, lt=1)]


class BirthOptions(Options):
    """From when on a latent counts as there, in shares of its largest norm."""

    enter: Share = 0.3
    """Above it, at two checkpoints running, a latent is born; where it is not above it, its direction is not read."""
    leave: Share = 0.15
    """Below it a latent that was born is gone."""
    hidden: Share = 0.3
    """Of a latent's largest strength: what the error may hold of it at a checkpoint where it is not there."""
    relative: bool = False
    """Whether all is taken over the mean norm of the activations at the checkpoint: then a site that only grows gives
    no births."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Parted:
    """Activations and directions of m latents, parted by checkpoint; raw."""

    latents: Tensor
    """(N, m)."""
    inputs: Tensor
    """(T, N, d)."""
    found: Tensor
    """(T, N, d)."""
    decoder: Tensor
    """(T, m, d), in the units of the inputs."""

    @cached_property
    def active(self) -> Tensor:
        """(N, m) bool."""
        return self.latents > 0


def births(snapshot: Snapshot[BirthOptions]) -> Arrays:
    """Presence, birth, death and turning of every latent over the checkpoints of what a crosscoder is built on.

    In raw space, or with `relative` in units of each checkpoint's mean norm. Of latents that are active at some input;
    the others are NaN. A birth or death is not to be trusted where the error still holds the latent's direction at a
    checkpoint at which it is not written, or where another latent with the same inputs writes at other checkpoints.
    """
    options, steps = snapshot.options, _steps(snapshot.sources)
    parted = _parted(snapshot, len(steps))
    fires = parted.active.any(0).numpy()
    norms = parted.decoder.norm(dim=2).T.double().numpy()
    share = np.where(fires[:, None], presence(norms), np.nan)
    there = share > options.enter
    lived, early, late = (
        lifetimes(share, enter, min(options.leave, enter)) for enter in (options.enter, _EARLY, _LATE)
    )
    to_last, to_next = towards(parted.decoder.transpose(0, 1).double().numpy(), there)
    in_error, in_found = _scalings(parted, share)
    hidden = ((in_error > options.hidden) & ~there & fires[:, None]).max(axis=1)
    twin = split_with(parted.active, there)
    switches, expected = changes(there[fires])
    return {
        "at": steps,
        "norm": np.where(fires[:, None], norms, np.nan),
        "presence": share,
        "birth": _named(steps, lived.birth),
        "death": _named(steps, lived.death),
        "birth_early": _named(steps, early.birth),
        "birth_late": _named(steps, late.birth),
        "to_last": to_last,
        "to_next": to_next,
        "in_error": in_error,
        "in_reconstruction": in_found,
        "hidden": hidden,
        "split_with": twin,
        "trusted": fires & (lived.birth >= 0) & ~hidden & (twin < 0),
        "density": parted.active.double().mean(0).numpy(),
        "changes": np.array(switches),
        "changes_in_any_order": np.array(expected),
        **_left_over(snapshot, parted),
    }


def _steps(sources: Sequence[SourceCheckpoint]) -> np.ndarray:
    """(T,) ascending. Raises DoesNotApply where they are no checkpoints of one site."""
    meant = [each.source for each in sources]
    if len(meant) < 2 or len({(each.variant, each.site) for each in meant}) > 1:
        raise DoesNotApply("it is not built on several checkpoints of one site")
    steps = np.array([each.step for each in meant], dtype=np.int64)
    if (np.diff(steps) <= 0).any():
        raise DoesNotApply("the checkpoints it is built on do not ascend")
    return steps


def _parted(snapshot: Snapshot[BirthOptions], count: int) -> _Parted:
    latents, decoder = snapshot.activations[LATENTS].flatten(1), snapshot.weights[DECODER].flatten(1)
    inputs, found = (snapshot.activations[site].flatten(1) for site in (INPUT, RECONSTRUCTED))
    if decoder.shape != (latents.shape[1], inputs.shape[1]) or inputs.shape[1] % count:
        raise DoesNotApply(
            f"its decoder of {' x '.join(map(str, decoder.shape))} has no part for each of {count} checkpoints"
        )
    given, answered = (rows.unflatten(1, (count, -1)).transpose(0, 1).contiguous() for rows in (inputs, found))
    directions = decoder.unflatten(1, (count, -1)).transpose(0, 1).contiguous()
    units = torch.stack([_unit(latents @ one, rows) for one, rows in zip(directions, answered, strict=True)])
    sizes = given.norm(dim=2).mean(1) if snapshot.options.relative else torch.ones(count)
    given, answered, made = (
        rows / sizes.clamp(min=_LEAST)[:, None, None] for rows in (given, answered, directions * units[:, None, None])
    )
    return _Parted(latents=latents, inputs=given, found=answered, decoder=made)


def _unit(decoded: Tensor, found: Tensor) -> Tensor:
    """The one number between what latents decode to and raw reconstructions, both (N, d); 1 where nothing is decoded.

    Raises DoesNotApply where there is no such number.
    """
    decoded, found = (rows.double() - rows.double().mean(0) for rows in (decoded, found))
    power = decoded.square().sum()
    unit = (decoded * found).sum() / power if bool(power > 0) else torch.ones((), dtype=torch.float64)
    if bool((found - unit * decoded).norm() > _LINEAR * found.norm()):
        raise DoesNotApply("what it reconstructs at a checkpoint is no multiple of what its latents decode to")
    return unit.float()


def _scalings(parted: _Parted, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(m, T) of errors and of reconstructions, along each latent's direction where that is largest."""
    strongest = torch.from_numpy(np.nan_to_num(share, nan=-1.0).argmax(axis=1))
    directions = parted.decoder[strongest, torch.arange(len(strongest))]
    pairs = [
        (scaling(parted.latents, directions, given - found), scaling(parted.latents, directions, found))
        for given, found in zip(parted.inputs, parted.found, strict=True)
    ]
    errors, founds = zip(*pairs, strict=True)
    return np.stack(errors, axis=1), np.stack(founds, axis=1)


def _named(steps: np.ndarray, places: np.ndarray) -> np.ndarray:
    return np.where(places >= 0, steps[np.maximum(places, 0)].astype(np.float64), np.nan)


def _left_over(snapshot: Snapshot[BirthOptions], parted: _Parted) -> dict[str, np.ndarray]:
    """FVU of each checkpoint by itself, of each part of the probe, beside as many principal components."""
    parts = parts_of(snapshot.probe)
    trained, active = parts.get(TRAIN, parts[ALL]), parted.active.sum(1).double().numpy()
    left: dict[str, list[float]] = {f"{part}/{name}": [] for part in parts for name in ("fvu", "pca_fvu")}
    for given, found in zip(parted.inputs, parted.found, strict=True):
        x, guess = given.double().numpy(), found.double().numpy()
        components = PrincipalComponents.of(x[trained])
        for part, rows in parts.items():
            count = min(x.shape[1], max(1, round(float(active[rows].mean()))))
            left[f"{part}/fvu"].append(unexplained(x[rows], guess[rows]))
            left[f"{part}/pca_fvu"].append(components.unexplained(x[rows], count))
    return {name: np.array(values) for name, values in left.items()}


def births_observed(seen: ObservedArtifact) -> list[Observation]:
    """How many latents are born after the first checkpoint, how many of these births can be trusted, and whether their
    order says anything."""
    arrays = seen.arrays
    at, birth, trusted = arrays["at"], arrays["birth"], arrays["trusted"]
    there, later = np.isfinite(birth), birth > at[0]
    if not there.any():
        return []
    text = (
        f"Of {int(there.sum()):,} latents that {len(at)} checkpoints share, {seen.at(at[0])} to {seen.at(at[-1])}, "
        f"{int(later.sum()):,} are born after the first, {int((later & trusted).sum()):,} of them to be trusted by "
        f"latent scaling; they come or go {int(arrays['changes']):,} times, "
        f"{float(arrays['changes_in_any_order']):.3g} times were the checkpoints in any order."
    )
    return [Observation(text=text, value=float(later.sum()))]


BIRTHS = Analyzer(
    name="sae.births",
    version=1,
    grain=Grain.CHECKPOINT,
    synonyms=("crosscoder", "features over training"),
    compute=births,
    observe=births_observed,
    needs=Needs(sites=(INPUT, LATENTS, RECONSTRUCTED), weights=(DECODER,), sources=True),
    options=BirthOptions,
    question="When is what a latent writes born, when does it die, how does it turn, and is its absence real?",
    formula="r_i(t) = |w_i^t| / max_s |w_i^s| of raw decoder rows; born at the first two checkpoints running above 0.3",
    source="Crosscoders: Lindsey et al. 2024; over training: Ge et al. 2025 (arXiv 2509.17196); latent scaling: Minder "
    "et al. 2025 (arXiv 2504.02922)",
    outputs={
        "at": "(T,) steps of what it is built on, ascending",
        "norm": "(m, T) norm of what each latent writes at each; NaN of latents that are active at no input",
        "presence": "(m, T) that over its largest",
        "birth": "(m,) step at which it is born; NaN where it never is",
        "death": "(m,) first step at which it is gone for good; NaN where it stays",
        "birth_early": "(m,) birth where 0.2 of its largest norm is enough",
        "birth_late": "(m,) birth where it takes 0.5",
        "to_last": "(m, T) cosine of its direction with the last one it has; NaN where it is not there",
        "to_next": "(m, T - 1) with that of the next checkpoint; NaN where it is not there at both",
        "in_error": "(m, T) beta of latent scaling, along its direction where that is largest, of what is not "
        "reconstructed: near 0 where it is really absent, large where its decoder row was only shrunk",
        "in_reconstruction": "(m, T) the same of what is reconstructed, by all latents together",
        "hidden": "(m,) bool: not there at a checkpoint where the error holds it",
        "split_with": "(m,) latent that is active at the same inputs and there at other checkpoints; -1 where none is",
        "trusted": "(m,) bool: it was born, is neither hidden nor split",
        "density": "(m,) share of the inputs at which it is active",
        "changes": "() times that latents come or go from one checkpoint to the next",
        "changes_in_any_order": "() their mean number over all orders of the checkpoints",
        "PART/fvu": "(T,) fraction of variance unexplained of each checkpoint by itself; PART is all, and train, "
        "held_out (of the crosscoder), source_train, source_test (of what it is built on) where that is known",
        "PART/pca_fvu": "(T,) of as many principal components of that checkpoint as an input has latents",
    },
)
