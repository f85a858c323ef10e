import json
import re

from miscope.figures.wire import bundle
from miscope_panel.shown.plotlyjs import constants, script
from miscope_panel.shown.traces_on_demand import ADDED, traces_on_demand

KINDS = [f"kind{number}()" for number in range(30)]
BODY = '"use strict";var Plotly=(()=>{var core=made();%s;return core})();\n/*! a licence */\n'
LISTED = f"core.register([{','.join(KINDS)}])"
BEGUN = "/** plotly.js */\n(function(root) { root.it = (() => {\n"
SOURCE = f"{BEGUN}{BODY % LISTED}window.Plotly = Plotly;\nreturn Plotly;\n}}"


def test_every_chart_shares_both_themes_and_uploads_nothing():
    shared = constants()
    assert shared["config"]["showSendToCloud"] is False
    assert shared["config"]["displaylogo"] is False
    assert set(shared["templates"]) == {"light", "dark"}
    json.dumps(shared)


def test_the_first_kinds_and_the_last_are_registered_at_once_and_the_others_by_a_call():
    made = traces_on_demand(SOURCE)
    early, later = ",".join([*KINDS[:11], KINDS[-1]]), ",".join(KINDS[11:-1])
    registered = f"core.early=[{early}];core.register(core.early);core.later=()=>core.register([{later}])"
    assert made == f"/** plotly.js */\n{BODY % registered}\nwindow.Plotly = Plotly;\n{ADDED}"


def test_what_is_built_otherwise_is_left_as_it_is():
    for other in ("", "var Plotly = 1", SOURCE.replace("core.register", "core.take"), SOURCE + SOURCE):
        assert traces_on_demand(other) == other


def test_the_plotly_js_that_is_installed_is_built_as_expected_and_keeps_its_licences():
    source = bundle().read_text("utf-8")
    made = script()
    assert made.endswith(ADDED)
    assert made.startswith(source[:40])
    assert re.findall("[lL]icen[sc]e", made) == re.findall("[lL]icen[sc]e", source[: source.rfind("window.Plotly =")])
