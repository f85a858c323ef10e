"""Clock or pizza: by which of two algorithms a network adds."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from miscope import Analyzer, Arrays, Grain, Moment, Options
from miscope.errors import DoesNotApply

EMBED = "hook_embed"


class PizzaOptions(Options):
    """How many triples the gradients are averaged over, and which."""

    triples: int = 1024
    """Random (a, b, c)."""
    seed: int = 0


def pizza(moment: Moment) -> Arrays:
    """Distance irrelevance of the right answer's logit, and symmetricity of the gradients at the two embeddings.

    A clock multiplies, so that the logit of the right answer is as large whatever a - b, and its gradients at a and at
    b differ; a pizza adds and takes absolute values: its logit depends on a - b, its gradients are alike.
    Irrelevance is the mean over distances d of the standard deviation along a - b = d, over that of all pairs:
    1 for no dependence on a - b. Symmetricity is the mean cosine of d logit_c / d E_a and d logit_c / d E_b over random
    triples, with its standard error; it is left out where both embeddings are added before anything else happens,
    since there it is 1 by construction. Zhong et al. 2023, sections 4.1 and 4.2.
    """
    options, probe = moment.options, moment.probe
    assert isinstance(options, PizzaOptions)
    a, b = (probe.columns[name] for name in ("a", "b"))
    prime = int(a.max()) + 1
    assert probe.labels is not None
    labels = probe.labels.numpy()
    if probe.shape != (prime, prime) or not np.array_equal(labels, (a + b) % prime):
        raise DoesNotApply("clocks.pizza", moment.variant.name, "its answers are not (a + b) mod p")
    right = moment.activations["logits"].numpy()[np.arange(len(labels)), labels].reshape(prime, prime)
    found = {"distance_irrelevance": np.array(distance_irrelevance(right))}
    cosines = _symmetricity(moment, prime, options)
    if cosines is not None:
        found["gradient_symmetricity"] = np.array(float(cosines.mean()))
        found["gradient_symmetricity/sem"] = np.array(float(cosines.std() / len(cosines) ** 0.5))
    return found


def distance_irrelevance(right: np.ndarray) -> float:
    """Of the right answers' logits (p, p): mean over d of std{L_ij : i - j = d mod p} / std{L_ij}; 1 if they are equal.

    Zhong et al. 2023, equation 3.
    """
    p = len(right)
    rows = np.arange(p)
    along = np.stack([right[(rows + d) % p, rows] for d in range(p)])
    whole = right.std()
    return float(along.std(axis=1).mean() / whole) if whole > 0 else 1.0


def _symmetricity(moment: Moment, prime: int, options: PizzaOptions) -> np.ndarray | None:
    """(n,) cosines, of triples whose gradients both have a length; None where the model has no embedding to itself."""
    model, inputs = moment.model, moment.probe.inputs
    assert model is not None
    if EMBED not in model.sites:
        return None
    triples = torch.randint(
        prime, (options.triples, 3), generator=torch.Generator().manual_seed(options.seed), dtype=torch.int64
    )
    chosen = inputs[triples[:, 0] * prime + triples[:, 1]]
    leaf: list[Tensor] = []

    def cut(embedding: Tensor) -> Tensor:
        leaf.append(embedding.detach().requires_grad_())
        return leaf[-1]

    # float32: a cosine's sampling error is ten thousand times its rounding.
    single = {role: tensor.float() for role, tensor in moment.weights.items()}
    with torch.enable_grad():
        logits = model.run(single, chosen, ["logits"], hooks=[(EMBED, cut)])["logits"][:, -1]
        if leaf[-1].ndim != 3 or leaf[-1].shape[1] < 2:
            return None
        picked = logits[torch.arange(len(triples)), triples[:, 2]].sum()
        (gradient,) = torch.autograd.grad(picked, leaf[-1])
    first, second = gradient[:, 0], gradient[:, 1]
    lengths = first.norm(dim=1) * second.norm(dim=1)
    known = lengths > 0
    return ((first * second).sum(dim=1)[known] / lengths[known]).numpy()


PIZZA = Analyzer(
    name="clocks.pizza",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=pizza,
    sites=("logits",),
    weights=("*",),
    columns=("a", "b"),
    grid=2,
    labels=True,
    runs=True,
    options=PizzaOptions,
    question="Does the network add by multiplying (clock) or by averaging (pizza)?",
    formula="q = mean_d std{L_ij : i - j = d} / std{L_ij}; s = mean cos(d logit_c / d E_a, d logit_c / d E_b)",
    source="Zhong et al. 2023, equations 2 and 3 (arXiv 2306.17844)",
    outputs={
        "distance_irrelevance": "() 1 where the right answer's logit does not depend on a - b; less for a pizza",
        "gradient_symmetricity": "() mean cosine of the gradients at the two embeddings; near 1 for a pizza",
        "gradient_symmetricity/sem": "() its standard error over the triples",
    },
)
