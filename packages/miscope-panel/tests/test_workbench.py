from urllib.parse import parse_qs

import pytest

from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.pages import server_context
from miscope_panel.shown.card_looks import read_between

OTHER = "toy.sum/v5-seed1-width16"


@pytest.fixture
def bench(trained, at_once):
    def open_at(query=""):
        return Dashboard(server_context(trained, at_once), query)

    return open_at


def titles(bench):
    return [card.title for card in bench.workbench.board]


def test_the_workbench_opens_on_a_variant_at_its_last_step_with_some_views_open(bench):
    place = bench("page=views").selection.place
    assert (place.variant, place.step) == ("toy.sum/v5-seed0-width16", 30)
    assert len(place.views) == 4


def test_what_is_on_the_page_is_what_the_address_says(bench, name):
    opened = bench(f"v={name}&e=10&views=small.neuron,small.losses&small.neuron:neuron=7&theme=dark")
    assert titles(opened) == ["One neuron", "Losses"]
    neuron = opened.workbench.board[0]
    assert neuron.picture["badge"] == "epoch 10"
    assert [control["value"] for control in neuron.picture["controls"]][1] == 7
    assert (opened.workbench.cursor.asked, opened.workbench.cursor.steps, opened.workbench.cursor.step_label) == (
        10,
        [0, 10, 20, 30],
        "epoch",
    )
    assert opened.shell.dark


def test_the_address_follows_what_happens_on_the_page(bench, name):
    opened = bench(f"v={name}&views=small.neuron")
    opened.workbench.cursor.asked = 0
    opened.workbench.board[0].on_message({"kind": "turn", "control": "neuron", "value": "5"})
    opened.workbench.sidebar.catalogue.on_message({"kind": "open", "view": "small.losses"})
    assert parse_qs(opened.shell.query) == {
        "v": [name],
        "e": ["0"],
        "views": ["small.neuron,small.losses"],
        "neuron": ["5"],
    }


def test_moving_the_cursor_draws_checkpoint_views_anew_and_leaves_trajectories_alone(bench):
    opened = bench("views=small.neuron,small.losses&e=30")
    neuron, losses = opened.workbench.board
    before = neuron.picture, losses.picture
    opened.workbench.cursor.asked = 10
    assert neuron.picture["badge"] == "epoch 10"
    assert neuron.picture is not before[0]
    assert losses.picture is before[1]


def test_a_step_is_followed_when_every_card_was_asked_for_it(trained, when_told):
    opened = Dashboard(server_context(trained, when_told), "views=small.neuron,small.losses&e=30")
    when_told.go()
    neuron, seen = opened.workbench.board[0], []
    cursor = opened.workbench.cursor
    cursor.param.watch(lambda event: seen.append((event.new, neuron.pending)), "followed")
    cursor.asked = 10
    assert (seen, cursor.followed) == ([(10, True)], 10)
    when_told.go()
    assert (neuron.picture["badge"], neuron.pending) == ("epoch 10", False)


def test_a_move_of_the_cursor_or_a_turn_of_a_control_leaves_the_catalogue_as_it_is(bench):
    opened = bench("views=small.neuron&e=30")
    before = opened.workbench.sidebar.catalogue.views
    opened.workbench.cursor.asked = 10
    opened.workbench.board[0].on_message({"kind": "turn", "control": "neuron", "value": "5"})
    assert opened.workbench.sidebar.catalogue.views is before


def test_another_variant_keeps_the_step_the_views_and_their_controls(bench):
    opened = bench("views=small.neuron&e=20&small.neuron:neuron=9")
    card = opened.workbench.board[0]
    opened.workbench.sidebar.variant.value = OTHER
    place = opened.selection.place
    assert (place.variant, place.step, place.views) == (OTHER, 20, ("small.neuron",))
    assert opened.workbench.board[0] is card
    assert card.picture["controls"][1]["value"] == 9


