"""A new plug-in package from the template."""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from miscope.cli.new_plugin import Kind

Run = Callable[..., tuple[int, str, str]]


def test_a_new_plugin_carries_its_name_everywhere(command: Run, tmp_path: Path) -> None:
    target = tmp_path / "somewhere"
    code, out, _ = command("new-plugin", "weight-shape", "--dir", target)
    assert code == 0
    assert out.startswith(f"Wrote {target}:")
    project = tomllib.loads((target / "pyproject.toml").read_text())["project"]
    assert project["name"] == "miscope-weight-shape"
    assert project["entry-points"]["miscope"] == {"weight_shape": "miscope_weight_shape"}
    assert (target / "src" / "miscope_weight_shape" / "__init__.py").is_file()
    everything = [path for path in target.rglob("*") if path.is_file()]
    assert not [path for path in everything if "myplugin" in str(path) or "myplugin" in path.read_text()]
    assert {path.relative_to(target).parts[0] for path in everything} == {"pyproject.toml", "README.md", "src", "tests"}


def test_a_new_plugin_goes_to_a_folder_of_its_name(
    command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command("new-plugin", "miscope-rank")[0] == 0
    assert (tmp_path / "miscope-rank" / "src" / "miscope_rank").is_dir()


def test_what_it_prints_installs_it_where_this_miscope_is(
    command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where another python, or none, is found first; and where there is no pip, as in an environment of uv."""
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True if name == "pip" else there(name))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    assert command("new-plugin", "rank", "--dir", tmp_path / "a")[1].splitlines()[1:] == [
        "To install it and run its tests:",
        f"  cd {tmp_path}/a && python -m pip install -e '.[test]' && python -m pytest",
    ]
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pip" else there(name))
    assert command("new-plugin", "rank", "--dir", tmp_path / "b c")[1].splitlines()[2] == (
        f"  cd '{tmp_path}/b c' && uv pip install --python {sys.executable} -e '.[test]' && {sys.executable} -m pytest"
    )


def test_nothing_is_written_over(command: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    code, out, err = command("new-plugin", "rank", "--dir", tmp_path)
    assert (code, out) == (1, "")
    assert err == (
        f"{tmp_path} exists already.\n"
        "A new plug-in is never written over anything.\n"
        "Give another name, or another place with --dir.\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("name", ["Rank", "9lives", "a__b", "../evil", "with space", "", "x" * 33, "lambda", "Core"])
def test_a_name_that_cannot_be_a_module_is_refused(command: Run, name: str, tmp_path: Path) -> None:
    code, _, err = command("new-plugin", name, "--dir", tmp_path / "new")
    assert code == 1
    assert err == (
        f"{name!r} cannot be the name of a plug-in.\n"
        "It becomes part of a package, a module and the names of its instruments.\n"
        "Use lower-case letters, digits and single underscores, starting with a letter, 32 at most, and no word of "
        "Python's own: 'rank', 'weight_norms'.\n"
    )
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["core", "miscope-core", "miscope_modadd", "views", "lal", "hub"])
def test_the_name_of_a_package_of_miscope_itself_is_refused_installed_or_not(
    command: Run, name: str, tmp_path: Path
) -> None:
    package = f"miscope-{name.removeprefix('miscope-').removeprefix('miscope_')}"
    assert command("new-plugin", name, "--dir", tmp_path / "new") == (
        1,
        "",
        f"A new plug-in cannot be called {name!r}: that name is taken.\n"
        f"{package} is a package of miscope itself.\n"
        "Choose another name; `miscope plugins` lists those of installed ones.\n",
    )
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["none", "toy", "checked"])
def test_a_name_that_means_something_else_is_refused(command: Run, name: str, tmp_path: Path) -> None:
    code, _, err = command("new-plugin", name, "--dir", tmp_path / "new")
    assert code == 1
    assert err.startswith(f"A new plug-in cannot be called {name!r}: that name is taken.\n")


def test_an_installed_package_that_pip_takes_for_the_same_is_refused(
    command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "site" / "Miscope.Weight_Norms-2.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: Miscope.Weight_Norms\nVersion: 2.0\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    code, _, err = command("new-plugin", "weight_norms", "--dir", tmp_path / "new")
    assert code == 1
    assert err.splitlines()[1] == (
        "Miscope.Weight_Norms 2.0 is installed, and two packages of one name replace each other."
    )


def test_the_name_of_another_packages_plugin_is_refused(
    command: Run, offer: Callable[[str, str], None], tmp_path: Path
) -> None:
    offer("greeting", "miscope.testing.toy")
    metadata = tmp_path / "site-packages" / "miscope_greeting-1.0.dist-info" / "METADATA"
    metadata.write_text("Metadata-Version: 2.1\nName: acme-tools\nVersion: 1.0\n")
    code, _, err = command("new-plugin", "greeting", "--dir", tmp_path / "new")
    assert code == 1
    assert err.splitlines()[1] == "acme-tools offers its records under it."


def test_a_module_of_that_name_is_refused(command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "miscope_taken.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    code, _, err = command("new-plugin", "taken", "--dir", tmp_path / "new")
    assert code == 1
    assert err.splitlines()[1] == "There is a module miscope_taken already, and two of one name hide each other."


def test_a_command_is_not_called_like_one_there_is(command: Run, tmp_path: Path) -> None:
    target = tmp_path / "new"
    assert command("new-plugin", "train", "--kind", "command", "--dir", target) == (
        1,
        "",
        "A new command cannot be called 'train': that name is taken.\n"
        "`miscope train` is there already.\n"
        "Choose another name; `miscope --help` lists the commands.\n",
    )
    assert command("new-plugin", "train", "--kind", "analyzer", "--dir", target)[0] == 0


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_a_package_whose_files_are_named_for_it(command: Run, kind: Kind, tmp_path: Path) -> None:
    code, out, _ = command("new-plugin", "rank", "--kind", kind, "--dir", tmp_path / "new")
    assert code == 0
    assert out.startswith(f"Wrote {tmp_path / 'new'}: {'an' if kind[0] in 'ae' else 'a'} {kind}")
    files = {str(path.relative_to(tmp_path / "new")) for path in (tmp_path / "new").rglob("*") if path.is_file()}
    modules = {"src/miscope_rank/__init__.py", "src/miscope_rank/rank.py", "tests/test_rank.py"}
    view = {"src/miscope_rank/rank_view.py"} if kind is Kind.ANALYZER else set()
    assert files == {"README.md", "pyproject.toml", *modules, *view}


def test_a_kind_that_there_is_not_is_wrong_usage(command: Run, tmp_path: Path) -> None:
    code, _, err = command("new-plugin", "rank", "--kind", "page", "--dir", tmp_path / "new")
    assert code == 2
    assert all(f"'{kind}'" in err for kind in Kind)
