"""What one instrument sets for the whole process is put back before the next, and told."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Callable

import numpy as np
import plotly.io as pio
import pytest
import torch

from miscope.analysis.process_settings import put_back, read_settings

CHANGES: dict[str, Callable[[], object]] = {
    "of torch's default dtype": lambda: torch.set_default_dtype(torch.float64),
    "of torch's default device": lambda: torch.set_default_device("meta"),
    "of torch's precision of float32 products": lambda: torch.set_float32_matmul_precision("medium"),
    "of torch's deterministic algorithms": lambda: torch.use_deterministic_algorithms(True),
    "of torch's threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "of torch's denormal numbers": lambda: torch.set_flush_denormal(True),
    "of what numpy does on errors": lambda: np.seterr(all="ignore"),
    "of which warnings are shown": lambda: warnings.simplefilter("always"),
    "of the current folder": lambda: os.chdir("/"),
    "of the environment's variables": lambda: os.environ.pop("PATH"),
    "of standard output": lambda: setattr(sys, "stdout", io.StringIO()),
    "of standard error": lambda: setattr(sys, "stderr", io.StringIO()),
    "of plotly's template": lambda: setattr(pio.templates, "default", "plotly_dark"),
}


def test_every_setting_has_a_change_that_is_tried():
    assert list(CHANGES) == list(read_settings())


@pytest.mark.parametrize("name", CHANGES)
def test_a_setting_is_put_back_and_told(name: str):
    before = read_settings()
    assert put_back(before) == []
    CHANGES[name]()
    changed = read_settings()
    assert put_back(before) == [name]
    assert changed[name] != before[name]
    assert read_settings() == before


class OwnWarning(UserWarning):
    """Of a package."""


def test_what_a_package_adds_for_warnings_of_its_own_when_it_is_imported_is_no_change():
    with warnings.catch_warnings():
        before = read_settings()
        warnings.filterwarnings("ignore", message="the matrix subclass is not the recommended way")
        warnings.simplefilter("always", OwnWarning)
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="scipy")
        assert put_back(before) == []
        warnings.simplefilter("once")
        assert put_back(before) == ["of which warnings are shown"]
        assert ("always", None, OwnWarning, None, 0) in warnings.filters
        assert read_settings() == before
