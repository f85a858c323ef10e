"""docs/importing.md names every key and ending that is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from miscope.importing.foreign.history import HISTORY_KEYS
from miscope.importing.foreign.layout import LIST_KEYS, OTHER_LISTS, SAVED_LISTS, SCHEDULER_KEYS
from miscope.importing.foreign.losses import FOR_ALL, KEYS
from miscope.importing.foreign.optimizer import OPTIMIZER_KEYS
from miscope.importing.foreign.paths import SUFFIXES
from miscope.importing.foreign.split import TEST_KEYS, TRAIN_KEYS
from miscope.importing.foreign.state import STATE_KEYS
from miscope.importing.foreign.steps import STEP_KEYS
from miscope.importing.foreign.words import CONFIG_KEYS

PAGE = Path(__file__).parents[1] / "docs" / "importing.md"
READ = {
    "states": STATE_KEYS,
    "lists of states": LIST_KEYS,
    "lists of steps and epochs": (*SAVED_LISTS, *OTHER_LISTS),
    "configurations": CONFIG_KEYS,
    "optimizers": OPTIMIZER_KEYS,
    "schedulers": SCHEDULER_KEYS,
    "steps": STEP_KEYS,
    "endings": SUFFIXES,
    "steps of losses": FOR_ALL,
    "dicts of metrics": HISTORY_KEYS,
    "rows trained on": TRAIN_KEYS,
    "rows held out": TEST_KEYS,
    **KEYS,
}


@pytest.mark.parametrize("kind", READ)
def test_every_key_that_is_read_is_on_the_page(kind: str):
    text = PAGE.read_text(encoding="utf-8")
    assert [key for key in READ[kind] if f"`{key}`" not in text] == []
