"""Core's instruments of attention scores, on a model that has heads."""

import pytest

import miscope_modadd
from miscope.analyzers.scores import CIRCUITS, QUERIES
from miscope.testing import check_analyzer, tables
from miscope_modadd.transformer import TransformerFamily


@pytest.mark.slow
@pytest.mark.parametrize("analyzer", [QUERIES, CIRCUITS], ids=lambda analyzer: analyzer.name)
def test_each_instrument_of_heads_keeps_the_contract(analyzer):
    check_analyzer(analyzer, TransformerFamily(), plugins=tables(modadd=miscope_modadd), params={"prime": 7})