def test_a_card_that_stays_open_is_the_same_card(bench):
    opened = bench("views=small.neuron,small.losses")
    losses = opened.workbench.board[1]
    opened.workbench.board[0].on_message({"kind": "close"})
    assert list(opened.workbench.board) == [losses]


def test_closing_the_last_card_says_what_to_do(bench):
    opened = bench("views=small.losses")
    opened.workbench.board[0].on_message({"kind": "close"})
    assert titles(opened) == ["No view is open."]
    opened.workbench.sidebar.catalogue.on_message({"kind": "open", "view": "small.losses"})
    assert titles(opened) == ["Losses"]


def test_an_address_of_an_empty_board_opens_no_card(bench):
    assert titles(bench("views=none")) == ["No view is open."]


def test_the_looks_of_a_card_are_in_the_address_and_are_no_controls_of_its_view(bench):
    opened = bench("views=small.losses&small.losses:zoomed-to=xaxis=0,5")
    card = opened.workbench.board[0]
    assert (card.looks, card.picture["state"]) == ({"zoomed-to": "xaxis=0,5"}, "figure")
    before = card.picture
    card.on_message({"kind": "look", "look": "full-width", "value": "1"})
    card.on_message({"kind": "look", "look": "zoomed-to", "value": ""})
    assert (card.looks, card.picture is before) == ({"full-width": "1"}, True)
    assert "small.losses:full-width=1" in opened.shell.query
    opened.workbench.cursor.spacing = "log"
    assert parse_qs(opened.shell.query)["cursor:spacing"] == ["log"]


def test_the_steps_that_all_axes_over_training_show_are_in_the_address(bench):
    opened = bench("views=small.losses,small.neuron&cursor:between=5,25")
    card, cursor = opened.workbench.board[0], opened.workbench.cursor
    before = card.picture
    assert cursor.between == "5,25"
    cursor.between = "10,20"
    assert parse_qs(opened.shell.query)["cursor:between"] == ["10,20"]
    # Of very many records all would be drawn about these steps.
    assert [request.between for _, request in opened.workbench.cards.cards()] == [(10.0, 20.0), None]
    cursor.between = ""
    assert "cursor:between" not in opened.shell.query
    assert (card.looks, card.picture) == ({}, before)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("5,25", (5.0, 25.0)),
        ("0.5,1e3", (0.5, 1000.0)),
        *[(text, None) for text in ("", "5", "25,5", "5,5", "5,inf", "nan,5", "a,b", "1,2,3")],
    ],
)
def test_a_range_of_steps_is_read_from_an_address_or_is_none(text, steps):
    assert read_between(text) == steps


def test_failing_views_do_not_disturb_the_others(bench):
    opened = bench("views=small.broken,small.unmade,small.attention,small.neuron")
    assert [card.picture["state"] for card in opened.workbench.board] == ["error", "missing", "inapplicable", "figure"]


def test_the_catalogue_says_what_is_open_and_what_has_nothing_to_show(bench):
    entries = {entry["name"]: entry for entry in bench("views=small.losses").workbench.sidebar.catalogue.views}
    assert entries["small.losses"]["open"]
    assert entries["small.unmade"]["state"] == "missing"
    assert entries["small.unmade"]["reason"] == "needs small.never: it was never computed"
    assert entries["small.attention"]["state"] == "inapplicable"


def test_views_that_are_not_installed_are_left_out(bench):
    assert bench("views=gone.view,small.losses").selection.place.views == ("small.losses",)


