"""How smooth the table of predicted answers is over the factors of the inputs."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from miscope.analyzer import Analyzer, Count, Grain, Options, Whole
from miscope.analyzers.observed.answers import smoothness_observed
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.lazily import torch
from miscope.maths.draws import random_of
from miscope.maths.smoothness import Smoothness, cutoff_of, low_frequencies, renumbered, shuffled, smoothness
from miscope.model import LOGITS
from miscope.needs import Needs
from miscope.snapshot import Snapshot

NAME = "smoothness.spectrum"


class SpectrumOptions(Options):
    """Which frequencies are low, and how many draws the null is made of."""

    cutoff: Annotated[float, Field(gt=0)] | None = None
    """Largest distance from the origin of frequencies, in cycles a sample; None for (p // 4) / p with the p values of
    the largest factor."""
    draws: Count = 100
    """Random numberings of the classes."""
    seed: Whole = 0


def spectrum(snapshot: Snapshot[SpectrumOptions]) -> Arrays:
    """Share of the power of the table of predicted class numbers at low frequencies: higher is smoother.

    The table is over every value of two or more factors; its power is that of the discrete Fourier transform over all
    of them, a frequency is low by its distance from the origin. The constant alone holds three quarters of the power
    of any table whose answers are equally frequent, so the share without it tells more. Both depend on how the classes
    are numbered: an exact table of sums is smooth, one of products is not. The nulls are the same table with its
    classes renumbered at random, and with its values laid over the grid at random. `expected` is the table of
    sum_c c softmax(logits)_c, which moves before the answer does. float64.
    """
    options, probe = snapshot.options, snapshot.probe
    shape = probe.shape
    if len(shape) < 2:
        raise DoesNotApply(f"it needs a probe that enumerates two factors or more, and {probe.name!r} has {len(shape)}")
    cutoff = cutoff_of(shape) if options.cutoff is None else options.cutoff
    low = low_frequencies(shape, cutoff)
    if low.sum() == 1:
        sizes = " x ".join(map(str, shape))
        raise DoesNotApply(f"of a {sizes} grid no frequency but the constant is within {cutoff:g} cycles a sample")
    logits = snapshot.activations[LOGITS].double()
    classes = logits.shape[-1]
    predicted = logits.argmax(-1).numpy().reshape(shape)
    expected = (logits.softmax(-1) @ torch.arange(classes, dtype=torch.float64, device=logits.device)).numpy()
    random = random_of(NAME, seed=options.seed, step=snapshot.step)
    null = renumbered(predicted, low, classes=classes, draws=options.draws, random=random)
    outputs = _named("", smoothness(predicted, low)) | _named("expected_", smoothness(expected.reshape(shape), low))
    outputs |= _named("shuffled_", shuffled(predicted, low))
    if probe.labels is not None:
        outputs |= _named("answer_", smoothness(probe.labels.numpy().reshape(shape), low))
    outputs |= {f"null_{name}": np.quantile(d, (0.025, 0.5, 0.975)) for name, d in zip(_SHARES, null, strict=True)}
    table = predicted.astype(np.int32)
    return {**outputs, "predicted": table, "cutoff": np.array(cutoff), "classes": np.array(classes)}


_SHARES = ("value", "without_constant")


def _named(prefix: str, measured: Smoothness) -> dict[str, np.ndarray]:
    return {f"{prefix}{name}": np.array(getattr(measured, name)) for name in _SHARES}


SPECTRUM = Analyzer(
    name=NAME,
    version=1,
    grain=Grain.CHECKPOINT,
    compute=spectrum,
    observe=smoothness_observed,
    needs=Needs(sites=(LOGITS,)),
    options=SpectrumOptions,
    not_invariant_to=("token relabelling",),
    question="How smoothly does the predicted answer vary over the factors of the input?",
    formula="sum of |FFT(y)|^2 over sqrt(f_a^2 + f_b^2) <= K / p, over its sum over all f; y = argmax of the logits",
    source="Least Action Learning; compare Rahaman et al. 2019 (arXiv 1806.08734)",
    outputs={
        "value": "() share of the power of the predicted class numbers at low frequencies, with the constant; 1 if "
        "one class is predicted everywhere",
        "without_constant": "() the same without the constant; NaN if one class is predicted everywhere",
        "expected_{value,without_constant}": "() of the expected class number under the softmax",
        "answer_{value,without_constant}": "() of the right answers, where they are known",
        "null_{value,without_constant}": "(3,) 2.5, 50 and 97.5 % with the classes renumbered at random",
        "shuffled_{value,without_constant}": "() expected, with the predictions laid over the grid at random",
        "predicted": "(q_a, q_b, ...) int32, the class predicted for each input",
        "cutoff": "() the largest low frequency, cycles a sample",
        "classes": "() how many classes there are",
    },
)
