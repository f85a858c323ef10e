"""pytest fixtures for authors of plug-ins; loaded by pytest itself once miscope-core is installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# Nothing of miscope that brings in torch is imported up here: pytest loads this module at every start.
if TYPE_CHECKING:
    from miscope.bound import BoundVariant, BoundWorkspace
    from miscope.plugins.plugins import Plugins

__all__ = ["command", "offer", "plugins", "toy_variant", "workspace"]


@pytest.fixture
def plugins() -> Callable[..., Plugins]:
    """plugins(name=module, ...): core's instruments, the toy families and these modules, whatever else is installed."""
    from miscope.testing import tables

    return tables


@pytest.fixture
def workspace(tmp_path: Path, plugins: Callable[..., Plugins]) -> Callable[..., BoundWorkspace]:
    """workspace(name=module, ...): an empty workspace that knows core, the toy families and these modules."""

    def make(**modules: object) -> BoundWorkspace:
        from miscope.bound import open_bound

        return open_bound(tmp_path / "workspace", plugins(**modules))

    return make


@pytest.fixture
def toy_variant(workspace: Callable[..., BoundWorkspace]) -> Callable[..., BoundVariant]:
    """toy_variant(name=module, ...): a toy variant, trained, and analyzed by every instrument that applies."""

    def make(**modules: object) -> BoundVariant:
        variant = workspace(**modules).variant("toy.fourier")
        for _ in variant.train(threads=1):
            pass
        for _ in variant.analyze():
            pass
        return variant

    return make


@pytest.fixture
def offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """offer("rank", "my_module"): as if a package 'miscope-rank' with that entry point were installed."""
    site = tmp_path / "site-packages"

    def install(name: str, module: str) -> None:
        folder = site / f"miscope_{name}-1.0.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: miscope-{name}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[miscope]\n{name} = {module}\n")
        monkeypatch.syspath_prepend(site)

    return install


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """command("plugins", "--json"): exit code, standard output and standard error of `miscope plugins --json`."""
    from miscope.cli import main

    def call(*words: object) -> tuple[int, str, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    return call