def test_an_unknown_variant_is_said_to_be_unknown_and_a_slug_is_enough_for_a_known_one(bench):
    assert titles(bench("v=toy.sum/v99")) == ["There is no variant 'toy.sum/v99' here."]
    assert bench("v=v5-seed1-width16").selection.place.variant == OTHER


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("toy.sum/v7-seed3-width16-wd0.5", "toy.sum values=7 seed=3 width=16 --set weight_decay=0.5"),
        ("toy.sum/v7-seed3-width16-lr1e-05", "toy.sum values=7 seed=3 width=16 --set learning_rate=1e-05"),
        ("toy.sum/v7-seed3-width16@mine", "toy.sum values=7 seed=3 width=16 --as mine"),
        ("toy.sum/v99", None),
        ("toy.sum/v7-seed3-width16-odd", None),
        ("../../etc/passwd", None),
    ],
)
def test_of_a_variant_that_is_not_here_the_training_is_offered_that_its_name_says(bench, trained, name, command):
    picture = bench(f"v={name}").workbench.board[0].picture
    wanted = [] if command is None else [f"miscope train {command} --workspace {trained.root}"]
    assert picture["commands"] == wanted
    assert picture["words"] == ["Choose one on the left; or train it:" if command else "Choose one on the left."]


def test_cohort_views_show_the_variants_chosen_beside_this_one(bench):
    opened = bench("views=small.compared")
    opened.workbench.sidebar.compared.value = [OTHER]
    assert opened.selection.place.compared == (OTHER,)
    assert "seed=1" in opened.workbench.board[0].picture["figure"]


def test_what_is_compared_with_is_called_by_what_tells_it_from_the_others(bench):
    opened = bench(f"views=small.compared&with={OTHER}")
    assert opened.workbench.sidebar.compared.options == {"seed1": OTHER}
    assert opened.workbench.sidebar.compared.value == [OTHER]


def test_where_no_view_compares_what_is_compared_says_so(bench):
    opened = bench("views=small.neuron")
    sidebar = opened.workbench.sidebar
    assert not sidebar.uncompared.visible
    sidebar.compared.value = [OTHER]
    assert sidebar.uncompared.visible
    sidebar.catalogue.on_message({"kind": "open", "view": "small.compared"})
    assert not sidebar.uncompared.visible


def test_the_browsers_back_button_brings_the_place_back(bench, name):
    opened = bench(f"v={name}&e=10&views=small.neuron")
    opened.workbench.sidebar.variant.value = OTHER
    opened.shell._handle_msg({"query": f"?v={name}&e=10&views=small.neuron"})
    assert opened.selection.place.variant == name
    assert opened.workbench.sidebar.variant.value == name
    assert opened.workbench.cursor.asked == 10


def test_two_visitors_do_not_move_each_other(bench):
    one, two = bench("views=small.neuron&e=30"), bench("views=small.neuron&e=30")
    one.workbench.cursor.asked = 0
    assert two.selection.place.step == 30


def test_an_empty_workspace_shows_the_commands_that_fill_it(empty, at_once):
    opened = Dashboard(server_context(empty.value, at_once))
    assert titles(opened) == ["No variants yet."]
    assert opened.workbench.board[0].picture["commands"] == [
        f"miscope demo --workspace {empty.root}",
        f"miscope train FAMILY --workspace {empty.root}",
        f"miscope import PATH --workspace {empty.root}",
    ]


def test_the_installed_page_lists_what_is_broken(bench):
    opened = bench("page=installed")
    html = opened.opened("installed").view.object
    assert "sour is broken" in html
    assert "small: the view &#x27;small.nowhere&#x27; was left out" in html
    assert "No module named &#x27;jaxx&#x27;" in html
    assert all(name in html for name in ("small.neuron", "toy.fourier", "parameters.norms"))


def test_an_unknown_variant_stays_chosen_until_another_is(bench, name):
    opened = bench("v=toy.sum/v99&views=small.losses")
    assert opened.workbench.sidebar.variant.value == "toy.sum/v99"
    opened.workbench.sidebar.variant.value = name
    assert opened.workbench.sidebar.variant.options == [name, OTHER]
    assert titles(opened) == ["Losses"]


def test_the_menu_calls_the_variant_by_what_tells_it_from_the_others(bench, name):
    menu = bench(f"v={name}&views=small.losses").workbench.sidebar.variant
    assert (menu.value, menu.value_label) == (name, "seed0")
    menu.value = OTHER
    assert menu.value_label == "seed1"


