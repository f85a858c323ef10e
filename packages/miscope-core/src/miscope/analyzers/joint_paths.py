"""The paths of several variants in the same principal components."""

from __future__ import annotations

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain, Options
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.maths.path_pca import centred_gram, components_of_gram
from miscope.needs import Needs
from miscope.snapshot import Cohort


class JointOptions(Options):
    """How many components are kept."""

    components: Count = 4
    """Kept, of all checkpoints together."""


def joint(cohort: Cohort[JointOptions]) -> Arrays:
    """Principal components of all checkpoints of several variants together: one basis for all of them.

    Exact, from the Gram matrix over all checkpoints; each counts equally. Seeds that start apart differ in the first
    components by that alone. After Carroll et al. 2025.
    """
    options = cohort.options
    shapes = [{role: tuple(load().shape[1:]) for role, load in one.weights.items()} for one in cohort.members]
    names = [one.variant.name for one in cohort.members]
    if any(shape != shapes[0] for shape in shapes):
        reason = "their weights differ in shape, so they have no axes in common"
        raise DoesNotApply(reason)
    counts = [len(one.steps) for one in cohort.members]
    if sum(counts) < 3:
        raise DoesNotApply(f"a plane needs 3 checkpoints, and it has {sum(counts)}")
    gram = np.zeros((sum(counts), sum(counts)))
    for role in cohort.members[0].weights:
        points = [one.weights[role]().reshape(len(one.steps), -1).numpy() for one in cohort.members]
        gram += centred_gram(np.concatenate(points))
    path = components_of_gram(gram, options.components)
    return {
        "scores": path.scores,
        "explained": path.explained,
        "member": np.repeat(np.arange(len(counts)), counts),
        "at": np.concatenate([one.steps for one in cohort.members]),
        "variant": np.array(names),
    }


JOINT = Analyzer(
    name="parameters.joint",
    version=1,
    grain=Grain.COHORT,
    synonyms=("PCA", "principal components"),
    compute=joint,
    needs=Needs(weights=("*",)),
    options=JointOptions,
    question="Do the variants take the same way through the space of weights?",
    formula="scores = eigenvectors of the Gram matrix over the checkpoints of all variants x sqrt(eigenvalue)",
    source="joint trajectory PCA, Carroll et al. 2025",
    outputs={
        "scores": "(sum of T, k) coordinates of every checkpoint of every variant",
        "explained": "(k,) share of variance of each component",
        "member": "(sum of T,) which variant a row is of",
        "at": "(sum of T,) its step",
        "variant": "(n,) names, in order",
    },
)
