"""What the answers lose when a part of the model is ablated: heads, layers, frequencies, clusters of neurons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain
from miscope.analyzers.ablation_context import AblationContext, AblationOptions, ablation_context, parts_of
from miscope.analyzers.neurons import SPECIALISED
from miscope.analyzers.observed.answers import effects_observed
from miscope.artifact import Arrays
from miscope.basis import Basis
from miscope.errors import DoesNotApply
from miscope.lazily import torch
from miscope.maths.ablation import MODES, ablate, ablate_component, donors, power_along
from miscope.maths.paired_effects import Answers, changes, levels
from miscope.needs import Needs
from miscope.snapshot import Snapshot

_NONE = "none"


def _table(rows: Sequence[dict[str, float]]) -> dict[str, np.ndarray]:
    """Changes by name, one entry for each part ablated; NaN where one was not."""
    names = next(row for row in rows if row)
    return {name: np.array([row.get(name, np.nan) for row in rows]) for name in names}


def effects(snapshot: Snapshot) -> Arrays:
    """Change of loss and accuracy when a head or layer gives its mean, nothing, or what it gives for another input.

    The mean is over the inputs drawn, at each position; which other input's output one gets is drawn once, the same for
    every part and step. Parts downstream answer to what they then see, so effects do not add up. Every change is
    paired, input by input; its standard error is that of the sample.
    """
    context = ablation_context(snapshot)
    units = list(parts_of(context.model, context.weights))
    if not units:
        reason = "its model shows no attention head, attention layer or MLP to ablate"
        raise DoesNotApply(reason)
    parts = context.sample.parts
    clean = context.answers(())
    order = donors(len(context.sample.inputs), snapshot.options.seed)

    def changed(mode: str, site: str, head: int | None) -> dict[str, float]:
        return changes(clean, context.answers([(site, ablate(mode, head, order))]), parts)

    tables = [_table([changed(mode, site, head) for _, _, site, head in units]) for mode in MODES]
    arrays = {name: np.stack([table[name] for table in tables]) for name in tables[0]}
    return {
        "unit": np.array([name for name, *_ in units]),
        "kind": np.array([kind for _, kind, *_ in units]),
        "mode": np.array(MODES),
        "inputs": np.array(len(context.sample.inputs)),
        **arrays,
        **{f"clean/{name}": value for name, value in levels(clean, parts).items()},
        **{f"largest/{part}_loss": np.array(arrays[f"{part}/loss"][0].max()) for part in parts},
    }


_CHANGES = {
    "{train,test,all}/{loss,accuracy}": "change of the mean over these inputs; of the loss in nats",
    "{train,test,all}/{loss_sem,accuracy_sem}": "its standard error, from the differences input by input",
}
_CLEAN = {"clean/{train,test,all}_{loss,accuracy}": "() with nothing ablated", "inputs": "() inputs drawn"}

EFFECTS = Analyzer(
    name="ablations.effects",
    version=2,
    grain=Grain.CHECKPOINT,
    compute=effects,
    observe=effects_observed,
    needs=Needs(weights=("*",), labels=True, model=True),
    options=AblationOptions,
    not_invariant_to=("token relabelling",),
    question="Which heads and layers do the answers need?",
    formula="mean over inputs of [loss with the part's output at its mean, 0 or another input's] - [loss as it is]",
    source="Nanda et al. 2023, section 4.4 (arXiv 2301.05217); Wang et al. 2022 (arXiv 2211.00593) for mean ablation",
    outputs={
        "unit": "(U,) 'L0H1', 'L0 attention', 'L0 MLP'",
        "kind": "(U,) head, attention or mlp",
        "mode": "(3,) mean, zero, resample: what is put in the part's place",
        **{name: f"(3, U) {what}" for name, what in _CHANGES.items()},
        **_CLEAN,
        "largest/{train,test,all}_loss": "() largest change of loss by mean ablation",
    },
)


class EmbeddingOptions(AblationOptions):
    """Beside what is answered, how many components are ablated."""

    most: Count = 10
    """Strongest components of the embedding, by power."""


def embedding(snapshot: Snapshot[EmbeddingOptions]) -> Arrays:
    """Change of loss and accuracy when one component of the task basis is ablated in the embeddings.

    Of every weight tensor that has an axis in the same basis, along that axis: rows beyond the basis, such as an
    equals sign's, stay. `kept` is the model whose embeddings hold nothing but the constant and the key components.
    """
    options = snapshot.options
    votes = snapshot.artifacts["keys.votes"]
    axes = _in_basis(snapshot, tuple(votes["label"].tolist()))
    if not axes:
        reason = "no axis of its weights is in the basis of its answers, so no component can be ablated"
        raise DoesNotApply(reason)
    context = ablation_context(snapshot)
    basis = next(iter(axes.values()))[1]
    power = [
        sum(power_along(context.weights[role], axis, basis, block.rows) for role, (axis, _) in axes.items())
        for block in basis.components
    ]
    strongest = np.argsort(-np.array(power), kind="stable")[: options.most]
    clean, parts = context.answers_with({}), context.sample.parts

    def without(rows: Sequence[int]) -> Answers:
        ablated = {r: ablate_component(context.weights[r], axis, basis, rows) for r, (axis, _) in axes.items()}
        return context.answers_with(ablated)

    by_component: list[dict[str, float]] = [{} for _ in basis.components]
    for k in strongest:
        by_component[k] = changes(clean, without(basis.components[k].rows), parts)
    not_key = [row for k, block in enumerate(basis.components) if not votes["key"][k] for row in block.rows]
    return {
        "label": np.array(basis.labels, dtype=np.str_),
        "key": np.asarray(votes["key"]),
        "role": np.array(list(axes)),
        "share": (np.array(power) / max(sum(power), np.finfo(float).tiny)).astype(np.float32),
        "inputs": np.array(len(context.sample.inputs)),
        **_table(by_component),
        **{f"clean/{name}": value for name, value in levels(clean, parts).items()},
        **{f"kept/{name}": value for name, value in levels(without(not_key), parts).items()},
    }


def _in_basis(snapshot: Snapshot, labels: tuple[str, ...]) -> dict[str, tuple[int, Basis]]:
    """Weight tensors with an axis in the basis of these labels: which axis, and the basis."""
    axes = {}
    for role, names in snapshot.axes.items():
        for axis, name in enumerate(names):
            if name in snapshot.bases and snapshot.bases[name].labels == labels:
                axes[role] = (axis, snapshot.bases[name])
    return axes


EMBEDDING = Analyzer(
    name="ablations.embedding",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=embedding,
    needs=Needs(
        reads=("keys.votes",), weights=("*",), bases=("*",), grid=2, labels=True, answer_basis=True, model=True
    ),
    options=EmbeddingOptions,
    question="Which components of the embedding do the answers need, and are the key ones enough?",
    formula="W_E - B_k^T B_k W_E for component k; kept: (B_const^T B_const + sum over key k of B_k^T B_k) W_E",
    source="Nanda et al. 2023, section 4.4 (arXiv 2301.05217)",
    outputs={
        "label": "(K,) labels of the components",
        "key": "(K,) whether the component counts as key",
        "role": "(R,) weight tensors it is ablated in",
        "share": "(K,) share of their power in each component",
        **{name: f"(K,) {what}; NaN for components that were not tried" for name, what in _CHANGES.items()},
        **_CLEAN,
        "kept/{train,test,all}_{loss,accuracy}": "() with the constant and the key components alone",
    },
)


class ClusterOptions(AblationOptions):
    """Beside what is answered, which neurons form a cluster."""

    specialised: float = SPECIALISED
    """Share of variance in one component from which a neuron belongs to its cluster."""
    most: Count = 8
    """Largest clusters that are ablated."""


def clusters(snapshot: Snapshot[ClusterOptions]) -> Arrays:
    """Change of loss and accuracy when all neurons of one component give their mean.

    The last cluster, 'none', is all neurons that are specialised on nothing.
    """
    options = snapshot.options
    arrays = snapshot.artifacts["neurons.frequencies"]
    context = ablation_context(snapshot)
    clean, parts = context.answers(()), context.sample.parts
    changed: dict[str, np.ndarray] = {"inputs": np.array(len(context.sample.inputs))}
    for name in arrays:
        if name.endswith("/max_fraction"):
            site = name.removesuffix("/max_fraction")
            labels = np.append(arrays[f"{site}/label"], _NONE)
            home = np.where(arrays[name] >= options.specialised, arrays[f"{site}/dominant"], _NONE)
            size = np.array([int((home == label).sum()) for label in labels])
            chosen = {*np.argsort(-size[:-1], kind="stable")[: options.most].tolist(), len(labels) - 1}
            each = [
                _ablated(context, clean, site, home == label) if k in chosen and size[k] else {}
                for k, label in enumerate(labels)
            ]
            changed |= {f"{site}/cluster": labels, f"{site}/size": size.astype(np.int32)}
            changed |= {f"{site}/{what}": array for what, array in _table(each).items()}
    return changed | {f"clean/{name}": value for name, value in levels(clean, parts).items()}


def _ablated(context: AblationContext, clean: Answers, site: str, chosen: np.ndarray) -> dict[str, float]:
    hook = (site, ablate("mean", torch.from_numpy(np.flatnonzero(chosen))))
    return changes(clean, context.answers([hook]), context.sample.parts)


CLUSTERS = Analyzer(
    name="ablations.clusters",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=clusters,
    needs=Needs(reads=("neurons.frequencies",), weights=("*",), bases=("*",), grid=2, labels=True, model=True),
    options=ClusterOptions,
    not_invariant_to=("relu scaling",),  # without a basis: the data's own one weighs large units more
    question="Which clusters of neurons do the answers need?",
    formula="mean over inputs of [loss with the cluster's activations at their mean] - [loss as it is]",
    source="Nanda et al. 2023, section 4.4 (arXiv 2301.05217)",
    outputs={
        "SITE/cluster": "(K + 1,) labels of the components, and 'none' for neurons specialised on nothing",
        "SITE/size": "(K + 1,) neurons",
        **{f"SITE/{name}": f"(K + 1,) {what}; NaN for clusters not tried" for name, what in _CHANGES.items()},
        **_CLEAN,
    },
)
