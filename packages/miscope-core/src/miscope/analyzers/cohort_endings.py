"""Where several variants end: on which components, how far apart in weights, with which clusters of neurons."""

from __future__ import annotations

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options, Whole
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.maths.agreement import (
    adjusted_rand,
    largest_overlaps,
    mean_over_pairs,
    null_overlaps,
    overlaps,
    random_sets,
    relative_distances,
    resampled_mean,
)
from miscope.maths.answer_basis import answer_basis
from miscope.maths.relabelling import orbits, relabellings
from miscope.needs import Needs
from miscope.snapshot import Cohort

_VOTES, _EMBEDDING, _CLUSTERS = "keys.votes", "spectra.embedding", "neurons.clusters"


class CohortOptions(Options):
    """How the doubt is drawn."""

    draws: Count = 1000
    """Draws of a null, and of a mean's interval."""
    resamples: Count = 10_000
    """Draws of a median's interval."""
    seed: Whole = 0
    least: Count = 5
    """Variants from which an interval is worth giving; NaN below."""


def variants_of(cohort: Cohort) -> np.ndarray:
    """Names of the members, in order."""
    return np.array([member.variant.name for member in cohort.members])


def spectra(cohort: Cohort[CohortOptions]) -> Arrays:
    """Which components each variant ends on, the mean spectrum of their embeddings, and what they share beyond a null.

    The null draws for every variant as many components of each orbit under the task's automorphisms x -> u x; all
    frequencies of a prime are one orbit, so there two sets share |A| |B| / K. Where the basis has none known,
    components count as equivalent. The same once more for sets of which one may be relabelled by an automorphism: a
    circuit of the same kind on other frequencies (weak universality).
    """
    options = cohort.options
    label = _shared_labels(cohort)
    key = np.stack([np.asarray(member.artifacts[_VOTES]["key"][-1], dtype=bool) for member in cohort.members])
    moves = _moves(cohort, label)
    orbit = orbits(moves) if len(moves) > 1 else np.zeros(len(label), dtype=int)
    drawn = {"draws": options.draws, "seed": options.seed, "orbit": orbit}
    relabelled = largest_overlaps(key, moves)
    outputs = {
        "variant": variants_of(cohort),
        "label": label,
        "orbit": orbit,
        "relabelling_count": np.array(len(moves)),
        "key": key,
        "often": key.sum(axis=0),
        "overlap": overlaps(key),
        "relabelled_overlap": relabelled,
        **_beside_null("overlap", overlaps(key), null_overlaps(key, **drawn)),
    }
    if len(moves) > 1:
        null = mean_over_pairs(largest_overlaps(random_sets(key, **drawn), moves))
        outputs |= _beside_null("relabelled_overlap", relabelled, null)
    return outputs | _mean_spectra(cohort, label, options)


def _beside_null(name: str, matrix: np.ndarray, null: np.ndarray) -> dict[str, np.ndarray]:
    mean = mean_over_pairs(matrix)
    return {
        f"mean_{name}": np.array(mean),
        f"mean_{name}_null": np.array([null.mean(), *np.quantile(null, (0.025, 0.975))]),
        f"{name}_p_value": np.array((1 + (null >= mean - 1e-9).sum()) / (1 + len(null))),
    }


def _moves(cohort: Cohort, label: np.ndarray) -> np.ndarray:
    """(U, K) relabellings of the components; the identity alone where the answers' basis is not known to have any."""
    first = cohort.members[0]
    basis = answer_basis(first.probe, first.bases)
    if basis is None or basis.labels != tuple(label.tolist()):
        return np.arange(len(label))[None]
    return relabellings(basis)


def _shared_labels(cohort: Cohort) -> np.ndarray:
    labels = [member.artifacts[_VOTES]["label"][0] for member in cohort.members]
    if any(not np.array_equal(labels[0], other) for other in labels[1:]):
        reason = "their answers' bases have different components, so there is no spectrum they could share"
        raise DoesNotApply(reason)
    return labels[0]


def _mean_spectra(cohort: Cohort, label: np.ndarray, options: CohortOptions) -> dict[str, np.ndarray]:
    """Of every embedding that all members have in the basis of the answers."""
    arrays: dict[str, np.ndarray] = {}
    seen = [member.artifacts[_EMBEDDING] for member in cohort.members]
    roles = [name.removesuffix("/fraction") for name in seen[0] if name.endswith("/fraction")]
    for role in roles:
        if not all(f"{role}/label" in s and np.array_equal(s[f"{role}/label"][0], label) for s in seen):
            continue
        share = np.stack([np.asarray(s[f"{role}/fraction"][-1], dtype=np.float64) for s in seen])
        arrays |= {f"{role}/share": share.astype(np.float32), f"{role}/mean": share.mean(axis=0)}
        if len(share) >= options.least:
            low, high = resampled_mean(share, draws=options.draws, seed=options.seed)
            arrays |= {f"{role}/low": low, f"{role}/high": high}
    return arrays


