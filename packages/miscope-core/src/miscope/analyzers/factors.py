"""What logits and activations depend on, of two factors: each alone, both together, or the answer alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from miscope.analyzer import Analyzer, Grain
from miscope.artifact import Arrays
from miscope.basis import Basis
from miscope.maths.answer_basis import answer_basis
from miscope.maths.factor_shares import answer_powers, block_powers, class_power, class_sums, own_answer_powers
from miscope.maths.factor_spectrum import conditional_means_basis, shared_labels
from miscope.model import LOGITS
from miscope.needs import Needs
from miscope.snapshot import Snapshot

if TYPE_CHECKING:
    from torch import Tensor


def shares(snapshot: Snapshot) -> Arrays:
    """Shares of variance over a grid of two factors: main effects, interactions within blocks, functions of the answer.

    A two-way analysis of variance in the task's basis, all channels together, each with its mean removed. The answer's
    functions are cos k(a + b) and sin k(a + b) for a sum; what else lies in a block's interaction is, there, the
    difference direction. Logits: the outputs the basis of the answers is about. Without a basis over the factors their
    conditional means give one; without one of the answers, only `SITE/answer_share` is given. Nanda et al. 2023,
    section 4.1.
    """
    first, second = (snapshot.bases.get(column) for column in snapshot.probe.grid)
    target = answer_basis(snapshot.probe, snapshot.bases)
    assert snapshot.probe.labels is not None
    classes = snapshot.probe.labels.numpy()
    outputs: dict[str, np.ndarray] = {}
    for site, activation in snapshot.activations.items():
        flat = activation.reshape(len(classes), -1)
        flat = flat[:, : target.size] if site == LOGITS and target else flat
        units = flat.reshape(*snapshot.probe.shape, -1)
        bases = (first, second) if first and second else conditional_means_basis(units)
        arrays = _factors(units, *bases) | _answers(flat, classes, target, whole=site == LOGITS)
        outputs |= {f"{site}/{name}": np.asarray(value) for name, value in arrays.items()}
    return outputs


def _factors(units: Tensor, first: Basis, second: Basis) -> dict[str, object]:
    power = block_powers(units, first, second)
    share = power / max(power.sum(), np.finfo(np.float64).tiny)
    labels = shared_labels(first, second)
    places = [(first.labels.index(label) + 1, second.labels.index(label) + 1) for label in labels]
    within = np.array([share[a, b] for a, b in places])
    return {
        "basis": np.array([first.name]),
        "label": np.array(labels, dtype=np.str_),
        "blocks": share.astype(np.float32),
        "first": np.array([share[a, 0] for a, _ in places]),
        "second": np.array([share[0, b] for _, b in places]),
        "within": within,
        "first_share": share[1:, 0].sum(),
        "second_share": share[0, 1:].sum(),
        "within_share": within.sum(),
        "across_share": share[1:, 1:].sum() - within.sum(),
        "variance": power.sum() / (units.shape[0] * units.shape[1]),
    }


def _answers(flat: Tensor, classes: np.ndarray, target: Basis | None, *, whole: bool) -> dict[str, object]:
    tiny = np.finfo(np.float64).tiny
    centred = class_sums(flat - flat.mean(dim=0), classes, target.size if target else int(classes.max()) + 1)
    total = max(centred.power, tiny)
    arrays: dict[str, object] = {"answer_share": class_power(centred) / total}
    if target is None:
        return arrays
    arrays |= {"answer_label": np.array(target.labels, dtype=np.str_)}
    arrays |= {"answer": answer_powers(centred, target) / total}
    if whole:
        along = class_sums(flat - flat.mean(dim=1, keepdim=True), classes, target.size)
        own = own_answer_powers(along, target) / max(along.power, tiny)
        arrays |= {"own_answer": own, "own_answer_share": own.sum()}
    return arrays


SHARES = Analyzer(
    name="factors.shares",
    version=1,
    grain=Grain.CHECKPOINT,
    synonyms=("ANOVA", "variance decomposition"),
    compute=shares,
    needs=Needs(sites=(LOGITS, "blocks.*_post"), bases=("*",), grid=2, labels=True),
    not_invariant_to=("relu scaling",),
    question="Do logits and activations depend on either factor alone, on both, or on the answer?",
    formula="shares of sum |B_a X B_b'|^2 by pair of blocks; |u_k . X|^2 along cos k(a + b), sin k(a + b)",
    source="Nanda et al. 2023, section 4.1 (arXiv 2301.05217); two-way analysis of variance",
    outputs={
        "SITE/basis": "(1,) name of the factors' basis; 'conditional means' for the data's own",
        "SITE/label": "(K,) labels of the blocks: true frequencies k from 1 in a Fourier basis",
        "SITE/blocks": "(K_a + 1, K_b + 1) float32, share of variance in each pair of blocks, the constant's first",
        "SITE/first": "(K,) share that the first factor alone explains, by block",
        "SITE/second": "(K,) share that the second factor alone explains, by block",
        "SITE/within": "(K,) share of the interaction within each block",
        "SITE/{first,second}_share": "() share that one factor alone explains",
        "SITE/within_share": "() share of the interactions within a block",
        "SITE/across_share": "() share of the interactions between different blocks",
        "SITE/variance": "() sum over channels of the variance over the grid",
        "SITE/answer_share": "() share that the right answer alone explains",
        "SITE/answer_label": "(K,) labels of the blocks of the answers' basis",
        "SITE/answer": "(K,) share along each block's functions of the answer: cos k(a + b), sin k(a + b) for a sum",
        "SITE/own_answer": "(K,) share of logits, less each input's mean, along cos k(a + b - c) for a sum",
        "SITE/own_answer_share": "() its sum over blocks",
    },
)
