"""Forks imports of one bundle, each killed at another moment; what is left is looked at. Run by test_bundle_refused."""

import hashlib
import json
import os
import random
import shutil
import signal
import sys
from pathlib import Path

from miscope.importing.bundle import Bundle, import_bundle, read_bundle
from miscope.testing import tables
from miscope.workspace import Workspace


def killed(root: Path, bundle: Bundle, after: int | None) -> bool:
    """Take it in, in a child that is killed after so many parts of files, or after some moments of work."""
    child = os.fork()
    if child == 0:
        if after is None:
            # What the kernel does with a process that has no handler for this signal is what it does for SIGKILL.
            signal.setitimer(signal.ITIMER_PROF, random.uniform(0.001, 0.05))
        for number, _ in enumerate(import_bundle(Workspace(root, PLUGINS), bundle)):
            if number == after:
                os.kill(os.getpid(), signal.SIGKILL)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def looked_at(root: Path, bundle: Bundle) -> None:
    """A variant's folder is there with all its files, or not at all."""
    for variant in bundle.manifest.variants:
        if (root / "variants" / variant.name).exists():
            for name, file in bundle.files_of(variant).items():
                assert hashlib.sha256((root / name).read_bytes()).hexdigest() == file.sha256, name


def main(path: Path, folder: Path, rounds: int) -> None:
    bundle = read_bundle(path)
    parts = sum(1 for _ in import_bundle(Workspace(folder / "whole", PLUGINS), bundle))
    whole = {one.relative_to(folder / "whole") for one in (folder / "whole").rglob("*") if one.is_file()}
    root, deaths = folder / "there", 0
    for number in range(rounds):
        deaths += killed(root, bundle, random.randrange(parts) if number % 2 else None)
        looked_at(root, bundle)
        for _ in import_bundle(Workspace(root, PLUGINS), bundle):
            pass
        looked_at(root, bundle)
        assert {one.relative_to(root) for one in root.rglob("*") if one.is_file()} == whole
        shutil.rmtree(root)
    print(json.dumps({"killed": deaths}))


PLUGINS = tables()

if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
