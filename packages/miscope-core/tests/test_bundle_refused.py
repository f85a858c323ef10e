"""Archives that are not what `miscope bundle` wrote: each is refused whole, and nothing of it is left."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from miscope.bound import BoundWorkspace, open_bound
from miscope.errors import BadFile, BadValue, CannotWrite
from miscope.importing.bundle import import_bundle, read_bundle
from miscope.testing import tables

NAME = "toy.sum/v5-seed0-width16"
RECORD = f"variants/{NAME}/variant.json"
STEP = f"variants/{NAME}/checkpoints/step_000000010.safetensors"
TODO = "Nothing of it was taken in. Fetch it again, or make it anew:  miscope bundle VARIANT --out runs.zip"

Edit = Callable[[dict[str, Any], dict[str, bytes]], None]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a toy."""
    folder = tmp_path_factory.mktemp("good")
    variant = open_bound(folder / "here", tables()).variant("toy.sum")
    for _ in variant.train(threads=1, steps=10):
        pass
    variant.analyze("parameters.norms")
    variant.workspace.bundle([variant], folder / "runs.zip")
    return folder / "runs.zip"


@pytest.fixture
def there(tmp_path: Path) -> BoundWorkspace:
    return open_bound(tmp_path / "there", tables())


def edited(good: Path, folder: Path, edit: Edit) -> Path:
    """The bundle with its manifest and its files changed, and the sizes and digests as the files are then."""
    with zipfile.ZipFile(good) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files.pop("manifest.json"))
    edit(manifest, files)
    with zipfile.ZipFile(folder / "runs.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr("manifest.json", json.dumps(manifest))
    return folder / "runs.zip"


def put(manifest: dict[str, Any], files: dict[str, bytes], name: str, content: bytes) -> None:
    files[name] = content
    manifest["files"][name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def refused(there: BoundWorkspace, path: Path) -> str:
    """What is said of it; and nothing lies in the workspace."""
    with pytest.raises((BadFile, BadValue)) as error:
        there.adopt(path)
    assert [path for path in there.root.rglob("*") if path.is_file()] == []
    assert [path.name for path in there.root.parent.iterdir() if path.name not in ("runs.zip", "there")] == []
    first, *rest = str(error.value).splitlines()
    assert len(rest) == 2
    if isinstance(error.value, BadFile):
        assert first == f"{path} cannot be read."
        return rest[0]
    return first


@pytest.mark.parametrize(
    "name",
    [
        "../outside.json",
        f"variants/{NAME}/../../../outside.json",
        "/etc/outside.json",
        "C:\\outside.json",
        f"variants\\{NAME}\\variant.json",
        "variants/toy.sum/another/variant.json",
        f"variants/{NAME}/checkpoints/step_10.safetensors",
        f"variants/{NAME}/artifacts/parameters.norms/../recipe.json",
        f"variants/{NAME}/artifacts/a/b/step_000000010.pkl",
        f"variants/{NAME}/.hidden",
        "ledger/../outside.jsonl",
        "ledger/a/b.jsonl",
        "index.duckdb",
        "runs.sqlite",
    ],
)
def test_a_file_that_no_bundle_has_is_refused(name: str, good: Path, there: BoundWorkspace, tmp_path: Path) -> None:
    path = edited(good, tmp_path, lambda manifest, files: put(manifest, files, name, b"{}"))
    assert refused(there, path) == f"It holds {name!r}, which is no file of a variant or a run in it."


def test_a_variant_of_a_name_that_leads_elsewhere_is_refused(good: Path, there: BoundWorkspace, tmp_path: Path) -> None:
    def edit(manifest: dict[str, Any], files: dict[str, bytes]) -> None:
        manifest["variants"][0]["name"] = "../.."
        put(manifest, files, "variants/../../variant.json", b"{}")

    assert refused(there, edited(good, tmp_path, edit)) == "'../..' is no name of a variant."


def test_links_and_folders_are_refused(good: Path, there: BoundWorkspace, tmp_path: Path) -> None:
    name = f"variants/{NAME}/probe.safetensors"
    path = edited(good, tmp_path, lambda manifest, files: put(manifest, files, name, b"/etc/passwd"))
    plain = path.read_bytes()
    for kind in (0o120777, 0o040755, 0o010644):
        path.write_bytes(plain)
        with zipfile.ZipFile(path, "a") as archive:
            archive.NameToInfo[name].external_attr = kind << 16
            archive.comment = b"written anew"
        assert refused(there, path) == f"{name!r} in it is no ordinary file."


def test_what_becomes_too_much_is_refused_before_it_is_unpacked(
    good: Path, there: BoundWorkspace, tmp_path: Path
) -> None:
    zeros = bytes(64 * 2**20)
    path = edited(good, tmp_path, lambda manifest, files: put(manifest, files, STEP, b""))
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files.pop("manifest.json"))
    put(manifest, files, STEP, zeros)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**files, "manifest.json": json.dumps(manifest).encode()}.items():
            archive.writestr(name, content)
    assert refused(there, path).startswith(f"{STEP!r} in it becomes 67,108,864 bytes of ")


