"""Updates of sparse autoencoders against the trainer of SAELens, on the same inputs.

Both take turns, update by update, on one thread, so that a busy machine slows them alike. Run by the interpreter of an
environment that has both: `.ci/saelens` makes one, since sae-lens wants a transformer-lens below 4.

    .matrix/saelens/bin/python benchmarks/autoencoders.py [--rounds 30]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from epochs import Epoch, cpu_seconds, trainer_of

SIZES = ((64, 512), (128, 1024), (512, 4096))
BATCH, INPUTS, K = 1024, 8192, 32
SETTLED = 5
"""Updates of each before any counts."""
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "standard": {},
    "jumprelu": {},
    "topk": {"k": K},
    "batchtopk": {"k": K},
    "gated": {},
    "matryoshka": {"k": K},
}


def main() -> None:
    """Print one JSON object: title, rows, notes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--only", nargs="*", choices=ARCHITECTURES, default=list(ARCHITECTURES))
    parser.add_argument("--sizes", nargs="*", type=int, default=[width for width, _ in SIZES])
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
    rows = [
        compared(name, width, latents, asked.rounds)
        for width, latents in SIZES
        if width in asked.sizes
        for name in asked.only
    ]
    print(json.dumps({"title": "Training sparse autoencoders", "rows": rows, "notes": notes(asked.rounds)}))


def notes(rounds: int) -> list[str]:
    """How it was measured."""
    import sae_lens

    return [
        f"CPU time of an update, medians of {rounds}, in turns; one thread; {BATCH} inputs an update, of {INPUTS:,}; "
        f"sae-lens {sae_lens.__version__}; k = {K} where latents are kept by number."
    ]


def compared(name: str, width: int, latents: int, rounds: int) -> dict[str, Any]:
    """Rows a second of both, and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        ours, inputs = our_update(Path(folder), name, width, latents)
        theirs = their_update(name, width, latents, inputs)
        for update in (ours, theirs):
            for _ in range(SETTLED):
                update()
        taken = [[cpu_seconds(update) for update in (ours, theirs)] for _ in range(rounds)]
    mine, other = (BATCH / statistics.median(times) for times in zip(*taken, strict=True))
    return {
        "architecture": name,
        "width": width,
        "latents": latents,
        "rows/s": mine,
        "SAELens, rows/s": other,
        "ours / SAELens": mine / other,
    }


def our_update(folder: Path, name: str, width: int, latents: int) -> tuple[Epoch, Any]:
    """What `miscope sae train` does at a step that records nothing; and the inputs, as they are encoded."""
    import miscope_sae
    from miscope.bound import open_bound
    from miscope.testing import tables
    from miscope_sae import autoencoders

    place = open_bound(folder, tables(sae=miscope_sae))
    source = place.variant("sae.known-features", features=4 * width, width=width, inputs=INPUTS)
    fields = {"latents": latents, "batch_size": BATCH, "steps": 10_000, **ARCHITECTURES[name]}
    (made,) = autoencoders(source, "hook_embed", step="first", architecture=name, **fields)
    context = place.value.context(made.value)
    task = context.family.task(made.value)
    trainer = trainer_of(made.value, task, lambda: context.model)
    steps = iter(range(10**9))

    def update() -> None:
        step = next(steps)
        trainer.update(step, trainer.loss(step))

    return update, task.train.inputs


def their_update(name: str, width: int, latents: int, inputs: Any) -> Epoch:
    """A step of its trainer, on batches of the same inputs."""
    import torch
    from sae_lens.config import LoggingConfig, SAETrainerConfig
    from sae_lens.training.sae_trainer import SAETrainer

    config = SAETrainerConfig(
        n_checkpoints=0,
        checkpoint_path=None,
        save_final_checkpoint=False,
        total_training_samples=10_000 * BATCH,
        device="cpu",
        autocast=False,
        lr=1e-3,
        lr_end=1e-4,
        lr_scheduler_name="constant",
        lr_warm_up_steps=0,
        adam_beta1=0.9,
        adam_beta2=0.999,
        lr_decay_steps=2_000,
        n_restart_cycles=1,
        train_batch_size_samples=BATCH,
        dead_feature_window=1_000,
        feature_sampling_window=2_000,
        logger=LoggingConfig(log_to_wandb=False),
        n_batches_for_norm_estimate=10,
    )
    torch.manual_seed(0)

    def batches() -> Any:
        while True:
            order = torch.randperm(len(inputs))
            for begin in range(0, len(inputs) - BATCH + 1, BATCH):
                yield inputs[order[begin : begin + BATCH]]

    data = batches()
    trainer = SAETrainer(cfg=config, sae=their_autoencoder(name, width, latents), data_provider=data)
    trainer.activation_scaler.estimate_scaling_factor(d_in=width, data_provider=data, n_batches_for_norm_estimate=10)

    def update() -> None:
        trainer.step(next(data))
        trainer.n_training_steps += 1

    return update


def their_autoencoder(name: str, width: int, latents: int) -> Any:
    """Its training module of the same kind."""
    import sae_lens

    sizes = {"d_in": width, "d_sae": latents, "normalize_activations": "expected_average_only_in"}
    kinds: dict[str, tuple[str, dict[str, Any]]] = {
        "standard": ("Standard", {"l1_coefficient": 1.0}),
        "jumprelu": ("JumpReLU", {"l0_coefficient": 1.0}),
        "topk": ("TopK", {"k": K}),
        "batchtopk": ("BatchTopK", {"k": K}),
        "gated": ("Gated", {"l1_coefficient": 1.0}),
        "matryoshka": (
            "MatryoshkaBatchTopK",
            {"k": K, "matryoshka_widths": [latents // 8, latents // 4, latents // 2, latents]},
        ),
    }
    kind, extra = kinds[name]
    made = getattr(sae_lens, f"{kind}TrainingSAEConfig")(**sizes, **extra)
    return getattr(sae_lens, f"{kind}TrainingSAE")(made)


if __name__ == "__main__":
    main()
