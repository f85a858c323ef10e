"""The paper's public checkpoints, read with plain PyTorch only: numbers of this forward pass are the ground truth."""

import json
import math
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from miscope.analysis.returned import returned_arrays
from miscope.probe import Probe
from miscope.snapshot import Series, Snapshot
from miscope.testing.toy import cosines

P = 113
AXES = {
    "W_E": ("token", "d_model"),
    "W_pos": ("position", "d_model"),
    "W_U": ("d_model", "vocab_out"),
    **{f"blocks.0.attn.W_{name}": ("head", "d_model", "d_head") for name in "QKV"},
    "blocks.0.attn.W_O": ("head", "d_head", "d_model"),
    "blocks.0.mlp.W_in": ("d_model", "d_mlp"),
    "blocks.0.mlp.b_in": ("d_mlp",),
    "blocks.0.mlp.W_out": ("d_mlp", "d_model"),
    "blocks.0.mlp.b_out": ("d_model",),
}


def grid_probe(train=None, p=P):
    a, b = np.divmod(np.arange(p * p), p)
    inputs = torch.from_numpy(np.stack([a, b, np.full(p * p, p)], axis=1))
    return Probe(
        name="grid",
        inputs=inputs,
        labels=torch.from_numpy((a + b) % p),
        columns={"a": a, "b": b, "sum": (a + b) % p},
        grid=("a", "b"),
        train=train,
        symmetries={"swap": b * p + a},
    )


def paper_train():
    rows = list(range(P * P))
    random.Random(1).shuffle(rows)
    mask = np.zeros(P * P, dtype=bool)
    mask[rows[: int(0.3 * P * P)]] = True
    return mask


def by_role(model):
    """The paper's layout in TransformerLens' roles and orientation."""
    attention = {f"blocks.0.attn.W_{n}": model[f"blocks.0.attn.W_{n}"].transpose(1, 2) for n in "QKV"}
    return {
        "W_E": model["embed.W_E"].T,
        "W_pos": model["pos_embed.W_pos"],
        "W_U": model["unembed.W_U"],
        **attention,
        "blocks.0.attn.W_O": model["blocks.0.attn.W_O"].reshape(128, 4, 32).permute(1, 2, 0),
        **{f"blocks.0.mlp.W_{n}": model[f"blocks.0.mlp.W_{n}"].T for n in ("in", "out")},
        **{f"blocks.0.mlp.b_{n}": model[f"blocks.0.mlp.b_{n}"] for n in ("in", "out")},
    }


def forward(weights, inputs):
    """(logits, pattern of the answer's query, hidden activations) at the last position, in float64."""
    w = {role: tensor.double() for role, tensor in weights.items()}
    here = inputs, torch.arange(inputs.shape[1])
    # Of every token at every position, of which there are far fewer than inputs.
    table = w["W_E"][:, None] + w["W_pos"][: inputs.shape[1]]
    q, k, v = (torch.einsum("tpd,hde->tphe", table, w[f"blocks.0.attn.W_{n}"])[here] for n in "QKV")
    x = table[here][:, -1]
    pattern = torch.softmax(torch.einsum("nhe,nphe->nhp", q[:, -1], k) / math.sqrt(32), dim=-1)
    x = x + torch.einsum("nhe,hed->nd", torch.einsum("nhp,nphe->nhe", pattern, v), w["blocks.0.attn.W_O"])
    hidden = torch.relu(x @ w["blocks.0.mlp.W_in"] + w["blocks.0.mlp.b_in"])
    return (x + hidden @ w["blocks.0.mlp.W_out"] + w["blocks.0.mlp.b_out"]) @ w["W_U"], pattern, hidden


@pytest.fixture(scope="session")
def calibration(calibration_file):
    """calibration(name): a stored model as a snapshot, its curves, and what was measured on it; skips where absent."""
    loaded = {}

    def load(name):
        path = calibration_file(f"{name}.pth")
        if name not in loaded:
            stored = torch.load(path, map_location="cpu", weights_only=True)
            known = json.loads(calibration_file("paper_calibration.json").read_text())
            weights, probe, basis = by_role(stored["model"]), grid_probe(paper_train()), cosines(P)
            logits, pattern, hidden = forward(weights, probe.inputs)
            loaded[name] = SimpleNamespace(
                shown=dict(
                    variant=None,
                    step=0,
                    probe=probe,
                    weights=weights,
                    activations={
                        "logits": logits,
                        "blocks.0.attn.hook_pattern": pattern.float(),
                        "blocks.0.mlp.hook_post": hidden.float(),
                    },
                    bases={"token": basis, "a": basis, "b": basis},
                    axes=AXES,
                ),
                known=known["models"][f"{name}.pth"],
                curves={
                    "train_loss": series(stored["train_losses"], 1),
                    "test_loss": series(stored["test_losses"], 10),
                },
                known_curves=known["curves"][f"{name}.pth"],
            )
        return loaded[name]

    return load


def series(values, stride):
    return Series(steps=np.arange(len(values)) * stride, values=np.array(values, dtype=np.float64))


@pytest.fixture
def computed():
    """computed(analyzer, model, sites): its arrays on a calibration model, given only what it declares."""

    def run(analyzer, model, **options):
        from miscope.model import matching

        sites = matching(analyzer.needs.sites, model.shown["activations"])
        shown = model.shown | {"activations": {site: model.shown["activations"][site] for site in sites}}
        return returned_arrays(analyzer.name, analyzer.compute(Snapshot(options=analyzer.options(**options), **shown)))

    return run


@pytest.fixture(scope="session")
def paper_layout():
    """The paper's tensors by their names -> the same by role: weights, and what is kept of each."""
    return by_role


@pytest.fixture(scope="session")
def paper_forward():
    """The forward pass of the paper's checkpoints: (weights by role, inputs) -> (logits, pattern, hidden)."""
    return forward