def test_a_manifest_that_becomes_too_much_is_not_read(there: BoundWorkspace, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "runs.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b" " * (16 * 2**20))
    assert refused(there, tmp_path / "runs.zip") == (
        "manifest.json in it becomes 16,777,216 bytes, which no manifest is."
    )


def test_a_size_that_the_manifest_does_not_say_is_refused(good: Path, there: BoundWorkspace, tmp_path: Path) -> None:
    def longer(manifest: dict[str, Any], files: dict[str, bytes]) -> None:
        files[STEP] += b"more"

    size = read_bundle(good).manifest.files[STEP].size
    said = f"{STEP!r} in it has {size + 4:,} bytes; its manifest says {size:,}."
    assert refused(there, edited(good, tmp_path, longer)) == said


@pytest.mark.parametrize("part", [STEP, RECORD])
def test_a_changed_byte_is_found_and_the_file_named(
    part: str, good: Path, there: BoundWorkspace, tmp_path: Path
) -> None:
    def change(manifest: dict[str, Any], files: dict[str, bytes]) -> None:
        files[part] = files[part][:-3] + bytes([files[part][-3] ^ 1]) + files[part][-2:]

    said = refused(there, edited(good, tmp_path, change))
    assert said == f"{part} in it is not what its manifest says: it is damaged."


def test_a_byte_changed_on_the_way_is_found_wherever_it_matters(good: Path, tmp_path: Path) -> None:
    whole = good.read_bytes()
    name = {name: file for name, file in read_bundle(good).manifest.files.items() if name.startswith("variants")}
    for number, at in enumerate(range(0, len(whole), len(whole) // 40)):
        path = tmp_path / "runs.zip"
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        there = open_bound(tmp_path / f"there{number}", tables())
        try:
            there.adopt(path)
        except BadFile:
            assert [path for path in there.root.rglob("*") if path.is_file()] == []
        else:
            for part, file in name.items():
                assert hashlib.sha256((there.root / part).read_bytes()).hexdigest() == file.sha256


def test_a_cut_archive_and_one_of_something_else_are_refused(good: Path, there: BoundWorkspace, tmp_path: Path) -> None:
    path = tmp_path / "runs.zip"
    path.write_bytes(good.read_bytes()[:-200])
    # At its end is then an npz, which is an archive too.
    other = "It has no manifest.json: it is no bundle of variants, or it was cut off."
    assert refused(there, path) == other
    path.write_bytes(good.read_bytes()[:2000])
    assert refused(there, path) == "It is no whole zip archive: File is not a zip file."
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("run.pt", b"weights")
    assert refused(there, path) == other
    path.unlink()
    assert refused(there, path) == "It is not there."


def test_files_that_are_lacking_or_not_listed_are_refused(good: Path, there: BoundWorkspace, tmp_path: Path) -> None:
    other = f"variants/{NAME}/probe.safetensors"
    lacking = edited(good, tmp_path, lambda manifest, files: files.pop(STEP))  # type: ignore[arg-type, return-value]
    assert refused(there, lacking) == f"It lacks {STEP!r}, which its manifest lists."
    more = edited(good, tmp_path, lambda manifest, files: files.update({other: b""}))
    assert refused(there, more) == f"It holds {other!r}, which its manifest does not list."


def test_a_manifest_of_something_else_or_of_later_is_refused(good: Path, there: BoundWorkspace, tmp_path: Path) -> None:
    later = edited(good, tmp_path, lambda manifest, files: manifest.update(version=2, miscope="9.0"))
    assert refused(there, later) == "It was written by a newer miscope, 9.0."
    other = edited(good, tmp_path, lambda manifest, files: manifest.update(format="else"))
    assert refused(there, other).startswith("Its manifest.json is not one of a bundle: format: it must be ")


def test_a_record_of_another_variant_and_lines_about_another_are_refused(
    good: Path, there: BoundWorkspace, tmp_path: Path
) -> None:
    renamed = edited(good, tmp_path, lambda manifest, files: manifest["variants"][0].update(digest="0" * 16))
    assert refused(there, renamed) == f"The record of {NAME} in it is that of {NAME}."
    line = json.dumps({"run": "r", "time": "2026-01-01T00:00:00", "event": "artifact", "variant": "toy.sum/other"})
    told = edited(good, tmp_path, lambda manifest, files: put(manifest, files, "ledger/r.jsonl", f"{line}\n".encode()))
    assert refused(there, told) == "ledger/r.jsonl in it speaks of r and toy.sum/other."


def test_what_is_built_on_something_that_is_nowhere_is_refused(
    good: Path, there: BoundWorkspace, tmp_path: Path
) -> None:
    parent = {"variant": "toy.sum/v7", "digest": "a" * 16}
    path = edited(good, tmp_path, lambda manifest, files: manifest["variants"][0].update(built_on=[parent]))
    assert refused(there, path) == f"{NAME} is built on toy.sum/v7, which is neither in runs.zip nor here."


def test_an_import_that_is_left_half_way_leaves_nothing(good: Path, there: BoundWorkspace) -> None:
    copying = import_bundle(there.value, read_bundle(good))
    next(copying)
    copying.close()  # type: ignore[attr-defined]
    assert list(there.root.iterdir()) == []


def test_on_a_full_disk_it_says_so_and_nothing_is_left(good: Path, there: BoundWorkspace, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, hard))
    try:
        with pytest.raises(CannotWrite) as error:
            there.adopt(good)
        source = open_bound(good.parent / "here", tables())
        with pytest.raises(CannotWrite) as outward:
            source.bundle(source.variants(), tmp_path / "again.zip")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(error.value).splitlines()[0].startswith(f"{there.root}/ledger/")
    assert str(outward.value).splitlines()[0] == f"{tmp_path / 'again.zip'} cannot be written."
    assert {len(str(each.value).splitlines()) for each in (error, outward)} == {3}
    assert list(there.root.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills its own children")
def test_a_killed_import_leaves_variants_whole_or_none_and_the_next_one_finishes(good: Path, tmp_path: Path) -> None:
    script = Path(__file__).with_name("killed_imports.py")
    run = subprocess.run(
        [sys.executable, script, good, tmp_path, "24"], capture_output=True, text=True, timeout=600, check=False
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["killed"] >= 12
