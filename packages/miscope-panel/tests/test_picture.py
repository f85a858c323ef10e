import json

import pytest

from miscope import Grain, Needs, View
from miscope.analysis.analyze import analyze
from miscope.errors import UnknownName
from miscope_panel.shown.picture import Request, command, figure, picture, why_not


def test_a_view_becomes_a_figure_at_the_step_asked_for(trained, name):
    made = picture(trained, Request(view="small.neuron", variant=name, step=10))
    assert (made.state, made.badge, made.note) == ("figure", "epoch 10", "")
    content = json.loads(made.figure)
    assert content["layout"]["meta"]["miscope"]["step"] == 10
    assert "template" not in content["layout"]


def test_between_checkpoints_the_one_before_is_shown(trained, name):
    assert picture(trained, Request(view="small.neuron", variant=name, step=19)).step == 10


def test_step_zero_is_shown_when_asked_for(trained, name):
    assert picture(trained, Request(view="small.neuron", variant=name, step=0)).badge == "epoch 0"


def test_a_hole_is_bridged_by_the_nearest_earlier_artifact_and_says_so(trained, name):
    made = picture(trained, Request(view="small.norms", variant=name, step=30))
    assert (made.state, made.badge) == ("figure", "epoch 20")
    assert made.note == "Nothing was computed at epoch 30; this is the nearest before it that was."


def test_what_was_never_computed_comes_with_the_command_that_computes_it(trained, name):
    made = picture(trained, Request(view="small.unmade", variant=name))
    assert made.state == "missing"
    assert made.words == (f"No 'small.never' for {name} at step 30.", "It was never computed.", "To compute it:")
    assert made.commands == (f"miscope analyze {name} --only small.never --workspace {trained.root}",)


def test_the_command_leaves_out_the_workspace_that_is_the_default_one(trained, monkeypatch):
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(trained.root))
    assert command(trained, "miscope demo") == "miscope demo"


def test_what_does_not_apply_says_why(trained, name):
    made = picture(trained, Request(view="small.attention", variant=name))
    assert made.state == "inapplicable"
    assert "toy.sum has no site '*.hook_pattern'" in made.words[0]


def test_a_view_that_fails_names_its_package_and_keeps_its_traceback(trained, name):
    made = picture(trained, Request(view="small.broken", variant=name))
    assert made.state == "error"
    assert made.words == (
        "'small.broken' could not be drawn: ZeroDivisionError: division by zero",
        "It comes from small local. Every other view works.",
    )
    assert "raise ZeroDivisionError" in made.trace


@pytest.mark.parametrize(
    ("view", "variant"), [("small.neurn", "toy.sum/v5-seed0-width16"), ("small.neuron", "toy.sum/v9")]
)
def test_an_unknown_name_is_an_answer_too(trained, view, variant):
    assert picture(trained, Request(view=view, variant=variant)).state == "error"


def test_controls_are_described_as_they_were_declared_with_the_bounds_of_what_is_shown(trained, name):
    made = picture(trained, Request(view="small.neuron", variant=name, controls={"neuron": "7"}))
    assert list(made.controls) == [
        {
            "name": "site",
            "label": "site",
            "value": "blocks.0.mlp.hook_post",
            "kind": "choice",
            "options": ["blocks.0.mlp.hook_post"],
        },
        {"name": "neuron", "label": "neuron", "value": 7, "kind": "number", "minimum": 0, "maximum": 15, "whole": True},
        {"name": "transposed", "label": "transposed", "value": False, "kind": "toggle"},
    ]
    assert json.loads(made.figure)["layout"]["title"]["text"] == "Neuron 7"


def test_a_value_that_this_variant_does_not_take_falls_back_to_the_default(trained, name):
    made = picture(
        trained, Request(view="small.neuron", variant=name, controls={"neuron": "700", "transposed": "true"})
    )
    assert [control["value"] for control in made.controls[1:]] == [3, True]


def test_only_a_view_that_compares_is_given_the_other_variants(trained, name):
    other = "toy.sum/v5-seed1-width16"
    drawn = figure(trained, Request(view="small.compared", variant=name, compared=(other, name)))
    assert [trace.name for trace in drawn.data] == ["seed=0", "seed=1"]
    assert picture(trained, Request(view="small.losses", variant=name, compared=(other,))).state == "figure"


def test_the_catalogue_learns_in_a_line_why_a_view_shows_nothing(trained, name):
    views, variant = trained.plugins.views, trained.find(name)
    assert why_not(trained, views["small.losses"], variant) == ("figure", "")
    assert why_not(trained, views["small.norms"], variant) == ("figure", "")
    assert why_not(trained, views["small.unmade"], variant) == ("missing", "needs small.never: it was never computed")
    assert why_not(trained, views["small.attention"], variant)[0] == "inapplicable"


def test_what_compares_has_something_to_show_once_there_are_others_to_compare_with(trained, name):
    bands = View(
        name="small.bands",
        title="Bands",
        grain=Grain.COHORT,
        draw=lambda shown: None,
        needs=Needs(reads=("cohort.losses",)),
    )
    variant, other = trained.find(name), trained.find("toy.sum/v5-seed1-width16")
    assert why_not(trained, bands, variant)[0] == "inapplicable"
    assert why_not(trained, bands, variant, [other]) == ("missing", "needs cohort.losses: it was never computed")
    for _ in analyze(trained, [variant, other], ["cohort.losses"]):
        pass
    assert why_not(trained, bands, variant, [other]) == ("figure", "")


def test_a_script_gets_the_error_itself(trained):
    with pytest.raises(UnknownName, match=r"small\.neurn"):
        figure(trained, Request(view="small.neurn", variant="toy.sum/v5-seed0-width16"))


def test_a_view_that_compares_says_how_to_give_it_others(trained, name):
    made = picture(trained, Request(view="small.together", variant=name))
    assert made.state == "inapplicable"
    assert made.words == (
        "This view compares several variants, and one is selected.",
        "Choose others under \u201cCompare with\u201d.",
    )


def test_where_there_is_one_variant_only_it_says_how_to_train_another(empty):
    variant = empty.variant("toy.sum")
    list(variant.train(threads=1))
    made = picture(empty.value, Request(view="small.together", variant=variant.name))
    assert made.words == (
        "This view compares several variants, and one is selected.",
        "There is no other here. To train one:",
    )
    assert made.commands == (f"miscope train toy.sum KEY=VALUE --workspace {empty.root}",)
