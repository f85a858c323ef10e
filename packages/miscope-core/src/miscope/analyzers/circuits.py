"""What heads attend by and what they write: QK and OV circuits, and how heads of two layers compose."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options, Whole
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.lazily import torch
from miscope.maths.circuits import (
    LowRank,
    composition,
    copy_score,
    eigenvalue_positivity,
    expected_composition,
    noise_composition,
)
from miscope.needs import Needs
from miscope.snapshot import Snapshot

if TYPE_CHECKING:
    from torch import Tensor

ATTENTION = ("blocks.*.attn.W_Q", "blocks.*.attn.W_K", "blocks.*.attn.W_V", "blocks.*.attn.W_O")


class HeadOptions(Options):
    """Between which tokens circuits are taken."""

    tokens: Literal["answers", "all"] = "answers"
    """Tokens that are also answers (numbers without '='), or all that are embedded; the same for QK and OV."""


def heads(snapshot: Snapshot[HeadOptions]) -> Arrays:
    """Size and spectrum of each head's QK and OV circuit, and whether its OV circuit over tokens copies.

    QK = W_Q W_K^T / sqrt(d_head) and OV = W_V W_O over the residual stream. Copying is the eigenvalue positivity of
    W_E OV W_U, 0 at random; its rank is d_head, so it costs no matrix over the vocabulary. Both circuits are taken
    between the same tokens: those that are also answers, as many as have an output and, where the family gives a basis
    over tokens, as it has values. Of all tokens, those without an output have a logit of 0, which leaves the
    eigenvalues of OV as they are and not those of QK. A LayerNorm's weights are folded in, its centring and scaling
    are not.
    """
    options = snapshot.options
    outputs: dict[str, np.ndarray] = {}
    ends = _ends(snapshot)
    tokens = 0 if ends is None else _token_count(snapshot, *ends, options.tokens)
    for block in _blocks(snapshot):
        query, key, value, out = _factors(snapshot, block)
        circuits = {"QK": LowRank(query / query.shape[-1] ** 0.5, key.transpose(1, 2)), "OV": LowRank(value, out)}
        for name, circuit in circuits.items():
            singular = circuit.singular
            power = singular.square()
            outputs[f"{block}/{name}/norm"] = circuit.norm.numpy()
            outputs[f"{block}/{name}/singular"] = singular.float().numpy()
            ratio = power.sum(1).square() / power.square().sum(1).clamp_min(torch.finfo(torch.float64).tiny)
            outputs[f"{block}/{name}/participation_ratio"] = ratio.numpy()
        if ends is not None:
            between = _token_circuits(circuits, *ends, tokens)
            outputs |= {f"{block}/{name}": array for name, array in between.items()}
    copying = [array for name, array in outputs.items() if name.endswith("OV/positivity")]
    if copying:
        most = np.array(max(float(each.max()) for each in copying))
        outputs |= {"most_copying": most, "tokens": np.array(tokens), "token_set": np.array([options.tokens])}
    return outputs


def _token_count(snapshot: Snapshot, embed: Tensor, unembed: Tensor, which: Literal["answers", "all"]) -> int:
    """How many tokens, from the first, circuits are taken between."""
    if which == "all":
        return len(embed)
    basis = snapshot.bases.get("token")
    return min(len(embed), unembed.shape[1], len(embed) if basis is None else basis.size)


def _token_circuits(
    circuits: Mapping[str, LowRank], embed: Tensor, unembed: Tensor, tokens: int
) -> dict[str, np.ndarray]:
    """Eigenvalues of both circuits between the first so many tokens, and the share of those with an output copied."""
    outputs = min(tokens, unembed.shape[1])
    chosen, known = embed[:tokens], unembed[:, :outputs]
    answers = torch.nn.functional.pad(known, (0, tokens - outputs))
    writes, reads = circuits["OV"].between(chosen, answers), circuits["QK"].between(chosen, chosen.T)
    arrays = {"OV/copy_score": copy_score(circuits["OV"].between(embed[:outputs], known))}
    for name, values in (("OV", writes.eigenvalues), ("QK", reads.eigenvalues)):
        arrays[f"{name}/eigenvalue"] = torch.view_as_real(values).float().numpy()
        arrays[f"{name}/positivity"] = eigenvalue_positivity(values)
    return arrays


def _ends(snapshot: Snapshot) -> tuple[Tensor, Tensor] | None:
    """W_E (token, d_model) and W_U (d_model, answer) in float64, LayerNorm's weight folded in; None without either."""
    axes, weights = snapshot.axes, snapshot.weights
    if axes.get("W_E") != ("token", "d_model") or axes.get("W_U", ("",))[0] != "d_model":
        return None
    return weights["W_E"].double(), _folded(weights, "ln_final.w", weights["W_U"].double())


def _blocks(snapshot: Snapshot) -> list[str]:
    blocks = {re.sub(r"\.attn\.W_Q$", "", role) for role in snapshot.weights if role.endswith(".attn.W_Q")}
    return sorted(blocks, key=lambda block: [int(part) for part in re.findall(r"\d+", block)])


