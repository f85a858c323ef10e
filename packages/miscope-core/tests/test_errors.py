"""Every error says what happened, what is known, what to do; and what it tells one to type can be typed."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from miscope import errors
from miscope.cli.app import application

SOURCES = sorted(Path(errors.__file__).parent.rglob("*.py"))

TEXTS = [
    (
        errors.UnknownName("family", "modadd.mpl", ["toys.parity", "modadd.mlp"]),
        "There is no family named 'modadd.mpl'.\n"
        "Did you mean 'modadd.mlp'?\n"
        "`miscope families` lists the 2 that are installed.",
    ),
    (
        errors.UnknownName("executor", "clouds", ["processes", "inline"]),
        "There is no executor named 'clouds'.\n"
        "The executors are: inline, processes.\n"
        "`miscope executors` lists the 2 that are installed.",
    ),
    (
        errors.UnknownName("analyzer", "x", [f"a.{i}" for i in range(13)]),
        "There is no analyzer named 'x'.\n"
        "None that is known here is spelt like it.\n"
        "`miscope analyzers` lists the 13 that are installed.",
    ),
    (
        errors.UnknownName("view", "x", []),
        "There is no view named 'x', nor any other.\n"
        "None that is known here is spelt like it.\n"
        "`miscope views` lists the 0 that are installed.",
    ),
    (
        errors.UnknownName("run", 999, ["2", "12"], listing="`miscope runs list` has them all."),
        "There is no run 999.\nThey are numbered; the last is 12.\n`miscope runs list` has them all.",
    ),
    (
        errors.NoArtifact("keys.votes", "toy.sum/a toy.sum/b", None, ()),
        "No 'keys.votes' for toy.sum/a toy.sum/b.\n"
        "It was never computed.\n"
        "To compute it:  miscope analyze toy.sum/a toy.sum/b --only keys.votes",
    ),
    (
        errors.NoCheckpoint("toy.sum/v5", None, []),
        "toy.sum/v5 has no checkpoints.\n"
        "It was never trained here.\n"
        "To train it:  miscope train toy.sum KEY=VALUE ...  (in Python: `variant.train()`)",
    ),
    (
        errors.NoCheckpoint("toy.sum/v5", 0, [], origin="metrics only"),
        "toy.sum/v5 has no checkpoints.\n"
        "It was imported as a curve: there are its metrics, and no weights.\n"
        "To add weights of the same run:  miscope import FILE",
    ),
    (
        errors.NoCheckpoint("toy.sum/v5", 0, [], origin="imported"),
        "toy.sum/v5 has no checkpoints.\n"
        "It was imported, and its checkpoints are no longer there.\n"
        "To bring them again:  miscope import FILE",
    ),
    (
        errors.NoCheckpoint("toy.sum/v5", 0, [], origin="trained here"),
        "toy.sum/v5 has no checkpoints.\n"
        "It was trained here, and its checkpoints are no longer there.\n"
        "To train it anew:  miscope train toy.sum/v5",
    ),
    (
        errors.DoesNotApply("it has no heads", name="heads.map", variant="toy.sum/v5", kind="view"),
        "'heads.map' does not apply to toy.sum/v5: it has no heads.\n"
        "Computing cannot bring it: the instrument needs something that the variant or its family does not have.\n"
        "`miscope views heads.map` says what it needs.",
    ),
    (
        errors.Ended("heads.map", "enough"),
        "'heads.map' was not drawn: it asked the program to end.\n"
        "It raised SystemExit: enough. Every other view works.\n"
        "Raise DoesNotApply with the reason there instead; `miscope where heads.map` says in which file.",
    ),
    (
        errors.Busy("toy.sum/v5", "process 42 on atlas since noon", "`kill 42`"),
        "toy.sum/v5 is being trained or imported already.\n"
        "That is the work of process 42 on atlas since noon; two at once would overwrite each other's files.\n"
        "Wait for it to end, or stop it (`kill 42`): the same command then goes on from there.",
    ),
    (
        errors.Diverged("toy.sum/v5", 7, 5, cure="Lower learning_rate"),
        "The loss of toy.sum/v5 is not finite at step 7.\n"
        "The last checkpoint is at step 5; nothing was written after it.\n"
        "Lower learning_rate; then train again.",
    ),
]


@pytest.mark.parametrize(("error", "text"), TEXTS, ids=lambda given: type(given).__name__)
def test_an_error_has_three_parts(error: errors.MiscopeError, text: str) -> None:
    assert str(error) == text
    assert len(text.splitlines()) == 3


def commands() -> set[str]:
    return {*typer.main.get_group(application()).list_commands(None), "demo", "serve"}  # pyright: ignore[reportArgumentType]


def test_every_command_that_a_text_of_core_names_is_one() -> None:
    named = {
        word
        for text in strings()
        for word in re.findall(r"(?:`|:  |\$ )miscope ([a-z][a-z-]*)", text)
        if "{" not in word
    }
    assert {"train", "analyze", "plugins"} <= named
    assert named <= commands()


def test_every_kind_of_name_that_may_be_unknown_can_be_listed() -> None:
    unlisted = [call.args[0] for call in calls("UnknownName") if not call.keywords]
    kinds = {kind.value for kind in unlisted if isinstance(kind, ast.Constant)}
    assert kinds == {"analyzer", "view"}, (
        "others are told with a listing of their own, or in plugins.py by their tables"
    )
    assert {"families", "analyzers", "views", "executors"} <= commands()


def strings() -> Iterator[str]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def calls(name: str) -> Iterator[ast.Call]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == name:
                yield node
