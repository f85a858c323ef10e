"""The command: what it prints of a variant that was trained, and that the help lists it once installed."""

from __future__ import annotations

from collections.abc import Callable

import miscope
import pytest

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def trained(
    workspace: Callable[..., miscope.BoundWorkspace], offer: Callable[[str, str], None]
) -> miscope.BoundWorkspace:
    """A workspace with one variant of a toy family, which the command line knows too."""
    offer("toy", "miscope.testing.toy")
    place = workspace()
    for _ in place.variant("toy.sum").train(threads=1):
        pass
    return place


def test_the_command_prints_the_last_test_loss_of_a_variant(trained: miscope.BoundWorkspace, command: Run) -> None:
    (variant,) = trained.variants()
    steps, losses = variant.metric("test_loss")
    line = f"{variant.name}  step {steps[-1]}  test loss {losses[-1]:.3g}\n"
    assert command("-w", trained.root, "myplugin") == (0, line, "")
    assert command("myplugin", "toy.fourier", "-w", trained.root) == (0, "", "")


def test_the_help_lists_it_once_installed(command: Run) -> None:
    listed = [line.split()[0] for line in command("--help")[1].splitlines() if line.strip()]
    assert "myplugin" in listed
