"""Tab in a notebook, by IPython's own completer: attributes and items of handles, and what their calls take."""

from __future__ import annotations

import atexit
import sys

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

import miscope
from miscope.bound import BoundWorkspace

FIRST = "toy.sum/v5-seed0-width16"


@pytest.fixture(scope="module", params=[True, False], ids=["jedi", "no jedi"])
def shell(request, toys: BoundWorkspace, tmp_path_factory):
    """A shell of IPython that has the toys and the extension; one for all, since each takes a second to start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        patch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # a shell puts its own in the place of it
        shell = InteractiveShell()
        atexit.unregister(shell.atexit_operations)
        shell.Completer.use_jedi = request.param
        shell.history_manager.enabled = False
        shell.user_ns.update(workspace=toys, variant=toys.find(FIRST), miscope=miscope, other=5)
        shell.extension_manager.load_extension("miscope.notebook")
        yield shell
        shell.history_manager.end_session()
        shell.atexit_operations()


@pytest.fixture
def complete(shell):
    """complete("variant.vi"): what Tab offers at the end of the text."""

    def ask(text: str) -> list[str]:
        with provisionalcompleter():
            return [text[: each.start] + each.text for each in shell.Completer.completions(text, len(text))]

    return ask


def test_views_are_completed_a_part_of_the_name_at_a_time(complete):
    assert "variant.views" in complete("variant.vi")
    assert "variant.views.toy" in complete("variant.views.t")
    assert {"variant.views.toy.losses", "variant.views.toy.norms"} <= set(complete("variant.views.toy."))
    assert 'variant.views["toy.losses' in complete('variant.views["toy.lo')


def test_analyzers_are_completed_as_items_and_attributes(complete):
    assert 'variant.artifacts["parameters.norms' in complete('variant.artifacts["param')
    assert "variant.artifacts.parameters" in complete("variant.artifacts.param")


def test_a_name_of_ones_own_for_them_needs_no_extension(complete, shell, toys, monkeypatch):
    monkeypatch.setattr(shell.Completer, "custom_matchers", [])
    monkeypatch.setitem(shell.user_ns, "views", toys.find(FIRST).views)
    assert "views.toy" in complete("views.t")
    assert [each for each in complete('views["toy.lo') if "losses" in each]


def test_the_parameters_of_a_family_are_completed_less_those_that_are_given(complete):
    assert complete('workspace.variant("toy.sum", wid') == ['workspace.variant("toy.sum", width=']
    given = complete('workspace.variant("toy.sum", seed=3, ')
    assert {
        'workspace.variant("toy.sum", seed=3, values=',
        'workspace.variant("toy.sum", seed=3, weight_decay=',
    } <= set(given)
    assert 'workspace.variant("toy.sum", seed=3, seed=' not in given


@pytest.mark.parametrize(
    ("begun", "name"),
    [
        ('workspace.variant("toy.s', "um"),
        ('workspace.find("toy.sum/v5-seed0', "-width16"),
        ('variant.view("toy.lo', "sses"),
        ('variant.workspace.view("toy.tog', "ether"),
        ('variant.analyze("parameters.no', "rms"),
        ('variant.arrays("parameters.no', "rms"),
        ('variant.metric("train_lo', "ss"),
        ('miscope.scrub(variant, ["toy.losses", "toy.no', "rms"),
        ('x = 1\nvariant.view("toy.lo', "sses"),
    ],
)
def test_names_in_a_call_are_completed(complete, begun, name):
    assert begun + name in complete(begun)


def test_what_is_no_handle_is_left_alone(complete):
    assert not [each for each in complete('other.view("toy.lo') if "losses" in each]
    assert not [each for each in complete('workspace.variant("nobody", wid') if "width" in each]
