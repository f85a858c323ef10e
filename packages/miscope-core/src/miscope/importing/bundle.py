"""A bundle of variants, made by `miscope bundle` elsewhere, taken into a workspace: all of it checked, then moved."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import final

from pydantic import ValidationError

from miscope.errors import BadFile, BadValue, CannotWrite, MiscopeError
from miscope.exporting.bundle_manifest import (
    MANIFEST,
    VERSION,
    BundledFile,
    BundledVariant,
    Copied,
    Manifest,
    is_note,
    run_of,
)
from miscope.field_text import why_refused
from miscope.importing.bundle_members import problem_of, problem_of_manifest
from miscope.store.array_file import BROKEN
from miscope.store.atomic import explaining, make_folder, sweep, sync_folder, unfinished
from miscope.store.layout import Layout
from miscope.store.ledger import parse
from miscope.store.record_file import read_record
from miscope.store.store import Store
from miscope.variant import Variant
from miscope.workspace import Workspace

__all__ = ["SUFFIX", "Bundle", "bundles", "import_bundle", "read_bundle", "take_in"]

SUFFIX = ".zip"

_CHUNK = 2**20
_TODO = "Nothing of it was taken in. Fetch it again, or make it anew:  miscope bundle VARIANT --out runs.zip"


@final
@dataclass(frozen=True)
class Bundle:
    """An archive whose manifest fits what lies in it; its files are not read yet."""

    path: Path
    manifest: Manifest

    def files_of(self, variant: BundledVariant) -> dict[str, BundledFile]:
        """Of one variant, by their name in the archive."""
        start = f"variants/{variant.name}/"
        return {name: file for name, file in self.manifest.files.items() if name.startswith(start)}

    @property
    def ledgers(self) -> dict[str, BundledFile]:
        """Of the variants' runs, by their name in the archive."""
        return {name: file for name, file in self.manifest.files.items() if run_of(name)}


