"""What a bundle of variants says of itself: what it holds, what that is built on, each file's size and SHA-256."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, final

from pydantic import BaseModel, ConfigDict, Field

from miscope.slug import NAME_PATTERN, check_name

__all__ = [
    "MANIFEST",
    "VERSION",
    "BundledFile",
    "BundledVariant",
    "Copied",
    "Manifest",
    "Parent",
    "is_note",
    "is_part",
    "run_of",
]

MANIFEST = "manifest.json"
VERSION = 1

_STEP = r"step_(?:\d{9}|[1-9]\d{9,17})"
_NAME = NAME_PATTERN.pattern
_PARTS = re.compile(
    rf"""variant\.json|probe\.safetensors|training_state\.safetensors|training_states/{_STEP}\.safetensors
    |annotations/(?:\d{{6}}|[1-9]\d{{6,8}})\.json|checkpoints/{_STEP}\.(?:safetensors|unfinite)|metrics/\d+-\d+\.parquet
    |artifacts/{_NAME}/{_NAME}/(?:recipe\.json|(?:{_STEP}|trajectory)\.(?:npz|not_applicable|refused|failed))""",
    re.VERBOSE,
)
_RUN = re.compile(rf"ledger/({_NAME})\.jsonl")


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


@final
class BundledFile(_Value):
    """One file, as it was when it was put in."""

    size: Annotated[int, Field(ge=0)]
    """Bytes."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@final
class Parent(_Value):
    """A variant that another is built on."""

    variant: str
    digest: str


@final
class BundledVariant(_Value):
    """One variant of a bundle."""

    name: str
    """'modadd.transformer/p113-seed999-dseed598'."""
    family: str
    digest: str
    built_on: Annotated[tuple[Parent, ...], Field(strict=False)] = ()


@final
class Manifest(_Value):
    """The file `manifest.json` of a bundle."""

    format: Literal["miscope bundle"] = "miscope bundle"
    version: int = VERSION
    miscope: str
    """The version that wrote it."""
    artifacts: bool
    """Whether what instruments computed is in it."""
    variants: Annotated[tuple[BundledVariant, ...], Field(strict=False)]
    """What is built on before what is built."""
    files: Mapping[str, BundledFile]
    """By name in the archive: where a workspace has it."""


@final
@dataclass(frozen=True, slots=True)
class Copied:
    """How many bytes of a bundle have been copied, of how many."""

    done: int
    total: int


def is_part(member: str, variants: Collection[str]) -> bool:
    """Whether a workspace has a file of that name in the folder of one of these variants, or for a run."""
    if _RUN.fullmatch(member):
        return ".." not in member
    return any(
        member.startswith(f"variants/{name}/") and is_kept(member.removeprefix(f"variants/{name}/"))
        for name in variants
    )


def is_kept(relative: str) -> bool:
    """Whether a file of a variant's folder is part of a bundle: what is derived, locked or unfinished is not."""
    return _PARTS.fullmatch(relative) is not None and ".." not in relative


def is_note(member: str) -> bool:
    """Whether it holds tags and notes, which may be others in another workspace without the variant being another."""
    return "/annotations/" in member


def run_of(member: str) -> str | None:
    """The run whose ledger lines the file holds; None for any other file."""
    match = _RUN.fullmatch(member)
    return check_name(match[1]) if match else None
