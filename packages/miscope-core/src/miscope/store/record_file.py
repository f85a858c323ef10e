"""variant.json: what is written of a variant, and whether what is read is what was written."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any

from miscope.errors import BadFile
from miscope.recipe import digest
from miscope.store.variant_record import VariantRecord
from miscope.training_config import TrainingConfig
from miscope.variant import Variant, digest_of

__all__ = ["read_record", "record_content", "sealed"]

SCHEMA = 1
_LIBRARIES = ("miscope-core", "torch", "transformer-lens", "numpy")
_KINDS = {"family": str, "params": dict, "training": dict | None, "digest": str, "facts": dict}
_NEWER = "It was written by a newer miscope"
_RESTORE = "Restore it from a copy; or delete it and train the variant again: its checkpoints stay."


def record_content(variant: Variant, facts: Mapping[str, object]) -> bytes:
    """The file's bytes; the versions of what matters are added to the facts where they say none."""
    training = variant.training
    return sealed(
        {
            "schema": SCHEMA,
            "name": variant.name,
            "family": variant.family,
            "params": variant.params.model_dump(mode="json"),
            "training": None if training is None else training.model_dump(mode="json"),
            **({"label": variant.label} if variant.label else {}),
            **({"parents": list(variant.parents)} if variant.parents else {}),
            "digest": variant.digest,
            "facts": {"versions": _versions(), **facts},
        }
    )


def sealed(record: Mapping[str, object]) -> bytes:
    """The record as JSON, with a checksum of all the rest, so that a changed byte is noticed."""
    plain = json.loads(json.dumps({key: record[key] for key in record if key != "checksum"}, default=str))
    return (json.dumps({**plain, "checksum": digest(plain)}, indent=2) + "\n").encode()


def read_record(path: Path, name: str) -> VariantRecord:
    """What the file in the folder of that name says; FileNotFoundError, or BadFile if it is not what was written."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BadFile(path, "It is no ordinary file.", _RESTORE)
        record = json.loads(path.read_bytes())
        problem = _problem(record)
    except FileNotFoundError:
        raise
    except (ValueError, TypeError, OSError, RecursionError) as error:
        problem = f"It is no variant record: {type(error).__name__}: {error}."
    if problem:
        raise BadFile(path, problem, "Upgrade miscope." if problem.startswith(_NEWER) else _RESTORE)
    return VariantRecord(
        name=name,
        written_as=record.get("name") or f"{record['family']}/{name.partition('/')[2]}",
        family=record["family"],
        params=record["params"],
        training=record["training"],
        digest=record["digest"],
        label=record.get("label"),
        parents=tuple(record.get("parents", ())),
        facts=record["facts"],
    )


def _problem(record: Any) -> str:
    """Why this cannot be what was written; '' if it can."""
    if not isinstance(record, dict):
        return f"It is no variant record: {_kind(record)}."
    if not isinstance(record.get("schema"), int):
        return "It is no variant record: 'schema' is no number."
    if record["schema"] > SCHEMA:
        return f"{_NEWER}: it has schema {record['schema']}, this one reads {SCHEMA}."
    for field, kind in _KINDS.items():
        if field not in record:
            return f"It is no variant record: it has no {field!r}."
        if not isinstance(record[field], kind):
            return f"It is no variant record: {field!r} is {_kind(record[field])}."
    if "checksum" in record:
        fits = record["checksum"] == digest({key: value for key, value in record.items() if key != "checksum"})
    else:
        # Records from before there were checksums have at least a digest of what decides the weights.
        # A training's fields of a family's own are younger.
        training = record["training"]
        identity = None if training is None else TrainingConfig.identity_of(training)
        now = digest_of(record["family"], record["params"], identity, record.get("label"))
        fits = record["digest"] == now
    return "" if fits else "It was changed or damaged since it was written: its content does not fit its checksum."


def _kind(value: object) -> str:
    named = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return named.get(type(value), "a number")


def _versions() -> dict[str, str]:
    versions = {"python": python_version()}
    for library in _LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            continue
    return versions
