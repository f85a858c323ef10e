"""What thresholds, the window around them and their penalty come to, by the size of a typical latent."""

from __future__ import annotations

from typing import cast

from miscope_sae.setting import Setting
from miscope_sae.training import JumpReluTraining

__all__ = ["bandwidth", "first_threshold", "l0_strength"]

_SHARE = 0.1
"""Of a typical latent: thresholds at first, and the window around them; of its square: the coefficient of sparsity."""
_TARGET_SHARE = 0.3
"""Of the squared size of a typical latent times the target: the coefficient where a number of latents is aimed at."""


def l0_strength(setting: Setting) -> float:
    """What the penalty is multiplied by once it is whole."""
    training = _training(setting)
    if training.target_l0 is not None:
        return _TARGET_SHARE * setting.typical_latent(training.target_l0) ** 2
    usual = _SHARE * setting.typical_latent(training.expected_l0) ** 2
    return usual if training.l0_alpha is None else training.l0_alpha


def bandwidth(setting: Setting) -> float:
    """Width of the window around a threshold whose pre-activations move it."""
    training = _training(setting)
    return _SHARE * setting.typical_latent(training.expected_l0) if training.bandwidth is None else training.bandwidth


def first_threshold(setting: Setting) -> float:
    """Of each latent, at step 0."""
    training = _training(setting)
    given = training.threshold_init
    return _SHARE * setting.typical_latent(training.expected_l0) if given is None else given


def _training(setting: Setting) -> JumpReluTraining:
    return cast("JumpReluTraining", setting.training)
