"""Configuration files of Least Action Learning: one training, or a sweep of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from miscope.errors import BadValue
from miscope.studies.document import read_file
from miscope_lal.seed.trainer_config import TrainerConfig, trainer_config

__all__ = ["read_config", "read_sweep", "study_values"]


def read_config(path: Path | None, given: Mapping[str, Any]) -> TrainerConfig:
    """The training that a file says, with what is given explicitly over it: given, then file, then default."""
    said = {} if path is None else dict(read_file(path).values)
    _refuse_study(path, said)
    if "experiments" in said:
        raise BadValue(
            f"{path} is a sweep, and not one training.",
            f"It lists {len(said['experiments'] or ())} experiments.",
            f"Run it:  miscope lal sweep --config {path}",
        )
    return trainer_config({**said, **given}, "a configuration" if path is None else str(path))


def read_sweep(path: Path) -> dict[str, TrainerConfig]:
    """The experiments of a sweep by name, in order, each over its base. Raises BadValue for what is no such file."""
    said = dict(read_file(path).values)
    _refuse_study(path, said)
    listed = said.get("experiments")
    if not isinstance(listed, list) or not all(isinstance(each, dict) and each.get("name") for each in listed):
        raise BadValue(
            f"{path} is no sweep.",
            "A sweep has `base`, which all its experiments share, and `experiments`, a list of which each has a name.",
            f"For one training:  miscope lal train --config {path}",
        )
    found: dict[str, TrainerConfig] = {}
    for each in listed:
        if each["name"] in found:
            raise BadValue(
                f"{path} has two experiments named {each['name']!r}.", "Each is told by its name.", "Rename one."
            )
        found[each["name"]] = trainer_config({**(said.get("base") or {}), **each}, f"{path}, {each['name']}")
    return found


def _refuse_study(path: Path | None, said: Mapping[str, Any]) -> None:
    if "family" in said:
        raise BadValue(
            f"{path} is a study of miscope.",
            "It names a family; a configuration of Least Action Learning says model_type.",
            f"Run it:  miscope sweep {path}",
        )


def study_values(configs: Mapping[str, TrainerConfig], path: Path) -> dict[str, Any]:
    """The same as a study of miscope: runs with every setting, by name. Raises BadValue where it could be none."""
    families = sorted({config.family for config in configs.values()})
    if len(families) > 1:
        raise BadValue(
            f"{path} trains {' and '.join(families)}.",
            "A study is of one family.",
            "Make it a file for each model_type.",
        )
    hows = {(config.log_every, config.watch) for config in configs.values()}
    if len(hows) > 1:
        raise BadValue(
            f"The experiments of {path} measure at different intervals.",
            "What is watched, and how often, is said once for a study.",
            "Say log_every and the intervals in `base`.",
        )
    ((log_every, watch),) = hows
    return {
        "family": families[0],
        "train": {"log_every": log_every, "watch": list(watch)},
        "include": [{"name": name, **_plain(config.fields)} for name, config in configs.items()],
    }


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """As a file holds them."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}
