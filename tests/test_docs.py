"""What the documentation says is so: its snippets run, its lists are whole, its links lead somewhere."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

import miscope
from miscope import hookspecs
from miscope.cli.records import describe_analyzer, describe_family
from miscope.errors import MiscopeError
from miscope.plugins.plugins import Plugins
from miscope_panel.page import hookspecs as panel_hookspecs

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "packages").glob("*/README.md")])
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)[^)]*\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    dead = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]
    assert dead == []


def test_the_tutorial_runs_from_an_empty_folder(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    for name, code in re.findall(r"```python file=(\S+)\n(.*?)```", text, flags=re.DOTALL):
        with (tmp_path / name).open("a", encoding="utf-8") as file:
            file.write(code + "\n\n")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:schemathesis"]  # which takes a second to import
    tested = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert tested.returncode == 0, tested.stdout
    assert "2 passed" in tested.stdout
    used = subprocess.run([sys.executable, "use_it.py"], cwd=tmp_path, capture_output=True, text=True)
    assert used.returncode == 0, used.stderr
    assert used.stdout.startswith("[")


def test_the_catalogue_page_is_what_is_installed() -> None:
    from miscope.cli.catalogue import Examples, catalogue_page

    found = Plugins.installed()
    ours = {path.parent.name for path in (ROOT / "packages").glob("*/pyproject.toml")}
    if {provider.package for provider in found.providers} != ours:
        pytest.skip("other plug-ins are installed beside those of the page")
    page = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8")
    examples = Examples.of_folder(ROOT / "docs" / "examples")
    assert page == catalogue_page(found, examples), "`make docs` writes it anew"
    assert set(found.views) <= examples.pictures, "each view has an example; `make examples` draws them"
    for name, analyzer in found.analyzers.items():
        assert analyzer.question.endswith("?"), name
        assert analyzer.formula, name
        assert analyzer.source, name


def test_every_parameter_and_every_option_is_described() -> None:
    found = Plugins.installed()
    told = {family: describe_family(found, found.family(family))["params"] for family in found.families}
    told |= {analyzer: describe_analyzer(found, found.analyzer(analyzer))["options"] for analyzer in found.analyzers}
    # An option named seed is everywhere that of what is drawn at random.
    bare = [(name, f["name"]) for name, fields in told.items() for f in fields if not f["help"] and f["name"] != "seed"]
    assert bare == []


def test_every_error_has_its_line_in_the_index() -> None:
    for module in pkgutil.walk_packages(miscope.__path__, "miscope."):
        if module.name.split(".")[1] not in ("cli", "testing", "template", "analyzers", "__main__"):
            importlib.import_module(module.name)
    listed = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "errors.md").read_text(encoding="utf-8"), re.MULTILINE))
    kinds = {k.__name__ for k in _descendants(MiscopeError) if k.__module__.startswith("miscope.")}
    assert listed == kinds


def _descendants(kind: type) -> set[type]:
    return {kind_ for child in kind.__subclasses__() for kind_ in (child, *_descendants(child))}


def test_the_architecture_page_gives_the_signatures_there_are() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for module, function in re.findall(r"`([\w.]+)\.(train|plan|analyze|render|export|adopt|run|record)`", text):
        assert callable(getattr(importlib.import_module(f"miscope.{module}"), function)), f"{module}.{function}"
    block = text.partition("```python")[2].partition("```")[0]
    sections = re.split(r"^# ([\w/]+?)(?:\.py|/)(?: .*)?$", block, flags=re.MULTILINE)[1:]
    checked = 0
    for module, body in zip(sections[::2], sections[1::2], strict=True):
        here = importlib.import_module(f"miscope.{module.replace('/', '.')}")
        owner: object = here
        for line in re.findall(r"^class \w+|^ *def \w+\(.*?\)(?= ->|\n|  )", body, flags=re.MULTILINE | re.DOTALL):
            if line.startswith("class "):
                owner = getattr(here, line[6:])
                continue
            name, given = re.findall(r"def (\w+)\((.*)\)", line, flags=re.DOTALL)[0]
            found = getattr(here if line.startswith("def") else owner, name)
            arguments = ast.parse(f"def f({given}): ...").body[0].args  # type: ignore[attr-defined]
            several = [arguments.vararg] if arguments.vararg else []
            written = [a.arg for a in (*arguments.args, *several, *arguments.kwonlyargs)]
            actual = [n for n, p in inspect.signature(found).parameters.items() if p.kind is not p.VAR_KEYWORD]
            assert written == actual, f"{module}: {line}"
            checked += 1
    assert checked > 20


def test_the_makefile_lists_its_targets() -> None:
    out = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("demo", "test", "test-quick", "lint", "fix", "bench", "paper", "test-matrix", "docs", "notebooks"):
        assert re.search(rf"^{target} ", out, re.MULTILINE), target


def test_the_hooks_page_names_every_hook_and_the_version_of_their_promise() -> None:
    text = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
    hooks = {name for module in (hookspecs, panel_hookspecs) for name in vars(module) if name.startswith("miscope_")}
    assert set(re.findall(r"^def (miscope_\w+)\(", text, re.MULTILINE)) == hooks
    assert re.findall(r"`miscope\.hookspecs\.HOOK_API`\. It is \*\*(\d+)\*\*", text) == [str(hookspecs.HOOK_API)]


@pytest.mark.parametrize("kind", sorted(path.name for path in (ROOT / "templates/miscope-plugin").iterdir()))
def test_a_plugin_is_bound_to_the_cores_whose_hooks_it_was_written_for(kind: str) -> None:
    core = Version(tomllib.loads((ROOT / "packages/miscope-core/pyproject.toml").read_text())["project"]["version"])
    template = tomllib.loads((ROOT / "templates/miscope-plugin" / kind / "pyproject.toml").read_text())["project"]
    bound = next(r for r in map(Requirement, template["dependencies"]) if r.name == "miscope-core")
    assert core in bound.specifier
    assert Version(f"{core.major}.{core.minor + 1}.0") not in bound.specifier
    for page in ("docs/hooks.md", "docs/tutorial.md", "CHANGELOG.md"):
        written = re.findall(r"miscope-core(>=[^\"`]+)", (ROOT / page).read_text(encoding="utf-8"))
        assert [SpecifierSet(each) for each in written] == [bound.specifier], page


def test_the_changelog_knows_the_version_there_is() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    core = tomllib.loads((ROOT / "packages/miscope-core/pyproject.toml").read_text())["project"]["version"]
    assert re.findall(r"^## \[(.+)\]$", text, re.MULTILINE)[:2] == ["Unreleased", core]


EXPORTING = ("miscope", "miscope.testing", "miscope.model", "miscope.hookspecs", "miscope.schedule")


def test_every_exported_name_stands_in_the_glossary_and_every_name_there_is_exported() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|(.*)\|$", text, re.MULTILINE)
    listed = [name for _, names in rows for name in re.findall(r"`(\w+)`", names)]
    exported = {name for module in EXPORTING for name in importlib.import_module(module).__all__}
    assert sorted(listed) == sorted(exported)


def test_the_glossary_has_each_word_once_and_in_order() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        words = re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE)[1:]
        words = [word for word in words if not word.startswith("---")]
        assert words == sorted(set(words), key=str.lower), section.partition("\n")[0]
