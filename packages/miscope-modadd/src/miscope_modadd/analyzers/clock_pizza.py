"""Clock or pizza: by which of two algorithms a network adds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from miscope import Analyzer, Arrays, Grain, Needs, Observation, ObservedArtifact, Options, Snapshot
from miscope.analyzer import Count, Whole
from miscope.errors import DoesNotApply
from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Tensor

EMBED = "hook_embed"


class PizzaOptions(Options):
    """How many triples the gradients are averaged over, and which."""

    triples: Count = 1024
    """About so many random (a, b, c), as many at each distance a - b, two at least; all p^3 where there are no more."""
    seed: Whole = 0


def pizza(snapshot: Snapshot[PizzaOptions]) -> Arrays:
    """Distance irrelevance of the right answer's logit, and symmetricity of the gradients at the two embeddings.

    A clock multiplies, so that the logit of the right answer is as large whatever a - b, and its gradients at a and at
    b differ; a pizza adds and takes absolute values: its logit depends on a - b, its gradients are alike.
    Irrelevance is the mean over distances d of the standard deviation along a - b = d, over that of all pairs:
    1 for no dependence on a - b. Symmetricity is the mean cosine of d logit_c / d E_a and d logit_c / d E_b over random
    triples, as many at each distance a - b, on which a clock's cosines depend most; its standard error is that of such
    a sample. The triples are the same at every checkpoint. It is left out where both embeddings are added before
    anything else happens, since there it is 1 by construction. Zhong et al. 2023, sections 4.1 and 4.2.
    """
    options, probe = snapshot.options, snapshot.probe
    a, b = (probe.columns[name] for name in ("a", "b"))
    prime = int(a.max()) + 1
    assert probe.labels is not None
    labels = probe.labels.numpy()
    if probe.shape != (prime, prime) or not np.array_equal(labels, (a + b) % prime):
        raise DoesNotApply("its answers are not (a + b) mod p")
    right = snapshot.activations["logits"].numpy()[np.arange(len(labels)), labels].reshape(prime, prime)
    outputs = {"distance_irrelevance": np.array(distance_irrelevance(right))}
    triples = _triples(prime, options)
    cosines = _cosines(snapshot, prime, triples)
    if cosines is not None:
        distances = (triples[:, 0] - triples[:, 1]).numpy() % prime
        mean, error = stratified(cosines, distances)
        outputs["gradient_symmetricity"] = np.array(mean)
        outputs["gradient_symmetricity/sem"] = np.array(error if len(triples) < prime**3 else 0.0)
    return outputs


def pizza_observed(seen: ObservedArtifact) -> list[Observation]:
    """Where it lies between a clock and a pizza, with the error of the sample of triples."""
    arrays = seen.arrays
    irrelevance = float(arrays["distance_irrelevance"])
    where = f"At {seen.at(seen.step or 0)} the right answer's logit has distance irrelevance {irrelevance:.3g}"
    first = Observation(text=f"{where} (1 for a clock, less for a pizza; over all pairs).", value=irrelevance)
    if "gradient_symmetricity" not in arrays:
        return [first]
    mean, sem = float(arrays["gradient_symmetricity"]), float(arrays["gradient_symmetricity/sem"])
    band = (mean - 1.96 * sem, mean + 1.96 * sem)
    doubt = f"95 %: {band[0]:.3g} to {band[1]:.3g} over the triples drawn" if sem > 0 else "over all triples"
    text = f"The gradients at its two embeddings have a mean cosine of {mean:.3g} (near 1 for a pizza; {doubt})."
    return [first, Observation(text=text, value=mean, interval=band)]


def distance_irrelevance(right: np.ndarray) -> float:
    """Of the right answers' logits (p, p): mean over d of std{L_ij : i - j = d mod p} / std{L_ij}; 1 if they are equal.

    Zhong et al. 2023, equation 3.
    """
    p = len(right)
    rows = np.arange(p)
    along = np.stack([right[(rows + d) % p, rows] for d in range(p)])
    whole = right.std()
    return float(along.std(axis=1).mean() / whole) if whole > 0 else 1.0


def stratified(values: np.ndarray, strata: np.ndarray) -> tuple[float, float]:
    """Mean of a sample with as many values in each stratum, and its standard error; NaN values are left out.

    The error is sqrt(sum_d n_d s_d^2) / n, with s_d^2 the variance within a stratum of n_d values: what lies between
    the strata is no error, since all of them are in the sample. Cochran 1977, "Sampling techniques", chapter 5.
    """
    known = np.isfinite(values)
    values, strata = values[known], strata[known]
    if not len(values):
        return float("nan"), float("nan")
    counts = np.bincount(strata)
    away = values - (np.bincount(strata, values) / np.maximum(counts, 1))[strata]
    spread = np.bincount(strata, away**2) * counts / np.maximum(counts - 1, 1)
    return float(values.mean()), float(np.sqrt(spread.sum()) / len(values))


def _triples(prime: int, options: PizzaOptions) -> Tensor:
    """(n, 3) int64: all (a, b, c) where no more are asked for, else random ones, as many at each a - b."""
    if options.triples >= prime**3:
        return torch.cartesian_prod(*[torch.arange(prime)] * 3)
    each = max(2, round(options.triples / prime))
    generator = torch.Generator().manual_seed(options.seed)
    second, output = torch.randint(prime, (2, each * prime), generator=generator, dtype=torch.int64)
    return torch.stack([(second + torch.arange(prime).repeat(each)) % prime, second, output], dim=1)


def _cosines(snapshot: Snapshot, prime: int, triples: Tensor) -> np.ndarray | None:
    """(n,) cosines, NaN where a gradient has no length; None where the model has no embedding to itself."""
    model, inputs = snapshot.model, snapshot.probe.inputs
    assert model is not None
    if EMBED not in model.sites:
        return None
    chosen = inputs[triples[:, 0] * prime + triples[:, 1]]
    leaf: list[Tensor] = []

    def cut(embedding: Tensor) -> Tensor:
        leaf.append(embedding.detach().requires_grad_())
        return leaf[-1]

    # float32: a cosine's sampling error is ten thousand times its rounding.
    single = {role: tensor.float() for role, tensor in snapshot.weights.items()}
    with torch.enable_grad():
        logits = model.run(single, chosen, ["logits"], hooks=[(EMBED, cut)])["logits"][:, -1]
        if leaf[-1].ndim != 3 or leaf[-1].shape[1] < 2:
            return None
        picked = logits[torch.arange(len(triples)), triples[:, 2]].sum()
        (gradient,) = torch.autograd.grad(picked, leaf[-1])
    first, second = gradient[:, 0], gradient[:, 1]
    lengths = first.norm(dim=1) * second.norm(dim=1)
    return torch.where(lengths > 0, (first * second).sum(dim=1) / lengths, torch.nan).numpy()


PIZZA = Analyzer(
    name="clocks.pizza",
    version=2,
    grain=Grain.CHECKPOINT,
    compute=pizza,
    observe=pizza_observed,
    needs=Needs(sites=("logits",), weights=("*",), columns=("a", "b"), grid=2, labels=True, model=True),
    options=PizzaOptions,
    question="Does the network add by multiplying (clock) or by averaging (pizza)?",
    formula="q = mean_d std{L_ij : i - j = d} / std{L_ij}; s = mean cos(d logit_c / d E_a, d logit_c / d E_b)",
    source="Zhong et al. 2023, equations 2 and 3 (arXiv 2306.17844)",
    outputs={
        "distance_irrelevance": "() 1 where the right answer's logit does not depend on a - b; less for a pizza",
        "gradient_symmetricity": "() mean cosine of the gradients at the two embeddings; near 1 for a pizza",
        "gradient_symmetricity/sem": "() its standard error over the triples; 0 where all of them were taken",
    },
)
