"""The example in each hook's docstring is a plug-in that works."""

from __future__ import annotations

import inspect
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import typer
from typer.testing import CliRunner

from miscope import hookspecs
from miscope.executor import Executor
from miscope.plugins.plugins import Plugins
from miscope.testing import ToyFamily, check_analyzer, check_family, check_view, scene, tables

HOOKS = sorted(name for name in vars(hookspecs) if name.startswith("miscope_"))


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """example("miscope_views"): a module of the code under that hook."""

    def module(hook: str) -> ModuleType:
        text = inspect.getdoc(getattr(hookspecs, hook)) or ""
        code = textwrap.dedent(text.partition(".. code-block:: python\n")[2])
        assert code.strip(), f"{hook} has no example"
        name = f"example_{hook}"
        (tmp_path / f"{name}.py").write_text(code, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, name, raising=False)
        return __import__(name)

    return module


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hooks_example_is_loaded_without_a_complaint(example, hook: str) -> None:
    found = Plugins.of(example=example(hook))
    assert found.broken == ()
    assert [(provider.plugin, provider.hooks) for provider in found.providers] == [("example", (hook,))]
    if hook != "miscope_commands":
        assert len(getattr(found, hook.removeprefix("miscope_"))) == 1


def test_the_examples_family_trains_and_keeps_what_a_family_promises(example) -> None:
    (family,) = Plugins.of(example=example("miscope_families")).families.values()
    check_family(family)


def test_the_examples_analyzer_and_view_keep_what_theirs_promise(example) -> None:
    analyzers, views = example("miscope_analyzers"), example("miscope_views")
    plugins = tables(analyzers=analyzers, views=views)
    check_analyzer(plugins.analyzer("example.norms"), plugins=plugins)
    check_view(plugins.view("example.loss"), plugins=plugins)


def test_the_examples_executor_runs_an_analysis(example) -> None:
    plugins = tables(executors=example("miscope_executors"))
    assert isinstance(plugins.executor("example.pair"), Executor)
    with scene(ToyFamily(), plugins) as place:
        outcomes = place.variants[0].analyze("parameters.norms", executor="example.pair")
        assert {outcome.state for outcome in outcomes} == {"saved"}


def test_the_examples_command_prints_the_variant_with_the_most_checkpoints(example) -> None:
    module = example("miscope_commands")
    cli = typer.Typer()
    cli.callback()(lambda: None)
    module.miscope_commands(cli)
    with scene(ToyFamily(), tables()) as place:
        first, second = place.variants
        place.workspace.store.save_checkpoint(second.name, replace(first.at("last").checkpoint, step=1000))
        shown = CliRunner().invoke(cli, ["example-largest", "--workspace", str(place.workspace.root)])
    assert (shown.exit_code, shown.output) == (0, f"{second.name}\n")
