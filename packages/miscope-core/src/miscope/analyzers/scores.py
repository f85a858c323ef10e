"""Attention scores before the softmax, in the task's basis: what the answer's query asks, what tokens ask of tokens."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.lazily import torch
from miscope.maths.circuit_spectrum import circuit_singular_values, circuit_spectrum
from miscope.maths.evenly_spaced import evenly_spaced
from miscope.maths.sparsity import gini
from miscope.maths.spectrum import basis_spectrum
from miscope.needs import Needs
from miscope.snapshot import Snapshot

_TOKEN = "token"


class QueryOptions(Options):
    """How it is made sure that the query is the same for every input."""

    inputs: Count = 16
    """Inputs, spread over the probe, whose queries are compared."""
    tolerance: float = 1e-9
    """Largest difference between them, relative to the largest entry."""


def queries(snapshot: Snapshot) -> Arrays:
    """Score that the answer's query gives each token, head by head, and its power in the blocks of the task basis.

    Where the last position always holds the same token, its query q_h is one vector, and s_h[x] = q_h . (W_E[x] W_K) /
    sqrt(d_head) is all that decides between tokens, positions apart. The query comes out of the model itself, with its
    biases and normalisation; keys are the embedding's alone, so in later layers this is the direct path. Scores have
    their mean over tokens removed; softmax does not feel it. Nanda et al. 2023, section 4.2 and appendix C.
    """
    source = _embedding(snapshot)
    basis = snapshot.bases.get(_TOKEN)
    if basis is None:
        reason = "the family gives no basis over tokens, and one score a token has no spectrum of its own"
        raise DoesNotApply(reason)
    rows = snapshot.weights[source].double().numpy()[: basis.size]
    outputs: dict[str, np.ndarray] = {}
    for block, vectors in _constant_queries(snapshot):
        keys = snapshot.weights[f"{block}.W_K"].double().numpy()
        for head, (query, key) in enumerate(zip(vectors, keys, strict=True)):
            score = rows @ key @ query / np.sqrt(len(query))
            spectrum = basis_spectrum(score[:, None], basis)
            outputs |= {
                f"{block}[{head}]/basis": np.array([basis.name]),
                f"{block}[{head}]/label": spectrum.label,
                f"{block}[{head}]/fraction": spectrum.fraction,
                f"{block}[{head}]/score": (score - score.mean()).astype(np.float32),
                f"{block}[{head}]/std": np.array(float(score.std())),
                f"{block}[{head}]/gini": np.array(gini(spectrum.power)),
                f"{block}[{head}]/max_fraction": np.array(float(spectrum.fraction.max(initial=0))),
            }
    if not outputs:
        reason = "the answer's query differs between inputs in every layer, so there is no one score for a token"
        raise DoesNotApply(reason)
    return outputs


def _embedding(snapshot: Snapshot) -> str:
    roles = (r for r, axes in snapshot.axes.items() if axes == (_TOKEN, "d_model"))
    source = next(roles, None)
    if source is None:
        raise DoesNotApply("no weights embed tokens into the residual stream")
    return source


def _constant_queries(snapshot: Snapshot[QueryOptions]) -> Iterator[tuple[str, np.ndarray]]:
    """Each attention layer whose answer query does not depend on the input, with its queries (head, d_head)."""
    options, inputs = snapshot.options, snapshot.probe.inputs
    model = snapshot.model
    assert model is not None
    chosen = inputs[evenly_spaced(len(inputs), options.inputs, nearest=True)]
    blocks = [role.removesuffix(".W_Q") for role in snapshot.weights if role.endswith(".W_Q")]
    sites = [f"{block}.hook_q" for block in blocks if f"{block}.hook_q" in model.sites]
    if not sites or (chosen.ndim == 2 and bool((chosen[:, -1] != chosen[0, -1]).any())):
        return
    exact = {role: tensor.double() for role, tensor in snapshot.weights.items()}
    with torch.no_grad():
        recorded = model.run(exact, chosen, sites)
    for site in sites:
        last = recorded[site][:, -1]
        if float((last - last[0]).abs().max()) <= options.tolerance * max(float(last.abs().max()), 1e-300):
            yield site.removesuffix(".hook_q"), last[0].numpy()


QUERIES = Analyzer(
    name="scores.queries",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=queries,
    needs=Needs(weights=("*", "*.attn.W_Q"), bases=("*",), model=True),
    options=QueryOptions,
    question="Which components of the task basis decide how much the answer attends to a token?",
    formula="s_h[x] = q_h . (W_E[x] W_K) / sqrt(d_head); f_k = P_k / sum P_k over k != const",
    source="Nanda et al. 2023, section 4.2 (arXiv 2301.05217)",
    outputs={
        "BLOCK/basis": "(1,) name of the basis; BLOCK is a layer's attention and a head: 'blocks.0.attn[0]'",
        "BLOCK/label": "(K,) labels of the blocks without the constant: true frequencies k from 1 in a Fourier basis",
        "BLOCK/fraction": "(K,) share of each block in the score's power outside the constant",
        "BLOCK/score": "(q,) score of each token less their mean, in units of the softmax's exponent",
        "BLOCK/std": "() standard deviation of the score over tokens",
        "BLOCK/gini": "() Gini index of the block powers",
        "BLOCK/max_fraction": "() largest share",
    },
)


def circuits(snapshot: Snapshot) -> Arrays:
    """What tokens ask of tokens: power of W_E W_Q W_K' W_E' / sqrt(d_head) by head, in blocks of the task basis.

    Shares of each block coupled with itself, and of different blocks coupled to each other, constants on either side
    left out; without normalisation, positions or biases, and of the embedding alone also in later layers. Without a
    basis over tokens, the form's singular values stand for them. Elhage et al. 2021, "A mathematical framework for
    transformer circuits".
    """
    source = _embedding(snapshot)
    basis = snapshot.bases.get(_TOKEN)
    rows = snapshot.weights[source].double().numpy()[: basis.size if basis else None]
    outputs: dict[str, np.ndarray] = {}
    for role in (r for r in snapshot.weights if r.endswith(".W_Q") and r.replace(".W_Q", ".W_K") in snapshot.weights):
        asking, asked = (snapshot.weights[role.replace(".W_Q", f".W_{which}")].double().numpy() for which in "QK")
        for head, (q, k) in enumerate(zip(asking, asked, strict=True)):
            left, right = rows @ q / q.shape[1] ** 0.25, rows @ k / k.shape[1] ** 0.25
            if basis is None:
                squares = circuit_singular_values(left, right) ** 2
                label, power = np.arange(1, len(squares) + 1).astype(str), float(squares.sum())
                within, across = squares / max(power, np.finfo(np.float64).tiny), 0.0
            else:
                spectrum = circuit_spectrum(left, right, basis)
                label, within = np.array(basis.labels, dtype=np.str_), spectrum.within
                across, power = spectrum.across, spectrum.power
            named = {"basis": np.array([basis.name if basis else "singular"]), "label": label, "fraction": within}
            named |= {"across": np.array(across), "power": np.array(power)}
            outputs |= {f"{role.removesuffix('.W_Q')}[{head}]/{name}": array for name, array in named.items()}
    return outputs


CIRCUITS = Analyzer(
    name="scores.circuits",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=circuits,
    needs=Needs(weights=("*", "*.attn.W_Q"), bases=("*",)),
    question="Which components does a head's query-key circuit compare between tokens?",
    formula="M_h = W_E W_Q W_K' W_E' / sqrt(d_head); f_k = |B_k M_h B_k'|^2 / |M_h outside the constant|^2",
    source="Elhage et al. 2021, 'A mathematical framework for transformer circuits'; Nanda et al. 2023, appendix C",
    outputs={
        "BLOCK/basis": "(1,) name of the basis; 'singular' for the form's own. BLOCK is 'blocks.0.attn[0]'",
        "BLOCK/label": "(K,) labels of the blocks without the constant",
        "BLOCK/fraction": "(K,) share of the power outside the constants that couples each block to itself",
        "BLOCK/across": "() share that couples different blocks",
        "BLOCK/power": "() sum of squares outside the constants",
    },
)
