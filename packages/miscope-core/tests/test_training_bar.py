"""The bar of a training in a narrow terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from miscope.cli.training_bar import training_bar


@pytest.mark.parametrize(
    "words", ["train 0.00123 | test 0.00234", "train 0.00123 | test 0.00234 | share 0.123 | rank 12 | loops 3 | 9 more"]
)
def test_steps_and_times_are_whole_at_80_columns_on_one_line(words):
    console = Console(file=io.StringIO(), width=80)
    bar = training_bar(console)
    bar.add_task(words, total=16000, completed=1560)
    with console.capture() as caught:
        console.print(bar.get_renderable())
    (line,) = caught.get().splitlines()
    assert " 1560/16000 train 0.00123 | test 0.00234" in line
    assert line.rstrip().endswith("0:00:00 left -:--:--")
