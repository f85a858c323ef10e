"""What is installed, as the command line tells it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from miscope.hookspecs import HOOK_API
from miscope.schedule import parse_schedule, written

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def toy(offer: Callable[[str, str], None]) -> None:
    offer("toy", "miscope.testing.toy")


def test_the_version_is_one_line(command: Run) -> None:
    from miscope import __version__

    assert command("--version") == (0, f"miscope {__version__}\n", "")


@pytest.mark.usefixtures("toy")
def test_plugins_are_listed_with_their_package_and_what_they_provide(command: Run) -> None:
    code, out, _ = command("plugins", "--json")
    listed = {row["plugin"]: row for row in json.loads(out)["plugins"]}
    assert code == 0
    assert listed["toy"]["package"] == "miscope-toy"
    assert listed["toy"]["version"] == "1.0"
    assert listed["toy"]["hooks"] == ["miscope_families"]
    assert listed["toy"]["provides"]["family"] == ["toy.fourier", "toy.sum"]
    assert "inline" in listed["core"]["provides"]["executor"]


def test_the_plugins_come_with_the_version_of_the_hooks_they_are_called_by(command: Run) -> None:
    assert json.loads(command("plugins", "--json")[1])["hook_api"] == HOOK_API
    assert f"\nHooks: version {HOOK_API}.\n" in command("plugins")[1]


def test_a_broken_plugin_is_listed_and_everything_else_works(
    command: Run, offer: Callable[[str, str], None], tmp_path: Path
) -> None:
    offer("acme", "acme_that_is_not_there")
    code, out, _ = command("plugins")
    assert code == 0
    assert (
        "Broken: miscope-acme 1.0 could not be loaded: ModuleNotFoundError: No module named 'acme_that_is_not_there'\n"
        "Everything else works. `miscope plugins` shows it; `pip uninstall miscope-acme` silences it.\n"
    ) in out
    assert [b["plugin"] for b in json.loads(command("plugins", "--json")[1])["broken"]] == ["acme"]
    assert command("analyzers")[0] == 0


@pytest.mark.usefixtures("toy")
def test_a_family_is_shown_with_its_parameters_their_defaults_and_bounds(command: Run) -> None:
    code, out, _ = command("families", "toy.sum", "--json")
    record = json.loads(out)
    assert code == 0
    assert record["title"] == "Toy: (a + b) mod n with a small MLP"
    assert record["params"][0] == {
        "name": "values",
        "type": "integer",
        "default": 5,
        "bounds": ">=3 <=31",
        "help": "That each of the two numbers can have; their sum is taken modulo this.",
    }
    assert record["training"]["steps"] == 30
    assert record["training"]["checkpoints"] == "every:10"


@pytest.mark.usefixtures("toy")
def test_the_training_of_a_family_is_shown_as_one_types_it_with_what_each_field_means(command: Run) -> None:
    code, out, _ = command("families", "toy.sum")
    assert code == 0
    lines = out.partition("training, each to be changed as KEY=VALUE or --set KEY=VALUE, which is the same:\n")[2]
    assert "  checkpoints=every:10  Steps at which a checkpoint is kept; step 0 and the last always are.\n" in lines
    assert "  evaluate_every=1  Steps from one evaluation of the test metrics to the next; " in lines
    assert "  betas=[0.9,0.98]  Adam's decay rates per update of gradient and squared gradient" in lines


@pytest.mark.parametrize("text", ["every:100", "log:60", "0,100,500", "0-1500:100,1500-9000:20", "adaptive:10-500"])
def test_a_schedule_is_written_as_it_is_read(text: str) -> None:
    assert written(parse_schedule(text)) == text


def test_what_a_group_of_commands_does_is_told_whole(command: Run) -> None:
    out = command("index", "--help")[1]
    assert {
        line.split("  ")[-1].strip() for line in out.splitlines() if line.startswith(("  rebuild", "  status"))
    } == {
        "Make the index anew from the files.",
        "Count the rows of each table.",
    }


def test_an_analyzer_is_shown_with_what_it_needs_and_leaves_behind(command: Run) -> None:
    code, out, _ = command("analyzers", "parameters.norms", "--json")
    record = json.loads(out)
    assert code == 0
    assert record["needs"] == {"weights": ["*"]}
    assert "total/squares" in record["outputs"]


@pytest.mark.parametrize("listing", ["families", "analyzers", "views"])
def test_every_listing_is_json_on_demand_and_lists_what_the_table_lists(command: Run, listing: str) -> None:
    code, out, _ = command(listing, "--json")
    names = [record["name"] for record in json.loads(out)]
    table = command(listing)[1].splitlines()
    assert code == 0
    assert names == sorted(names)
    assert [line.split()[0] for line in table[1:]] == names


def test_an_unknown_name_is_a_three_part_error_and_exit_1(command: Run) -> None:
    code, out, err = command("analyzers", "parameters.norm")
    count = len(json.loads(command("analyzers", "--json")[1]))
    assert (code, out) == (1, "")
    assert err == (
        "There is no analyzer named 'parameters.norm'.\n"
        "Did you mean 'parameters.norms'?\n"
        f"`miscope analyzers` lists the {count} that are installed.\n"
    )


def test_wrong_usage_is_exit_2(command: Run) -> None:
    for words in (["no-such-command"], ["analyzers", "--no-such-option"], ["ask"], ["ask", "x", "--format", "xml"]):
        assert command(*words)[0] == 2, words


def test_a_command_of_a_package_that_is_not_installed_says_which(command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISCOPE_PLUGINS", "none")
    assert command("serve") == (
        1,
        "",
        "`miscope serve` comes with miscope-panel, which is not installed or could not be loaded.\n"
        "`miscope plugins` lists what is.\n"
        "To install it:  pip install miscope-panel\n",
    )


def test_a_plugin_adds_a_command_that_the_help_lists(
    command: Run, offer: Callable[[str, str], None], tmp_path: Path
) -> None:
    module = tmp_path / "site-packages" / "greeting_plugin.py"
    module.parent.mkdir()
    module.write_text(
        "from miscope import hookimpl\n\n"
        "@hookimpl\ndef miscope_commands(cli):\n"
        "    @cli.command()\n    def greet(name: str, workspace: str = 'none'):\n"
        "        'Say hello.'\n        print('hello', name, 'in', workspace)\n"
    )
    offer("greeting", "greeting_plugin")
    assert "greet" in command("--help")[1]
    assert command("greet", "you") == (0, "hello you in none\n", "")
    assert command("-w", "here", "greet", "you")[1] == "hello you in here\n"
    sys.modules.pop("greeting_plugin")


def test_where_names_file_and_line_of_an_analyzer_and_its_tests(command: Run) -> None:
    from miscope.analyzers import parameters

    code, out, _ = command("where", "parameters.norms", "--json")
    places = json.loads(out)
    assert code == 0
    file, line = places["analyzer"]["parameters.norms"].rsplit(":", 1)
    assert file == parameters.__file__
    assert "def " in Path(file).read_text().splitlines()[int(line) - 1]
    assert Path(__file__).name in places["test"]


def test_where_refuses_a_name_nobody_carries(command: Run) -> None:
    code, _, err = command("where", "parameters.morms")
    assert code == 1
    assert err == (
        "There is no record named 'parameters.morms'.\n"
        "Did you mean 'parameters.norms'?\n"
        "`miscope analyzers`, `miscope views` and `miscope families` list what is installed.\n"
    )


def test_the_catalogue_holds_every_record_once(command: Run) -> None:
    code, page, _ = command("catalogue")
    names = [
        record["name"] for listing in ("families", "analyzers") for record in json.loads(command(listing, "--json")[1])
    ]
    assert code == 0
    assert all(page.count(f"\n### `{name}`\n") >= 1 for name in names)
    assert command("catalogue")[1] == page


def test_instruments_are_found_by_words_the_best_first_and_a_misspelt_word_is_told(command: Run) -> None:
    code, out, errors = command("analyzers", "--find", "hesian trace")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()][:2] == ["analyzer", "curvature.trace"]
    assert errors == "Nothing has 'hesian'; this is what has 'hessian'.\n"
    found = json.loads(command("analyzers", "--find", "hessian trace", "--json")[1])
    assert (found[0]["name"], found[0]["found_by"]) == ("curvature.trace", ["synonyms"])
    assert command("analyzers", "--find", "hesian trace", "--json")[2] == errors


def test_words_that_nothing_has_find_nothing(command: Run) -> None:
    assert command("views", "--find", "xyzzyx") == (0, "", "Nothing has 'xyzzyx'.\n")


def test_words_are_no_name(command: Run) -> None:
    code, out, errors = command("views", "heads.roles", "--find", "roles")
    assert (code, out) == (2, "")
    assert "it goes neither with a NAME nor with --for." in errors