def test_a_held_card_keeps_its_step_its_variant_and_its_controls(bench, name):
    opened = bench(f"v={name}&views=small.neuron,small.losses&e=10&small.neuron:neuron=7")
    opened.workbench.board[0].on_message({"kind": "hold"})
    opened.workbench.cursor.asked = 30
    opened.workbench.sidebar.variant.value = OTHER
    moving, held, losses = opened.workbench.board
    assert (moving.picture["badge"], held.picture["badge"], losses.title) == ("epoch 30", "epoch 10", "Losses")
    assert (held.held, held.holdable, moving.holdable) == (True, False, True)
    assert f"workspace.find('{name}').at(10)" in held.picture["taken"]["python"]
    assert held.picture["controls"][1]["value"] == 7
    held.on_message({"kind": "turn", "control": "neuron", "value": "2"})
    assert [card.picture["controls"][1]["value"] for card in (moving, held)] == [7, 2]
    held.on_message({"kind": "close"})
    assert list(opened.workbench.board) == [moving, losses]


def test_a_view_that_compares_is_not_held(bench):
    assert not bench("views=small.compared").workbench.board[0].holdable


def test_looking_again_finds_what_was_trained_and_computed_meanwhile(empty, at_once):
    opened = Dashboard(server_context(empty.value, at_once), "views=small.norms")
    assert titles(opened) == ["No variants yet."]
    variant = empty.variant("toy.sum")
    list(variant.train(threads=1))
    opened.workbench.sidebar.catalogue.on_message({"kind": "again"})
    card = opened.workbench.board[0]
    assert (opened.selection.place.variant, card.picture["state"]) == (variant.name, "missing")
    assert (opened.workbench.cursor.steps, opened.workbench.sidebar.variant.options) == (
        [0, 10, 20, 30],
        [variant.name],
    )
    variant.analyze("parameters.norms", steps=[30])
    opened.workbench.look_again()
    assert opened.workbench.board[0] is card
    assert card.picture["state"] == "figure"
    entries = {entry["name"]: entry["state"] for entry in opened.workbench.sidebar.catalogue.views}
    assert entries["small.norms"] == ""


def test_a_variant_that_cannot_be_opened_is_not_offered_and_its_address_says_why(bench, trained):
    folder = trained.store.layout.variants / "toy.sum" / "v5-seed8-width16"
    folder.mkdir()
    (folder / "variant.json").write_text("{}")
    try:
        opened = bench("v=toy.sum/v5-seed8-width16")
        assert bench("page=views").workbench.sidebar.variant.options == ["toy.sum/v5-seed0-width16", OTHER]
        assert titles(opened) == ["'toy.sum/v5-seed8-width16' cannot be opened."]
        assert "It is no variant record" in opened.workbench.board[0].picture["words"][0]
    finally:
        (folder / "variant.json").unlink()
        folder.rmdir()


def test_menus_that_follow_a_comparison_choose_nothing_by_themselves(bench, name):
    opened = bench("page=runs")
    # Only of what is sent to a browser does a menu make sure that something is chosen.
    opened.workbench.sidebar.variant.get_root()
    been, chosen = [], []
    opened.selection.param.watch(lambda event: been.append((event.new.variant, event.new.compared)), "place")
    opened.workbench.sidebar.variant.param.watch(lambda event: chosen.append(event.new), "value")
    opened.selection.move(page="views", variant=OTHER, compared=(name,))
    assert set(been) == {(OTHER, (name,))}
    assert chosen == [OTHER]


def test_a_move_to_where_one_is_is_none(bench):
    opened = bench("views=small.losses")
    been = []
    opened.selection.param.watch(lambda event: been.append(event.new), "place")
    opened.selection.move(step=opened.selection.place.step)
    assert been == []
