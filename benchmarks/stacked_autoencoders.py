"""Updates of autoencoders of several checkpoints: one after the other as miscope has them, or stacked in one module.

Both take turns on one thread and on the same inputs, so that a busy machine slows them alike. The stacked update is
written here alone: the same arithmetic, batched over checkpoints.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

from epochs import Epoch, cpu_seconds, trainer_of

SIZES = ((16, 64), (64, 512), (128, 1024))
CHECKPOINTS, BATCH, INPUTS = 8, 1024, 8192
SETTLED = 3
"""Updates of each before any counts."""
ROUNDING = 1e-3
"""Weights of both may differ by so much after all updates; else they are not the same training."""


def main() -> None:
    """Print one JSON object: title, rows, notes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--sizes", nargs="*", type=int, default=[width for width, _ in SIZES])
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
    rows = [compared(width, latents, asked.rounds) for width, latents in SIZES if width in asked.sizes]
    notes = [
        f"sae.standard; CPU time of an update of all {CHECKPOINTS}, medians of {asked.rounds}, in turns; one thread; "
        f"{BATCH} inputs an update, of {INPUTS:,}. After these the weights of both are the same but for rounding."
    ]
    title = f"Autoencoders of {CHECKPOINTS} checkpoints, one by one or stacked"
    print(json.dumps({"title": title, "rows": rows, "notes": notes}))


def compared(width: int, latents: int, rounds: int) -> dict[str, Any]:
    """Milliseconds of both, and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        trainers, stacked = prepared(Path(folder), width, latents)
        updates = (one_by_one(trainers), stacked.update)
        for update in updates:
            for _ in range(SETTLED):
                update()
        taken = [[cpu_seconds(update) for update in updates] for _ in range(rounds)]
    if (apart := stacked.distance(trainers)) > ROUNDING:
        raise SystemExit(f"stacked and single weights differ by {apart:.2g}: that is not the same training.")
    single, together = (1000 * statistics.median(times) for times in zip(*taken, strict=True))
    return {
        "width": width,
        "latents": latents,
        "one by one, ms": single,
        "stacked, ms": together,
        "one by one / stacked": single / together,
    }


def prepared(folder: Path, width: int, latents: int) -> tuple[list[Any], Stacked]:
    """What `miscope sae train --step all` trains with, of each checkpoint, and the same weights and inputs stacked."""
    import miscope_sae
    from miscope.bound import open_bound
    from miscope.testing import tables
    from miscope_sae import autoencoders

    place = open_bound(folder, tables(sae=miscope_sae))
    source = place.variant(
        "sae.known-births", features=4 * width, width=width, inputs=INPUTS, checkpoints=CHECKPOINTS, present=width
    )
    fields = {"latents": latents, "batch_size": BATCH, "steps": 10_000}
    trainers, scales = [], []
    for made in autoencoders(source, "hook_embed", step="all", architecture="standard", **fields):
        context = place.value.context(made.value)
        task = context.family.task(made.value)
        trainers.append(trainer_of(made.value, task, lambda model=context.model: model))
        scales.append((task.train.inputs, context.family.scales_of(made.value.params)[0]))
        config = made.value.training
    return trainers, Stacked(trainers, scales, config)


def one_by_one(trainers: Sequence[Any]) -> Epoch:
    """An update of each, as at a step that records nothing."""
    steps = iter(range(10**9))

    def update() -> None:
        step = next(steps)
        for trainer in trainers:
            trainer.update(step, trainer.loss(step))

    return update


@final
class Stacked:
    """The weights of all checkpoints' autoencoders, (T, ...), and their update."""

    def __init__(self, trainers: Sequence[Any], inputs: Sequence[tuple[Any, float]], config: Any) -> None:
        """inputs: (n, d) and what they are multiplied by, of each checkpoint."""
        import torch

        self.config, self.step = config, 0
        roles = trainers[0].weights
        self.weights = {
            role: torch.nn.Parameter(torch.stack([trainer.weights[role].detach().clone() for trainer in trainers]))
            for role in roles
        }
        self.inputs = torch.stack([rows for rows, _ in inputs])
        self.scales = torch.tensor([scale for _, scale in inputs])[:, None, None]
        self.idle = torch.zeros(self.weights["b_enc"].shape, dtype=torch.int64)
        self.optimizer = torch.optim.Adam(
            list(self.weights.values()), lr=config.learning_rate, betas=config.betas, eps=config.eps
        )
        self.strength = 2 * config.rho * (self.inputs.shape[-1] / config.expected_l0) ** 0.5

    def update(self) -> None:
        """One step down the gradients, which no checkpoint shares with another."""
        import torch

        from miscope.batching import rows_of_batch

        rows = rows_of_batch(self.step, count=self.inputs.shape[1], size=self.config.batch_size, seed=0)
        self.optimizer.zero_grad()
        latents, loss = self._pass(self.inputs[:, rows] * self.scales)
        loss.backward()
        with torch.no_grad():
            self.idle = torch.where(latents.amax(1) > 0, 0, self.idle + 1)
            if bool((self.idle >= self.config.dead_window_steps).all(1).any()):
                raise SystemExit("an autoencoder has no latent left that fires.")
            self._clip()
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.rate_at(self.step)
        self.optimizer.step()
        self.step += 1

    def _pass(self, x: Any) -> tuple[Any, Any]:
        """(T, B, m) latents, and the sum of the losses."""
        import torch

        w = self.weights
        b_dec = w["b_dec"][:, None]
        known = b_dec.detach()
        bias = w["b_enc"][:, None] - torch.bmm(b_dec - known, w["W_enc"])
        latents = torch.relu(torch.baddbmm(bias, x - known, w["W_enc"]))
        error = (torch.baddbmm(b_dec, latents, w["W_dec"]) - x).square().sum(-1).mean(1)
        penalty = torch.bmm(latents, w["W_dec"].norm(dim=2)[:, :, None])[:, :, 0].mean(1)
        warmup = self.config.sparsity_warmup_steps
        return latents.detach(), (error + self.strength * min(1.0, (self.step + 1) / warmup) * penalty).sum()

    def _clip(self) -> None:
        """The gradient of each checkpoint by itself."""
        if self.config.clip_norm is None:
            return
        gradients = [weight.grad for weight in self.weights.values() if weight.grad is not None]
        norms = sum(gradient.flatten(1).square().sum(1) for gradient in gradients).sqrt()
        share = (self.config.clip_norm / (norms + 1e-6)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(share.view(-1, *[1] * (gradient.dim() - 1)))

    def distance(self, trainers: Sequence[Any]) -> float:
        """The largest between any two of their weights."""
        return max(
            float((weight[place] - trainer.weights[role]).detach().abs().max())
            for role, weight in self.weights.items()
            for place, trainer in enumerate(trainers)
        )


if __name__ == "__main__":
    main()
