"""Whether a family names sites and axes as TransformerLens does: by these words the instruments find what they need."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from miscope.model import LOGITS, Model
from miscope.model_context import ModelContext
from miscope.patterns import matches
from miscope.testing.rounding import roundings

__all__ = ["AXES", "check_axes", "check_order", "check_site_names"]

_SITES = {
    "": ("hook_embed", "hook_pos_embed", LOGITS),
    "blocks.N": (
        *("hook_resid_pre", "hook_resid_mid", "hook_resid_post", "hook_attn_out", "hook_mlp_out", "hook_attn_in"),
        *("hook_mlp_in", "hook_q_input", "hook_k_input", "hook_v_input"),
    ),
    "blocks.N.attn": (
        *("hook_q", "hook_k", "hook_v", "hook_z", "hook_attn_scores", "hook_pattern", "hook_result", "hook_rot_q"),
        "hook_rot_k",
    ),
    "blocks.N.mlp": ("hook_pre", "hook_post", "hook_pre_linear"),
    "blocks.N.ln1": ("hook_scale", "hook_normalized"),
    "blocks.N.ln2": ("hook_scale", "hook_normalized"),
    "ln_final": ("hook_scale", "hook_normalized"),
}
"""Where a site is -> what it may be called there; a name unlike all of these is the family's own."""

AXES = ("token", "position", "head", "d_model", "d_mlp", "d_head", "vocab_out")

_ROLES = {
    "W_U": (-1, "vocab_out"),
    "W_pos": (0, "position"),
    "blocks.*.attn.W_[QKVO]": (0, "head"),
    "blocks.*.attn.W_[QKV]": (-1, "d_head"),
    "blocks.*.attn.W_O": (1, "d_head"),
    "blocks.*.mlp.W_in": (-1, "d_mlp"),
    "blocks.*.mlp.W_out": (0, "d_mlp"),
}
"""Pattern of roles -> the axis that is the same in every family, and what it counts."""

_IN_ORDER = (
    ("mlp.hook_pre", "mlp.hook_post"),
    ("hook_resid_pre", "hook_resid_mid"),
    ("hook_resid_mid", "hook_resid_post"),
    ("hook_resid_pre", "hook_resid_post"),
)
"""Ends of sites' names of one block, of which the first comes before the second."""


_ROUNDINGS = 1e4
"""More than two orders of summation differ by, and far less than a site moves that comes later."""


def check_site_names(family: str, sites: Iterable[str]) -> None:
    """Assert that no site is called almost as TransformerLens calls it."""
    for site in sites:
        place, _, word = re.sub(r"(?<=\.)\d+(?=\.|$)", "N", site).rpartition(".")
        near = [place] if place in _SITES else difflib.get_close_matches(place, _SITES, n=1, cutoff=0.8)
        close = difflib.get_close_matches(word, _SITES[near[0]], n=1, cutoff=0.85) if near else []
        meant = ".".join(filter(None, (*near, *close)))
        assert not close or (place, word) == (near[0], close[0]), (
            f"{family}: the site {site!r} is almost {meant!r}, as TransformerLens calls it; instruments find a site by "
            "that name"
        )


def check_axes(context: ModelContext) -> None:
    """Assert that one axis has one size throughout, and that axes are called by the words instruments look for."""
    family, sizes = context.family.name, dict[str, tuple[str, int]]()
    own = {*context.bases, *(name for probe in context.probes.values() for name in probe.columns)}
    for name, role in context.model.roles.items():
        for axis, size in zip(role.axes, role.shape, strict=True):
            there = sizes.setdefault(axis, (name, size))
            assert there[1] == size, (
                f"{family}: the axis {axis!r} has {there[1]} entries in {there[0]} and {size} in {name}; an axis is "
                "what is counted along it, so give two things two names"
            )
            close = [] if axis in own else difflib.get_close_matches(axis, AXES, n=1, cutoff=0.75)
            assert not close or axis in AXES, f"{family}: the axis {axis!r} of {name} is almost {close[0]!r}"
        for pattern, (place, axis) in _ROLES.items():
            assert not matches(name, pattern) or role.axes[place] == axis, (
                f"{family}: the axes of {name} are {role.axes}; its {'first' if place == 0 else 'last'} should be "
                f"{axis!r}, in the orientation of TransformerLens"
                if place != 1
                else f"{family}: the axes of {name} are {role.axes}; its second should be {axis!r}, in the orientation "
                "of TransformerLens"
            )


def check_order(family: str, model: Model, weights: Mapping[str, Tensor], inputs: Tensor) -> None:
    """Assert that what replaces a later site leaves an earlier one of the same block as it is.

    At the first position: what a recurrent network does at one is before everything it does at the next.
    """
    for first, second in _IN_ORDER:
        for site in sorted(name for name in model.sites if name.endswith(first)):
            later = site.removesuffix(first) + second
            if later not in model.sites:
                continue
            with torch.no_grad():
                clean = model.run(weights, inputs, [site])[site]
                changed = model.run(weights, inputs, [site], hooks=[(later, lambda given: given + 1)])[site]
            # A network may compute in another order where something is replaced.
            assert roundings(changed[:, :1], clean[:, :1]) < _ROUNDINGS, (
                f"{family}: what replaces {later!r} changes {site!r}, which comes before it; are the two swapped?"
            )
