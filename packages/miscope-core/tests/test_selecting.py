import plotly.graph_objects as go
import pytest

from miscope import Choice, Grain, Number, View
from miscope.figures.selecting import selects
from miscope.plugins.record_checks import fault


def test_a_trace_says_what_of_its_points_selects_what():
    meta = selects({"neuron": "customdata"}, cell=(28, 30), site="blocks.0.hook_post")
    assert meta == {
        "selects": {"read": {"neuron": "customdata"}, "same": {"site": "blocks.0.hook_post"}, "cell": [28, 30]}
    }
    assert go.Scatter(meta=selects({"head": "y"})).meta == {"selects": {"read": {"head": "y"}, "same": {}}}


def drawn(shown, **controls):
    """Nothing."""
    return go.Figure()


def record(*controls, **declared):
    return View(name="a.b", title="A", grain=Grain.CHECKPOINT, draw=drawn, controls=controls, **declared)


@pytest.mark.parametrize(
    ("declared", "wrong"),
    [
        (record(Number(name="unit", default=0, selects="neuron")), None),
        (record(Choice(name="unit", selects="")), None),
        (
            record(Number(name="unit", default=0, selects="a neuron")),
            "what its control 'unit' selects must be a name, and is 'a neuron'",
        ),
        (
            record(selects="neuron"),
            "its `selects` is the text 'neuron', of which every letter would be a name; write ('neuron',)",
        ),
    ],
)
def test_what_is_selected_is_a_name(declared, wrong):
    assert fault("view", declared) == wrong