def _factors(snapshot: Snapshot, block: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """W_Q, W_K, W_V (H, d_model, d_head) and W_O (H, d_head, d_model), float64."""
    weights = snapshot.weights
    inward = (_folded(weights, f"{block}.ln1.w", weights[f"{block}.attn.W_{letter}"].double()) for letter in "QKV")
    query, key, value = inward
    return query, key, value, weights[f"{block}.attn.W_O"].double()


def _folded(weights: Mapping[str, Tensor], scale: str, matrix: Tensor) -> Tensor:
    return weights[scale].double()[:, None] * matrix if scale in weights else matrix


HEADS = Analyzer(
    name="circuits.heads",
    version=3,
    grain=Grain.CHECKPOINT,
    compute=heads,
    needs=Needs(weights=(*ATTENTION, "*"), bases=("token",)),
    options=HeadOptions,
    question="What does each head attend by, what does it write, and does it copy?",
    formula="QK = W_Q W_K^T / sqrt(d_head), OV = W_V W_O; copying = sum Re(l) / sum |l| of W_E OV W_U; W_E and W_U "
    "over tokens that are answers, in QK as in OV",
    source="Elhage et al. 2021, 'A mathematical framework for transformer circuits', sections on QK and OV circuits",
    outputs={
        "BLOCK/{QK,OV}/norm": "(H,) Frobenius norm of the circuit over the residual stream",
        "BLOCK/{QK,OV}/singular": "(H, d_head) float32, its singular values, falling",
        "BLOCK/{QK,OV}/participation_ratio": "(H,) participation ratio of their squares",
        "BLOCK/{QK,OV}/eigenvalue": "(H, d_head, 2) float32, eigenvalues from tokens to tokens, real and imaginary",
        "BLOCK/{QK,OV}/positivity": "(H,) sum of their real parts over the sum of their sizes, -1 to 1",
        "BLOCK/OV/copy_score": "(H,) share of tokens that raise their own answer more than any other",
        "most_copying": "() largest positivity of an OV circuit",
        "tokens": "() tokens between which both circuits are taken, the first so many; so the next",
        "token_set": "(1,) 'answers' or 'all'",
    },
)


class CompositionOptions(Options):
    """The null of compositions."""

    draws: Count = 64
    """Pairs of heads with Gaussian factors."""
    seed: Whole = 0


def compositions(snapshot: Snapshot[CompositionOptions]) -> Arrays:
    """How much each head reads of what each head of an earlier layer writes, less what random heads would.

    |W_OV W_QK| / (|W_OV| |W_QK|) from the query's side (Q), the key's (K), and |W_OV W_OV'| (V). Random matrices have
    about 1 / sqrt(d_model); the null is drawn with factors of the same shapes.
    """
    options = snapshot.options
    blocks = _blocks(snapshot)
    if len(blocks) < 2:
        reason = f"heads compose between layers, and it has {len(blocks)} with attention"
        raise DoesNotApply(reason)
    parts = {block: _factors(snapshot, block) for block in blocks}
    writers = {block: LowRank(value, out) for block, (_, _, value, out) in parts.items()}
    readers = {
        block: {
            "Q": LowRank(query, key.transpose(1, 2)),
            "K": LowRank(key, query.transpose(1, 2)),
            "V": LowRank(value, out),
        }
        for block, (query, key, value, out) in parts.items()
    }
    first, last = writers[blocks[0]], readers[blocks[-1]]["K"]
    null = noise_composition(first, last, options.draws, options.seed)
    low, middle, high = np.quantile(null, (0.025, 0.5, 0.975))
    outputs = {
        "heads": np.array([f"{block}/{head}" for block in blocks for head in range(len(writers[block].left))]),
        "null": np.array([low, middle, high]),
        "expected": np.array(expected_composition(first.right.shape[2])),
    }
    for kind in "QKV":
        matrix = _pairs(writers, {block: readers[block][kind] for block in blocks}, null.mean())
        outputs[kind] = matrix
        outputs[f"strongest_{kind}"] = np.array(float(np.nanmax(matrix)))
    return outputs


def _pairs(writers: Mapping[str, LowRank], readers: Mapping[str, LowRank], null: float) -> np.ndarray:
    """(writer, reader) over the heads of all layers; NaN unless the writer's layer comes first."""
    blocks = list(writers)
    rows = []
    for i, before in enumerate(blocks):
        row = [
            composition(writers[before], readers[after]) - null
            if i < j
            else np.full((len(writers[before].left), len(readers[after].left)), np.nan)
            for j, after in enumerate(blocks)
        ]
        rows.append(np.concatenate(row, axis=1))
    return np.concatenate(rows)


COMPOSITION = Analyzer(
    name="circuits.composition",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=compositions,
    needs=Needs(weights=(*ATTENTION, "*")),
    options=CompositionOptions,
    question="Which heads read what a head of an earlier layer wrote?",
    formula="|W_OV W_QK|_F / (|W_OV|_F |W_QK|_F) less its mean for Gaussian factors of the same shapes",
    source="Elhage et al. 2021, 'A mathematical framework for transformer circuits', section on composition",
    outputs={
        "heads": "(A,) heads of all layers, 'block/head'",
        "{Q,K,V}": "(A, A) composition of writer with reader above the null's mean; NaN unless the writer comes first",
        "null": "(3,) 2.5, 50 and 97.5 % of compositions of Gaussian heads",
        "expected": "() 1 / sqrt(d_model)",
        "strongest_{Q,K,V}": "() largest composition of any pair above the null's mean",
    },
)
