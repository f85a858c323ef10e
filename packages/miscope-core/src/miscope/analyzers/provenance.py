"""Where checkpoints come from, and whether what their files say of the training is what was done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from miscope.analyzer import Analyzer, Grain
from miscope.artifact import Arrays
from miscope.needs import Needs
from miscope.snapshot import Trajectory

_FIELDS = {"lr": "learning_rate", "weight_decay": "weight_decay", "betas": "betas", "eps": "eps"}
"""What an optimizer's group calls a setting, and the training field that it is."""


def settings(trajectory: Trajectory) -> Arrays:
    """Settings of the training by every account of them: the file's configuration, its optimizer, the variant's record.

    A configuration is what somebody meant to do, an optimizer's group what was done. Without an imported file the
    record is the only account, and there is nothing to contradict it. What was assumed of an import, since nothing
    gave it, and where a training went on from weights made elsewhere are listed beside.
    """
    imported: Any = trajectory.facts.get("imported", {})
    training = {} if trajectory.variant.training is None else trajectory.variant.training.model_dump(mode="json")
    rows = [
        (name, word, *_accounts(word, account, training))
        for name, account in imported.items()
        for word in sorted({*account.get("config", {}), *account.get("optimizer", {})} - {"params"})
    ]
    columns = list(zip(*rows, strict=True)) if rows else [()] * 5
    named = dict(zip(("file", "setting", "configuration", "optimizer", "record"), columns, strict=True))
    outputs = {name: np.array(values, dtype=np.str_) for name, values in named.items()}
    both = (outputs["configuration"] != "") & (outputs["optimizer"] != "")
    mismatch = both & (outputs["configuration"] != outputs["optimizer"])
    versions: Any = trajectory.facts.get("versions", {})
    assumed: Any = trajectory.facts.get("assumed", {})
    warm: Any = trajectory.facts.get("warm", {})
    return outputs | {
        "origin": np.array([str(trajectory.facts["origin"])] if "origin" in trajectory.facts else [], dtype=np.str_),
        "assumed": np.array(list(assumed), dtype=np.str_),
        "assumed_value": np.array([_text(value) or "none" for value in assumed.values()], dtype=np.str_),
        "assumed_count": np.array(len(assumed)),
        "warm_from": np.array([str(warm["from"])] if warm else [], dtype=np.str_),
        "warm_step": np.array([int(warm["step"])] if warm else [], dtype=np.int64),
        "mismatch": mismatch,
        "mismatch_count": np.array(int(mismatch.sum())),
        "source": np.array(list(imported), dtype=np.str_),
        "sha256": np.array([account.get("sha256", "") for account in imported.values()], dtype=np.str_),
        "library": np.array(list(versions), dtype=np.str_),
        "version": np.array([str(version) for version in versions.values()], dtype=np.str_),
    }


def _accounts(
    word: str, account: Mapping[str, Mapping[str, object]], training: Mapping[str, object]
) -> tuple[str, str, str]:
    """The value by the configuration, the optimizer and the record, as text; '' where one is silent."""
    values = (
        account.get("config", {}).get(word),
        account.get("optimizer", {}).get(word),
        training.get(_FIELDS.get(word, "")),
    )
    first, second, third = (_text(value) for value in values)
    return first, second, third


def _text(value: object) -> str:
    """Numbers alike however they are written: 1 and 1.0, a list and a tuple."""
    if value is None:
        return ""
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int | float):
        return f"{value:.12g}"
    return ", ".join(map(_text, value)) if isinstance(value, list | tuple) else str(value)


SETTINGS = Analyzer(
    name="provenance.settings",
    version=2,
    grain=Grain.TRAJECTORY,
    compute=settings,
    needs=Needs(facts=True),
    question="Was the training what its files say it was?",
    formula="mismatch: configuration and optimizer both name a setting, and differ",
    source="Nanda et al. 2023, public checkpoints: wd_10-1 says weight decay 1 and used 0.1",
    outputs={
        "file": "(n,) imported file",
        "setting": "(n,) word that its configuration or its optimizer uses",
        "configuration": "(n,) its value by the configuration; '' where it is silent",
        "optimizer": "(n,) by the optimizer's first group; '' where it is silent",
        "record": "(n,) by the variant's own record, which analyses go by; '' for what is no training field",
        "mismatch": "(n,) whether configuration and optimizer contradict each other",
        "mismatch_count": "() how many do",
        "source": "(F,) imported files",
        "sha256": "(F,) their digests when they were imported",
        "origin": "(1,) trained here, imported or metrics only; (0,) in records from before that was written down",
        "assumed": "(A,) fields that neither file nor caller gave, at the family's default",
        "assumed_value": "(A,) what was assumed of each",
        "assumed_count": "() how many were",
        "warm_from": "(1,) variant whose weights the training went on from with a fresh optimizer; (0,) for none",
        "warm_step": "(1,) step of those weights; (0,) for none",
        "library": "(L,) libraries at hand when the record was made",
        "version": "(L,) their versions",
    },
)