def read_bundle(path: str | Path) -> Bundle:
    """The bundle at the path; BadFile where it is none, or holds what no bundle does."""
    path = Path(path).expanduser()
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            info = archive.NameToInfo.get(MANIFEST)
            if info is None:
                raise BadFile(path, f"It has no {MANIFEST}: it is no bundle of variants, or it was cut off.", _UNPACK)
            if problem := problem_of_manifest(info):
                raise BadFile(path, problem, _TODO)
            manifest = Manifest.model_validate_json(archive.read(info))
    except FileNotFoundError:
        raise BadFile(path, "It is not there.", "Give the path of an archive.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadFile(path, f"Its {MANIFEST} is not one of a bundle: {where}: {why_refused(first)}.", _TODO) from None
    except BROKEN as error:
        raise BadFile(path, f"It is no whole zip archive: {error}.", _TODO) from None
    if manifest.version > VERSION:
        raise BadFile(path, f"It was written by a newer miscope, {manifest.miscope}.", "Upgrade miscope.")
    if problem := problem_of(members, manifest, path.stat().st_size):
        raise BadFile(path, problem, _TODO)
    return Bundle(path, manifest)


_UNPACK = "Fetch it again; or, if it holds checkpoint files, unpack it and import these."


def import_bundle(workspace: Workspace, bundle: Bundle) -> Iterator[Copied]:
    """Take in the variants of a bundle that are not here; those that are here with the same files are left alone.

    Every file is compared with its SHA-256 before the first one is put in place, and a variant's folder appears whole.
    Raises BadValue for a variant that is here with other content or is built on what is neither here nor in the bundle,
    BadFile for what is damaged.
    """
    sweep(workspace.root, deep=False)
    _check_parents(workspace.store, bundle)
    fresh = [one for one in bundle.manifest.variants if not _is_here(workspace.store, bundle, one)]
    files = {name: file for one in fresh for name, file in bundle.files_of(one).items()}
    files |= {name: file for name, file in bundle.ledgers.items() if not (workspace.root / name).exists()}
    make_folder(workspace.root)
    aside = unfinished(workspace.root / "import")
    try:
        yield from _unpacked(bundle, files, aside)
        for variant in fresh:
            _check_record(bundle, aside, variant)
        for name in files:
            if run := run_of(name):
                _check_ledger(bundle, aside / name, run)
        for variant in fresh:
            _place(workspace.store, bundle, aside, variant)
        _place_ledgers(workspace.store.layout, aside)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def bundles(paths: str | Path | Iterable[str | Path], *options: object) -> list[Path]:
    """The paths, where they are bundles; BadValue where others are beside them, or options, which they do not take."""
    listed = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    archives = [path for path in listed if path.suffix.lower() == SUFFIX]
    if archives and (len(archives) < len(listed) or any(options)):
        raise BadValue(
            f"{archives[0].name} is imported by itself.",
            "A bundle says of its variants what there is to say; other files and options have no place in it.",
            f"Give it alone:  miscope import {archives[0]}",
        )
    return archives


def take_in(workspace: Workspace, path: str | Path) -> list[Variant]:
    """Take in the bundle at the path; its variants, those that were here already too."""
    bundle = read_bundle(path)
    for _ in import_bundle(workspace, bundle):
        pass
    return [workspace.find(variant.name) for variant in bundle.manifest.variants]


def _is_here(store: Store, bundle: Bundle, variant: BundledVariant) -> bool:
    """Whether the workspace has every file of the variant already; BadValue where it has another, or a part of them."""
    folder = store.layout.variant(variant.name)
    if not folder.exists():
        return False
    files = bundle.files_of(variant)
    unlike = [name for name, file in files.items() if not is_note(name) and not _is_same(store.root / name, file)]
    if not unlike:
        return True
    names = [name.removeprefix(f"variants/{variant.name}/") for name in unlike]
    raise BadValue(
        f"{variant.name} is in {store.root} already, with other content.",
        f"Of {len(files)} files in {bundle.path.name} {len(names)} are not there or differ: "
        f"{', '.join(names[:3])}{', ...' * (len(names) > 3)}.",
        f"Move {folder} away, or take the bundle into another workspace:  miscope import {bundle.path} -w OTHER",
    )


def _is_same(path: Path, file: BundledFile) -> bool:
    try:
        if path.stat().st_size != file.size:
            return False
        with path.open("rb") as held:
            return hashlib.file_digest(held, "sha256").hexdigest() == file.sha256
    except OSError:
        return False


def _check_parents(store: Store, bundle: Bundle) -> None:
    brought = {(one.name, one.digest) for one in bundle.manifest.variants}
    for variant in bundle.manifest.variants:
        for parent in variant.built_on:
            if (parent.variant, parent.digest) in brought:
                continue
            try:
                here = store.variant_record(parent.variant).digest
            except MiscopeError:
                here = ""
            if here != parent.digest:
                raise BadValue(
                    f"{variant.name} is built on {parent.variant}, which is neither in {bundle.path.name} nor here.",
                    f"There is another of that name here, of digest {here}, and not {parent.digest}."
                    if here
                    else f"It has digest {parent.digest}.",
                    "Import that one first.",
                )


def _unpacked(bundle: Bundle, files: dict[str, BundledFile], folder: Path) -> Iterator[Copied]:
    """Write the files below the folder and compare them with what the manifest says of them."""
    done, total = 0, sum(file.size for file in files.values())
    try:
        with zipfile.ZipFile(bundle.path) as archive:
            for name in sorted(files):
                digest, size = hashlib.sha256(), 0
                make_folder((folder / name).parent)
                # Said of the place it is for: that of the moment has a name that nobody chose.
                place = folder.parent / name
                with archive.open(name) as source, explaining(place), (folder / name).open("xb") as target:
                    while chunk := source.read(_CHUNK):
                        digest.update(chunk)
                        size += target.write(chunk)
                        yield Copied(done + size, total)
                    target.flush()
                    os.fsync(target.fileno())
                if (size, digest.hexdigest()) != (files[name].size, files[name].sha256):
                    raise BadFile(bundle.path, f"{name} in it is not what its manifest says: it is damaged.", _TODO)
                done += size
    except (BadFile, CannotWrite):
        raise
    except BROKEN as error:
        raise BadFile(bundle.path, f"{name} in it is damaged: {error}", _TODO) from None


def _check_record(bundle: Bundle, folder: Path, variant: BundledVariant) -> None:
    """BadFile where the record is of another variant than the manifest says."""
    record = read_record(folder / "variants" / variant.name / "variant.json", variant.name)
    if (record.written_as, record.family, record.digest) != (variant.name, variant.family, variant.digest):
        raise BadFile(bundle.path, f"The record of {variant.name} in it is that of {record.written_as}.", _TODO)


def _check_ledger(bundle: Bundle, path: Path, run: str) -> None:
    """BadFile where the lines speak of another run, or of a variant that is not in the bundle."""
    names = {variant.name for variant in bundle.manifest.variants}
    for line in parse(path.read_bytes()):
        if line.get("run") != run or line.get("variant") not in names:
            problem = f"ledger/{run}.jsonl in it speaks of {line.get('run')} and {line.get('variant')}."
            raise BadFile(bundle.path, problem, _TODO)


def _place(store: Store, bundle: Bundle, folder: Path, variant: BundledVariant) -> None:
    target = store.layout.variant(variant.name)
    make_folder(target.parent)
    try:
        (folder / "variants" / variant.name).rename(target)
    except OSError as error:
        # Another process was faster: with the same, or with something else, which this refuses.
        if not _is_here(store, bundle, variant):
            raise CannotWrite(target, error) from error
    sync_folder(target.parent)


def _place_ledgers(layout: Layout, folder: Path) -> None:
    make_folder(layout.ledger)
    for path in sorted((folder / "ledger").glob("*.jsonl")):
        # A run that is here has its lines; a link is made only where there is nothing.
        with suppress(FileExistsError), explaining(layout.ledger / path.name):
            (layout.ledger / path.name).hardlink_to(path)
    sync_folder(layout.ledger)
