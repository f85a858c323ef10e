"""What is installed is found, told apart and, where it is broken, listed; nothing is found by import."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import miscope
from miscope.analyzer import Analyzer, Grain
from miscope.bound import open_bound
from miscope.errors import UnknownHook, UnknownName
from miscope.hookspecs import hookimpl
from miscope.plugins.plugins import Plugins
from miscope.testing import toy


def compute(snapshot: object) -> dict[str, object]:
    """Nothing."""
    return {}


def module(name: str, *analyzers: Analyzer, **hooks: Callable[..., object]) -> ModuleType:
    """A plug-in that offers these."""
    made = ModuleType(name)
    if analyzers:

        @hookimpl
        def miscope_analyzers() -> tuple[Analyzer, ...]:
            return analyzers

        made.miscope_analyzers = miscope_analyzers  # pyright: ignore[reportAttributeAccessIssue]
    for hook, function in hooks.items():
        setattr(made, hook, hookimpl(function))
    return made


def analyzer(name: str) -> Analyzer:
    return Analyzer(name=name, version=1, grain=Grain.CHECKPOINT, compute=compute)


def test_records_are_found_by_name_with_who_provides_them():
    plugins = Plugins.of(toy=toy, rank=module("rank", analyzer("rank.stable")))
    assert set(plugins.families) == {"toy.sum", "toy.fourier"}
    assert plugins.analyzer("rank.stable").summary == "Nothing."
    assert plugins.provided_by["analyzer", "rank.stable"].package == "rank"


def test_a_name_belongs_to_the_package_called_like_its_first_part_and_not_to_the_alphabet():
    evil = module("evil", analyzer("rank.stable"), analyzer("rank.more"), analyzer("rank.even_more"))
    plugins = Plugins.of(aevil=evil, rank=module("rank", analyzer("rank.stable")))
    assert plugins.provided_by["analyzer", "rank.stable"].package == "rank"
    assert [(one.package, one.record, one.reason) for one in plugins.broken] == [
        ("aevil", "the analyzer 'rank.stable'", "rank local has one of that name")
    ]


def test_a_name_belongs_to_the_package_with_most_such_names():
    plugins = Plugins.of(aevil=module("evil", analyzer("r.a")), more=module("more", analyzer("r.a"), analyzer("r.b")))
    assert plugins.provided_by["analyzer", "r.a"].package == "more"


def test_what_a_hook_prints_is_not_in_the_output(capsys: pytest.CaptureFixture[str]):
    def miscope_analyzers() -> tuple[Analyzer, ...]:
        print("loading")
        return (analyzer("loud.one"),)

    assert list(Plugins.of(loud=module("loud", miscope_analyzers=miscope_analyzers)).analyzers) == ["loud.one"]
    assert capsys.readouterr() == ("", "loading\n")


def test_a_hook_that_ends_a_generator_is_broken_alone():
    def miscope_analyzers() -> tuple[Analyzer, ...]:
        raise GeneratorExit

    plugins = Plugins.of(ends=module("ends", miscope_analyzers=miscope_analyzers), toy=toy)
    assert [one.reason for one in plugins.broken] == ["GeneratorExit: "]
    assert "toy.sum" in plugins.families


def test_tables_hold_what_one_names_and_nothing_that_is_installed():
    plugins = Plugins.of(rank=module("rank", analyzer("rank.stable")))
    assert list(plugins.analyzers) == ["rank.stable"]
    assert not plugins.families
    with pytest.raises(TypeError):
        plugins.analyzers["x"] = analyzer("x")  # pyright: ignore[reportIndexIssue]


def test_records_are_asked_for_when_their_kind_is_first_looked_at():
    asked = []
    hooks = {f"miscope_{kind}": lambda kind=kind: asked.append(kind) or () for kind in ("families", "analyzers")}
    plugins = Plugins.of(counting=module("counting", **hooks))
    assert asked == []
    assert not plugins.families
    assert plugins.provided_by.get(("family", "toy.sum")) is None
    assert asked == ["families"]
    assert plugins.broken == ()
    assert asked == ["families", "analyzers"]


def test_a_hook_that_raises_takes_away_records_of_its_own_kind_only():
    def broken() -> None:
        raise RuntimeError("no licence")

    plugins = Plugins.of(half=module("half", analyzer("rank.stable"), miscope_families=broken))
    assert list(plugins.analyzers) == ["rank.stable"]
    assert [broken.reason for broken in plugins.broken_among("family")] == ["RuntimeError: no licence"]
    assert plugins.broken_among("analyzer") == ()


def test_an_unknown_name_is_answered_with_the_nearest():
    plugins = Plugins.of(rank=module("rank", analyzer("rank.stable"), analyzer("rank.effective")))
    with pytest.raises(UnknownName) as raised:
        plugins.analyzer("rank.stabel")
    assert str(raised.value) == (
        "There is no analyzer named 'rank.stabel'.\n"
        "Did you mean 'rank.stable'?\n"
        "`miscope analyzers` lists the 2 that are installed."
    )


def test_a_misspelt_hook_is_refused_with_the_nearest():
    with pytest.raises(UnknownHook) as raised:
        Plugins.of(rank=module("rank", miscope_analysers=lambda: ()))
    assert str(raised.value) == (
        "rank implements the hook 'miscope_analysers', which does not exist.\n"
        "Did you mean 'miscope_analyzers'?\n"
        "Rename the function; nothing would ever call it."
    )


def test_hooks_of_other_packages_are_theirs_to_check():
    assert Plugins.of(pages=module("pages", miscope_panel_pages=lambda: ())).broken == ()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("import nonsense_that_is_not_there", "ModuleNotFoundError: No module named 'nonsense_that_is_not_there'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        (
            "from miscope import hookimpl\n@hookimpl\ndef miscope_analyzers():\n    raise RuntimeError('no licence')",
            "RuntimeError: no licence",
        ),
        ("import sys\nsys.exit()", "it asked the program to end (SystemExit: None)"),
        ("raise SystemExit('no')", "it asked the program to end (SystemExit: no)"),
        (
            "from miscope import hookimpl\n@hookimpl\ndef miscope_views():\n    raise SystemExit(3)",
            "it asked the program to end (SystemExit: 3)",
        ),
        (
            "def miscope_analyzers():\n    return ()",
            "miscope-sick defines miscope_analyzers without @hookimpl. The mark makes a function a hook; nothing would "
            "ever call another. Write `@miscope.hookimpl` above it.",
        ),
        (
            "def analyzers():\n    return ()",
            "miscope-sick has no function marked with @hookimpl. The mark makes a function a hook; nothing would "
            "ever call another. Write `@miscope.hookimpl` above it.",
        ),
        (
            "from miscope import hookimpl\n@hookimpl\ndef miscope_analysers():\n    return ()",
            "miscope-sick implements the hook 'miscope_analysers', which does not exist. Did you mean "
            "'miscope_analyzers'? Rename the function; nothing would ever call it.",
        ),
    ],
)
def test_a_package_that_cannot_be_loaded_is_listed_and_the_rest_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offer: Callable[[str, str], None], body: str, reason: str
):
    name = f"broken_plugin_{abs(hash(body))}"
    (tmp_path / f"{name}.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)
    offer("sick", name)
    plugins = Plugins.installed()
    (broken,) = [one for one in plugins.broken if one.plugin == "sick"]
    assert broken.reason == reason
    assert str(broken) == (
        f"miscope-sick 1.0 could not be loaded: {reason}\n"
        "Everything else works. `miscope plugins` shows it; `pip uninstall miscope-sick` silences it."
    )
    assert broken.trace.startswith("Traceback (most recent call last):")
    assert "core" in {provider.plugin for provider in plugins.providers}


def test_a_package_found_by_entry_point_offers_its_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offer: Callable[[str, str], None]
):
    (tmp_path / "well_plugin.py").write_text(
        "from miscope import Analyzer, Grain, Needs, hookimpl\n"
        "def compute(moment):\n    '''One.'''\n    return {}\n"
        "@hookimpl\ndef miscope_analyzers():\n"
        "    yield Analyzer(name='well.one', version=1, grain=Grain.CHECKPOINT, compute=compute)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    offer("well", "well_plugin")
    provider = Plugins.installed().provided_by["analyzer", "well.one"]
    assert (provider.plugin, provider.package, provider.hooks) == ("well", "miscope-well", ("miscope_analyzers",))


def sick(offer: Callable[[str, str], None], folder: Path, patch: pytest.MonkeyPatch, body: str) -> None:
    """A package 'miscope-sick' whose module is this."""
    name = f"sick_plugin_{abs(hash((body, str(folder))))}"
    (folder / f"{name}.py").write_text(body)
    patch.syspath_prepend(folder)
    offer("sick", name)


def test_the_bad_one_is_left_out_and_all_that_is_healthy_can_still_be_analyzed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offer: Callable[[str, str], None], command: Callable[..., Any]
):
    sick(
        offer,
        tmp_path,
        monkeypatch,
        "from miscope import Analyzer, Grain, Needs, hookimpl\n"
        "def compute(moment):\n    '''One.'''\n    return {}\n"
        "@hookimpl\ndef miscope_analyzers():\n"
        "    same = dict(version=1, grain=Grain.CHECKPOINT, compute=compute)\n"
        "    for name in ('../../../evil', 'parameters.norms', 'sick.well'):\n"
        "        yield Analyzer(name=name, **same)\n"
        "    yield Analyzer(name='sick.a', needs=Needs(reads=('sick.b',)), **same)\n"
        "    yield Analyzer(name='sick.b', needs=Needs(reads=('sick.a',)), **same)\n",
    )
    offer("toy", "miscope.testing.toy")
    code, out, _ = command("plugins")
    assert code == 0
    assert (
        "Broken: miscope-sick 1.0 offers the analyzer 'parameters.norms', which was left out: "
        f"miscope-core {miscope.__version__} has one of that name\n"
        "Everything else works. `miscope plugins` shows it; `pip uninstall miscope-sick` silences it.\n"
    ) in out
    broken = json.loads(command("plugins", "--json")[1])["broken"]
    assert {one["record"]: one["reason"] for one in broken if one["plugin"] == "sick"} == {
        "the analyzer '../../../evil'": "its name becomes part of a path, and '../../../evil' cannot be used in a "
        "path; use letters, digits and . _ + , = @ -",
        "the analyzer 'parameters.norms'": f"miscope-core {miscope.__version__} has one of that name",
        "the analyzer 'sick.a'": "it reads itself in a circle, sick.a -> sick.b -> sick.a",
        "the analyzer 'sick.b'": "it reads itself in a circle, sick.b -> sick.a -> sick.b",
    }
    place = open_bound(tmp_path / "w")
    variant = place.variant("toy.sum", steps=2)
    list(variant.train(threads=1))
    states = {name: one.state for one in variant.analyze("sick.well", "parameters.norms") for name in one.analyzers}
    assert states["parameters.norms"] == "saved"


@pytest.mark.parametrize(
    ("choice", "there"),
    [("none", set()), ("core", {"core"}), ("toy", {"core", "toy"}), ("core, toy", {"core", "toy"})],
)
def test_one_may_start_without_some(
    monkeypatch: pytest.MonkeyPatch, offer: Callable[[str, str], None], choice: str, there: set[str]
):
    offer("toy", "miscope.testing.toy")
    offer("sick", "nonsense_that_is_not_there")
    monkeypatch.setenv("MISCOPE_PLUGINS", choice)
    plugins = Plugins.installed()
    assert {provider.plugin for provider in plugins.providers} == there
    assert plugins.broken == ()


def test_a_choice_of_what_is_not_installed_is_refused_with_what_is(
    monkeypatch: pytest.MonkeyPatch, offer: Callable[[str, str], None]
):
    offer("toy", "miscope.testing.toy")
    monkeypatch.setenv("MISCOPE_PLUGINS", "tyo")
    with pytest.raises(UnknownName) as raised:
        Plugins.installed()
    first, second, third = str(raised.value).splitlines()
    assert (first, second) == ("There is no plug-in named 'tyo'.", "Did you mean 'toy'?")
    assert third.startswith("MISCOPE_PLUGINS may be none, core, or some of: core, ")


def test_the_command_line_starts_without_plugins(
    monkeypatch: pytest.MonkeyPatch, offer: Callable[[str, str], None], command: Callable[..., Any]
):
    monkeypatch.setenv("MISCOPE_PLUGINS", "")  # so that what the option sets goes with the test
    offer("sick", "nonsense_that_is_not_there")
    listed = json.loads(command("--no-plugins", "plugins", "--json")[1])
    assert ([row["plugin"] for row in listed["plugins"]], listed["broken"]) == (["core"], [])


def test_a_command_named_like_one_of_core_or_that_cannot_be_read_is_listed_and_the_others_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offer: Callable[[str, str], None], command: Callable[..., Any]
):
    sick(
        offer,
        tmp_path,
        monkeypatch,
        "from miscope import hookimpl\n"
        "def train() -> None:\n    raise AssertionError('never called')\n"
        "def greet() -> None:\n    print('hello')\n"
        "@hookimpl\ndef miscope_commands(cli):\n    cli.command()(train)\n    cli.command()(greet)\n",
    )
    (tmp_path / "odd_commands.py").write_text(
        "from miscope import hookimpl\n"
        "def odd(what: int | str) -> None:\n    pass\n"
        "@hookimpl\ndef miscope_commands(cli):\n    cli.command()(odd)\n"
    )
    offer("zodd", "odd_commands")
    assert command("greet")[:2] == (0, "hello\n")
    broken = json.loads(command("plugins", "--json")[1])["broken"]
    reasons = {(one["plugin"], one["record"]): one["reason"] for one in broken}
    assert reasons["sick", "the command 'train'"] == "core has one of that name"
    assert reasons["zodd", ""].startswith("AssertionError: Typer currently doesn't")
    assert "never called" not in command("train", "--help")[2]
