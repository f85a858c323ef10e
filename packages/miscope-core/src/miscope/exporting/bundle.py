"""Variants as one archive: record, checkpoints, state, metrics, artifacts and the ledgers of their runs."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from miscope.errors import BadValue, CannotWrite
from miscope.exporting.bundle_manifest import MANIFEST, BundledFile, BundledVariant, Copied, Manifest, Parent, is_kept
from miscope.store.atomic import check_place, explaining, make_folder, sweep, sync_folder, unfinished
from miscope.store.ledger import ENDINGS, Ledger, parse
from miscope.store.sources import check_source
from miscope.store.store import Store
from miscope.variant import Variant
from miscope.workspace import Workspace, plain_variants

__all__ = ["bundle", "with_sources"]

_CHUNK = 2**20
_TEXT = (".json", ".jsonl")
"""What is compressed; arrays and tables are stored as they are, and are hardly smaller otherwise."""


def bundle(
    workspace: Workspace, variants: Variant | Sequence[Variant], path: str | Path, *, artifacts: bool = True
) -> Iterator[Copied]:
    """Write the variants, and those they are built on, into a zip archive that `importing.bundle` takes in.

    artifacts: with what instruments computed. A run that has no end in its ledger has one in the bundle. The archive
    appears whole, at the end, or not at all. Raises, before anything is written, BadValue for another suffix and for a
    variant that is built on what is gone or was changed, Busy while one is trained or recorded.
    """
    path = Path(path)
    if path.suffix.lower() != ".zip":
        raise BadValue(
            f"A bundle cannot be written as {path.name!r}.",
            "It is a zip archive, and `miscope import` knows it by that ending.",
            f"Name it {path.stem}.zip.",
        )
    check_place(path)
    everyone = with_sources(workspace, plain_variants(workspace, variants))
    for name in everyone:
        workspace.store.variant_record(name)
    return _bundled(workspace, everyone, path, artifacts=artifacts)


def with_sources(workspace: Workspace, variants: Sequence[Variant]) -> dict[str, Variant]:
    """The variants and all that these are built on, by name; what is built on comes before what is built."""
    ordered: dict[str, Variant] = {}
    for variant in variants:
        ordered |= {**with_sources(workspace, _parents(workspace, variant)), variant.name: variant}
    return ordered


def _parents(workspace: Workspace, variant: Variant) -> tuple[Variant, ...]:
    sources = workspace.plugins.family(variant.family).sources(variant.params)
    for place, source in enumerate(sources):
        check_source(workspace.store, variant, place, source)
    return tuple(workspace.find(source.variant) for source in sources)


def _bundled(workspace: Workspace, everyone: Mapping[str, Variant], path: Path, *, artifacts: bool) -> Iterator[Copied]:
    make_folder(path.parent)
    sweep(path.parent, deep=False)
    aside = unfinished(path)
    with ExitStack() as stack:
        for name in everyone:
            # What lies where nobody may write is not written by others meanwhile either.
            with suppress(CannotWrite):
                stack.enter_context(workspace.store.writing(name))
        files = {name: file for one in everyone for name, file in _files(workspace.store, one, artifacts).items()}
        ledgers = _ledgers(workspace.ledger, everyone)
        variants = tuple(_described(workspace, variant) for variant in everyone.values())
        about = Manifest(miscope=version("miscope-core"), artifacts=artifacts, variants=variants, files={})
        stack.callback(aside.unlink, missing_ok=True)
        stack.enter_context(explaining(path))
        with aside.open("xb") as file:
            with zipfile.ZipFile(file, "w") as archive:
                yield from _copied(archive, files, ledgers, about)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        sync_folder(path.parent)


def _described(workspace: Workspace, variant: Variant) -> BundledVariant:
    parents = [Parent(variant=parent.name, digest=parent.digest) for parent in _parents(workspace, variant)]
    return BundledVariant(name=variant.name, family=variant.family, digest=variant.digest, built_on=tuple(parents))


def _files(store: Store, variant: str, artifacts: bool) -> dict[str, Path]:
    """What is kept of a variant, by its name in the archive."""
    folder = store.layout.variant(variant)
    relative = ((path.relative_to(folder).as_posix(), path) for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        f"variants/{variant}/{name}": path
        for name, path in relative
        if is_kept(name) and (artifacts or not name.startswith("artifacts/"))
    }


def _ledgers(ledger: Ledger, variants: Collection[str]) -> dict[str, bytes]:
    """The lines of the runs of these variants, by their name in the archive."""
    ledgers = {}
    for run in ledger.runs():
        with (ledger.folder / f"{run}.jsonl").open("rb") as file:
            first = next(parse(file.readline()), {})
            if first.get("variant") in variants:
                ledgers[f"ledger/{run}.jsonl"] = _ended(first, file.read())
    return ledgers


def _ended(first: Mapping[str, object], rest: bytes) -> bytes:
    """A run's whole lines, with an end where it has none: elsewhere nobody knows whether its process still lives."""
    lines = [first, *parse(rest)]
    if not any(line.get("event") in ENDINGS for line in lines):
        last = {name: lines[-1].get(name) for name in ("run", "time", "variant")}
        lines.append({**last, "event": "stopped", "reason": "it had not ended when it was bundled"})
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def _copied(
    archive: zipfile.ZipFile, files: Mapping[str, Path], ledgers: Mapping[str, bytes], about: Manifest
) -> Iterator[Copied]:
    done, total = 0, sum(path.stat().st_size for path in files.values())
    written = {}
    for name, path in files.items():
        with path.open("rb") as source:
            for so_far in _written(archive, name, source):
                written[name] = so_far
                yield Copied(done + so_far.size, total)
        done += written[name].size
    for name, content in ledgers.items():
        (*_, written[name]) = _written(archive, name, BytesIO(content))
    manifest = about.model_copy(update={"files": written}).model_dump_json(indent=1)
    for _ in _written(archive, MANIFEST, BytesIO(manifest.encode())):
        pass


def _written(archive: zipfile.ZipFile, name: str, source: BinaryIO) -> Iterator[BundledFile]:
    """Copy into the archive; what has been copied so far."""
    member = zipfile.ZipInfo(name)  # without a time, so that the same files make the same archive
    member.compress_type = zipfile.ZIP_DEFLATED if name.endswith(_TEXT) else zipfile.ZIP_STORED
    member.external_attr = 0o644 << 16
    digest, size = hashlib.sha256(), 0
    with archive.open(member, "w", force_zip64=True) as target:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            size += target.write(chunk)
            yield BundledFile(size=size, sha256=digest.hexdigest())
    yield BundledFile(size=size, sha256=digest.hexdigest())