SPECTRA = Analyzer(
    name="cohort.spectra",
    version=2,
    grain=Grain.COHORT,
    compute=spectra,
    needs=Needs(reads=(_VOTES, _EMBEDDING), bases=("*",), labels=True),
    options=CohortOptions,
    question="Do these variants end on the same components, more than random sets would?",
    formula="mean over pairs of |A n B|, and of max over u of |u A n B|, against random sets with as many per orbit",
    source="Hypergeometric null; weak and strong universality: Chughtai et al. 2023 (arXiv 2302.03025)",
    outputs={
        "variant": "(n,) names",
        "label": "(K,) labels of the components",
        "orbit": "(K,) components with the same number are alike under the task's automorphisms, or taken to be",
        "relabelling_count": "() automorphisms up to sign; 1 where only the identity is known",
        "key": "(n, K) whether the component is key at the variant's last checkpoint",
        "often": "(K,) variants in which it is",
        "overlap": "(n, n) key components that two variants share",
        "relabelled_overlap": "(n, n) the same after the relabelling of one by which they share most",
        "mean_{overlap,relabelled_overlap}": "() their mean over pairs",
        "mean_{overlap,relabelled_overlap}_null": "(3,) mean, 2.5 and 97.5 % for random sets of the same sizes",
        "{overlap,relabelled_overlap}_p_value": "() share of random draws that share at least as much",
        "ROLE/share": "(n, K) share of an embedding's power in each component at the last checkpoint",
        "ROLE/mean": "(K,) its mean over variants",
        "ROLE/{low,high}": "(K,) 95 % interval of the mean by bootstrap over variants, where there are enough",
    },
)


def weights(cohort: Cohort) -> Arrays:
    """How far apart the weights of each two variants are at the last checkpoint, all together and by tensor.

    Relative to their lengths: two independent draws are at right angles, 1. Neurons and heads are compared as they are
    numbered, so the same network with its neurons in another order counts as another.
    """
    members = cohort.members
    if any(list(member.weights) != list(members[0].weights) for member in members):
        raise DoesNotApply("their models have different weight tensors")
    outputs: dict[str, np.ndarray] = {"variant": variants_of(cohort)}
    total = np.zeros((len(members), len(members)))
    for role in members[0].weights:
        rows = [member.weights[role]()[-1].double().flatten().numpy() for member in members]
        if len({row.shape for row in rows}) > 1:
            raise DoesNotApply(f"their weights {role!r} differ in shape")
        gram = np.stack(rows) @ np.stack(rows).T
        total += gram
        outputs[f"{role}/distance"] = relative_distances(gram)
    together = relative_distances(total)
    mean = together[np.triu_indices(len(members), k=1)].mean()
    return outputs | {"all/distance": together, "mean_distance": np.array(mean)}


WEIGHTS = Analyzer(
    name="cohort.weights",
    version=1,
    grain=Grain.COHORT,
    compute=weights,
    needs=Needs(weights=("*",)),
    opt_in=True,
    question="How far apart do these variants end in weight space?",
    formula="|x - y| / sqrt(|x|^2 + |y|^2)",
    source="Cosine distance; permutations of neurons: Ainsworth et al. 2022 (arXiv 2209.04836)",
    outputs={
        "variant": "(n,) names",
        "ROLE/distance": "(n, n) relative distance of a weight tensor",
        "all/distance": "(n, n) the same of all of them together",
        "mean_distance": "() mean over pairs, of all weights",
    },
)


def clusters(cohort: Cohort[CohortOptions]) -> Arrays:
    """Whether neurons of the same number end in the same cluster, and whether clusters are as large.

    Adjusted Rand index of the final clusters: 0 expected at random, as between seeds; between variants that
    start from the same weights, more says that the start decides. The profile is the overlap of the sizes' shares.
    """
    options = cohort.options
    first = cohort.members[0].artifacts[_CLUSTERS]
    outputs: dict[str, np.ndarray] = {"variant": variants_of(cohort)}
    for name in first:
        if name.endswith("/final"):
            site = name.removesuffix("/final")
            outputs |= {f"{site}/{what}": array for what, array in _agreement(cohort, site, options).items()}
    return outputs


def _agreement(cohort: Cohort, site: str, options: CohortOptions) -> dict[str, np.ndarray]:
    name = f"{site}/final"
    final = [m.artifacts[_CLUSTERS][name] if name in m.artifacts[_CLUSTERS] else np.array([]) for m in cohort.members]
    if len({len(each) for each in final}) > 1:
        raise DoesNotApply(f"they have different numbers of neurons at {site!r}")
    size = np.stack([np.asarray(m.artifacts[_CLUSTERS][f"{site}/size"][-1], dtype=np.int64) for m in cohort.members])
    share = size / np.maximum(size.sum(axis=1, keepdims=True), 1)
    generator = np.random.default_rng(options.seed)
    rand = np.array([[adjusted_rand(a, b) for b in final] for a in final])
    null = [adjusted_rand(a, generator.permutation(b)) for a in final for b in final for _ in range(3) if a is not b]
    known = np.array(null)[np.isfinite(null)]
    return {
        "label": cohort.members[0].artifacts[_CLUSTERS][f"{site}/label"],
        "size": size,
        "rand": rand,
        "rand_null": np.quantile(known, (0.025, 0.975)) if len(known) else np.full(2, np.nan),
        "profile": np.minimum(share[:, None], share[None]).sum(axis=2),
    }


CLUSTERS = Analyzer(
    name="cohort.clusters",
    version=1,
    grain=Grain.COHORT,
    compute=clusters,
    needs=Needs(reads=(_CLUSTERS,), same_probe=True),
    options=CohortOptions,
    question="Do the same neurons end in the same clusters, and are the clusters as large?",
    formula="adjusted Rand index of the final clusters; sum over components of the lesser share of neurons",
    source="Hubert & Arabie 1985",
    outputs={
        "variant": "(n,) names",
        "SITE/label": "(K,) labels of the components",
        "SITE/size": "(n, K) neurons committed to each component at the last checkpoint",
        "SITE/rand": "(n, n) adjusted Rand index of the clusters; 1 for the same, 0 expected at random",
        "SITE/rand_null": "(2,) 2.5 and 97.5 % with the neurons shuffled",
        "SITE/profile": "(n, n) overlap of the shares of neurons by component: 1 for the same sizes",
    },
)
