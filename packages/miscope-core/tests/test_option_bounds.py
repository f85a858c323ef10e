"""Options that count something refuse what is no count, at the door."""

from __future__ import annotations

import math
import typing

import pytest
from pydantic import ValidationError

from miscope import builtin
from miscope.analysis.analyzer_options import checked_options, options_asked
from miscope.analyzer import Analyzer
from miscope.errors import BadValue

ANALYZERS = {analyzer.name: analyzer for analyzer in builtin.miscope_analyzers()}


@pytest.mark.parametrize("analyzer", ANALYZERS.values(), ids=ANALYZERS)
def test_no_whole_number_of_any_option_may_be_negative(analyzer: Analyzer):
    for name, hint in typing.get_type_hints(analyzer.options).items():
        if name == "model_config" or int not in (hint, *typing.get_args(hint)):
            continue
        with pytest.raises(ValidationError):
            analyzer.options.model_validate({name: -1})


@pytest.mark.parametrize("analyzer", ANALYZERS.values(), ids=ANALYZERS)
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, "1e999"])
def test_no_number_of_any_option_may_be_infinite_or_none(analyzer: Analyzer, value: object):
    for name, hint in typing.get_type_hints(analyzer.options).items():
        if name != "model_config" and float in (hint, *typing.get_args(hint)):
            with pytest.raises(ValidationError):
                analyzer.options.model_validate({name: value})


def test_a_sample_of_less_than_one_input_is_refused_in_words():
    with pytest.raises(BadValue) as refused:
        checked_options(ANALYZERS, {"ablations.effects": {"inputs": "-1"}})
    assert str(refused.value) == (
        "'ablations.effects' does not take inputs=-1.\n"
        "'inputs' is a whole number or null, by default null.\n"
        "Write it like this:  ablations.effects.inputs=1"
    )


def test_tuples_of_counts_hold_counts():
    with pytest.raises(BadValue):
        checked_options(ANALYZERS, {"heads.roles": {"periods": "16,-2"}})
    assert checked_options(ANALYZERS, {"heads.roles": {"periods": "16,28"}}) == {"heads.roles": {"periods": (16, 28)}}
    assert checked_options(ANALYZERS, {"ablations.effects": {"inputs": "64"}}) == {"ablations.effects": {"inputs": 64}}


def test_an_option_of_an_analyzer_that_is_not_asked_for_is_refused():
    given = {"ablations.effects": {"inputs": 64}}
    with pytest.raises(BadValue) as refused:
        options_asked(ANALYZERS, ["parameters.norms"], given)
    assert str(refused.value) == (
        "'ablations.effects' is not asked for, so its options change nothing here.\n"
        "Asked for: parameters.norms.\n"
        "Leave the option out, or ask for it too:  --only ablations.effects"
    )
    assert options_asked(ANALYZERS, None, given) == given
    assert options_asked(ANALYZERS, ["ablations.effects"], given) == given
