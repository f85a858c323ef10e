"""What is installed is found, told apart and, where it is broken, listed; nothing is found by import."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from miscope.analyzer import Analyzer, Grain
from miscope.errors import DuplicateName, UnknownHook, UnknownName
from miscope.hookspecs import hookimpl
from miscope.plugins import Plugins
from miscope.testing import toy


def compute(moment: object) -> dict[str, object]:
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


def test_one_name_from_two_packages_is_refused_with_both():
    with pytest.raises(DuplicateName) as raised:
        set(
            Plugins.of(one=module("one", analyzer("rank.stable")), two=module("two", analyzer("rank.stable"))).analyzers
        )
    assert raised.value.providers == ("one local", "two local")
    assert str(raised.value).splitlines()[1:] == [
        "  - one local",
        "  - two local",
        "Rename one of them, or uninstall the one you do not use.",
    ]


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
        (
            "from miscope import hookimpl\n@hookimpl\ndef miscope_analyzers():\n    return ['text']",
            "TypeError: miscope_analyzers yields Analyzer records, and gave 'text'",
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
        "from miscope import Analyzer, Grain, hookimpl\n"
        "def compute(moment):\n    '''One.'''\n    return {}\n"
        "@hookimpl\ndef miscope_analyzers():\n"
        "    yield Analyzer(name='well.one', version=1, grain=Grain.CHECKPOINT, compute=compute)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    offer("well", "well_plugin")
    provider = Plugins.installed().provided_by["analyzer", "well.one"]
    assert (provider.plugin, provider.package, provider.hooks) == ("well", "miscope-well", ("miscope_analyzers",))
