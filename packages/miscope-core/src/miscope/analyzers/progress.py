"""Progress measures: whether the loss needs only the key components, and whether it breaks without them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from miscope.analyzer import Analyzer, Grain, Options
from miscope.artifact import Arrays
from miscope.basis import Basis, Block
from miscope.errors import DoesNotApply
from miscope.maths.answer_basis import answer_basis
from miscope.model import LOGITS
from miscope.moment import Moment


class LossOptions(Options):
    """Which components count as key."""

    keys: tuple[str, ...] | None = None
    """Labels; None: those that this very checkpoint's votes elect, so that nothing looks ahead."""


def losses(moment: Moment) -> Arrays:
    """Loss with only the key components of the answer in the logits (restricted), and without them (excluded).

    With P the projector on the key blocks' functions of the answer: restricted is the loss of P z + mean(z - P z),
    excluded of z - P z, trig of cos k(a + b - c) alone; in float64, over the outputs the answers' basis is about.
    Without a key component restricted is the loss of the mean logits. Nanda et al. 2023, section 5.
    """
    assert isinstance(moment.options, LossOptions)
    basis = answer_basis(moment.probe, moment.bases)
    if basis is None:
        reason = "the family gives no basis over its answers, so there is nothing to restrict the logits to"
        raise DoesNotApply("progress.losses", moment.variant.name, reason)
    key = moment.artifacts["keys.votes"]["key"]
    if moment.options.keys is not None:
        key = np.isin(basis.labels, moment.options.keys)
    labels = moment.probe.labels
    assert labels is not None
    logits = moment.activations[LOGITS][:, : basis.size].double()
    chosen = [block for block, wanted in zip(basis.components, key, strict=True) if wanted]
    along = [_along(logits, labels, basis, block) for block in chosen]
    kept = torch.stack(along).sum(dim=0) if along else torch.zeros_like(logits)
    shown = {
        "full": logits,
        "restricted": kept + (logits - kept).mean(dim=0),
        "excluded": logits - kept,
        "trig": sum((_own(logits, labels, basis, block) for block in chosen), torch.zeros_like(logits)),
    }
    found = {"label": np.array(basis.labels, dtype=np.str_), "key": np.asarray(key)}
    for name, changed in shown.items():
        found |= {f"{name}/{part}": np.array(loss) for part, loss in _losses(changed, moment).items()}
    without = np.full(len(basis.labels), np.nan)
    without[np.flatnonzero(key)] = [next(iter(_losses(logits - part, moment).values())) for part in along]
    return found | {"excluded/each": without}


def _along(logits: Tensor, labels: Tensor, basis: Basis, block: Block) -> Tensor:
    """The part of the logits (N, q) along the block's functions of the answer."""
    functions = torch.from_numpy(basis.rows[list(block.rows)])[:, labels]
    return functions.T @ torch.linalg.pinv(functions @ functions.T) @ (functions @ logits)


def _own(logits: Tensor, labels: Tensor, basis: Basis, block: Block) -> Tensor:
    """The part of the logits along the block's function of answer and output."""
    rows = torch.from_numpy(basis.rows[list(block.rows)])
    kernel = rows[:, labels].T @ rows
    return kernel * ((logits - logits.mean(dim=1, keepdim=True)) * kernel).sum() / kernel.square().sum()


def _losses(logits: Tensor, moment: Moment) -> dict[str, float]:
    """Mean cross-entropy by part of the data, the training set first where it is known."""
    assert moment.probe.labels is not None
    each = torch.nn.functional.cross_entropy(logits, moment.probe.labels, reduction="none")
    train = moment.probe.train
    if train is None or train.all() or not train.any():
        return {"all": float(each.mean())}
    seen = torch.from_numpy(train)
    return {"train": float(each[seen].mean()), "test": float(each[~seen].mean()), "all": float(each.mean())}


LOSSES = Analyzer(
    name="progress.losses",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=losses,
    reads=("keys.votes",),
    sites=(LOGITS,),
    bases=("*",),
    grid=2,
    labels=True,
    answer_basis=True,
    options=LossOptions,
    outputs={
        "label": "(K,) labels of the components of the answers' basis",
        "key": "(K,) whether the component counts as key here",
        "full/{train,test,all}": "() loss over the outputs the basis is about, nats",
        "restricted/{train,test,all}": "() loss of the key components and the mean logits alone",
        "excluded/{train,test,all}": "() loss without the key components",
        "trig/{train,test,all}": "() loss of cos k(a + b - c) of the key components alone, for a sum",
        "excluded/each": "(K,) loss on the training set (on all, where it is not known) without that component alone; "
        "NaN for one that is not key",
    },
)
