"""The home of the page: the table of variants, what is asked of it, and where it leads."""

import re
from urllib.parse import parse_qs, urlencode

import pytest
from fastapi.testclient import TestClient

from miscope.bound import open_bound
from miscope.runs.run_queue import RunQueue
from miscope.tabulating.asked import Order, TableAsked
from miscope.tabulating.grouping import MEMBERS
from miscope.tabulating.showing import ShownTable, show
from miscope.tabulating.variant_table import Row, VariantTable
from miscope.testing import tables
from miscope_panel.app import application
from miscope_panel.http.guard import LOOPBACK
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.pages import server_context
from miscope_panel.page.runs_controls import grouped_by
from miscope_panel.page.variant_grid import VariantGrid
from miscope_panel.shown.table_address import write_asked
from miscope_panel.shown.unfolding import LaidTable, Unfolded, laid
from miscope_panel.shown.variants_table import TableAnswer

FIRST, OTHER = "toy.sum/v5-seed0-width16", "toy.sum/v5-seed1-width16"


@pytest.fixture
def bench(trained, at_once):
    def open_at(query=""):
        return Dashboard(server_context(trained, at_once), query)

    return open_at


def grid(bench):
    return bench.opened("runs").grid.widget


def columns(bench):
    return [field.removeprefix("c:") for field in grid(bench).value if field.startswith("c:")]


def slugs(bench):
    return [row.variants[0].partition("/")[2] for row in bench.opened("runs").grid._rows]


def refused(bench):
    """Of what one can do with selected rows, whether opening and comparing is not offered."""
    selected = bench.opened("runs").selected
    return selected.open.disabled, selected.compare.disabled


def said(bench):
    return bench.opened("runs").said.object


def test_a_new_visitor_sees_the_runs_and_no_figure_is_drawn(bench):
    opened = bench()
    place = opened.selection.place
    assert (place.page, place.variant, place.step) == ("runs", "", None)
    assert columns(opened) == [
        *(
            "variant",
            "seed",
            "test_loss",
            "train_loss",
            "test_accuracy",
            "step",
            "state",
            "analyses",
            "missing_analyses",
        )
    ]
    assert said(opened) == '<p class="told">2 variants</p>'
    assert [*opened.parts] == ["runs"]


def test_the_variant_whose_training_ended_last_is_the_one_that_the_workbench_opens_on(tmp_path, at_once):
    workspace = open_bound(tmp_path / "ws", tables())
    for seed in (0, 1):
        list(workspace.variant("toy.sum", seed=seed).train(steps=2, threads=1))
    opened = Dashboard(server_context(workspace.value, at_once))
    assert slugs(opened) == ["v5-seed1-width16", "v5-seed0-width16"]
    opened.selection.move(page="views")
    assert (opened.selection.place.variant, opened.workbench.cursor.steps) == (OTHER, [0, 2])


def test_the_address_says_what_is_asked_of_the_table_and_brings_it_back(bench):
    opened = bench()
    opened.opened("runs").controls.find.value = "seed=1"
    grid(opened).sorters = [{"field": "c:test_loss", "dir": "desc"}]
    assert slugs(opened) == ["v5-seed1-width16"]
    query = parse_qs(opened.shell.query)
    assert {key: query[key] for key in ("page", "find", "sort")} == {
        "page": ["runs"],
        "find": ["seed=1"],
        "sort": ["test_loss:desc"],
    }
    again = bench(opened.shell.query)
    assert slugs(again) == ["v5-seed1-width16"]
    assert (again.opened("runs").controls.find.value, grid(again).sorters) == (
        "seed=1",
        [{"field": "c:test_loss", "dir": "desc"}],
    )
    again.shell._handle_msg({"query": "?page=runs"})
    assert (len(slugs(again)), again.opened("runs").controls.find.value) == (2, "")


def test_a_header_orders_by_what_the_cells_stand_for_not_by_what_is_written_in_them(bench):
    written = grid(bench("page=runs&columns=variant,test_loss&sort=test_loss:desc")).value["c:test_loss"]
    losses = [float(text) for text in written]
    assert losses == sorted(losses, reverse=True)
    up = bench("page=runs&sort=test_loss")
    down = bench("page=runs&sort=test_loss:desc")
    assert slugs(up) == slugs(down)[::-1]
    # What is sent to the browser is in that order too.
    assert list(grid(down)._processed["c:variant"]) == list(grid(down).value["c:variant"])


def test_a_condition_leaves_out_what_it_is_not_true_of_and_brings_the_numbers_it_speaks_of(bench):
    opened = bench()
    opened.opened("runs").controls.where.value = '"test_loss.max" > 0 and seed = 0'
    assert slugs(opened) == ["v5-seed0-width16"]
    assert "test_loss.max" in columns(opened)
    assert said(opened) == '<p class="told">1 of 2 variants</p>'


def test_a_condition_that_cannot_be_read_is_said_in_words_and_leaves_the_table(bench):
    opened = bench("page=runs&where=seeds = 0")
    assert len(slugs(opened)) == 2
    first, reason, last, rest = said(opened).split("</p>")[:4]
    assert first == '<p class="problem">The condition cannot be answered: seeds = 0'
    assert reason.startswith('<p class="problem">Binder Error: Referenced column &quot;seeds&quot; not found')
    assert last.startswith('<p class="problem">Columns are variant, family, ')
    assert rest == '<p class="told">Without it: 2 of 2 variants.'
    # Below the buttons, which stay in their row.
    beside = opened.opened("runs").said
    assert beside.styles == {"order": "1", "flex-basis": "100%"}
    opened.opened("runs").controls.where.value = "seed = 0"
    assert (said(opened), beside.styles) == (
        '<p class="told">1 of 2 variants</p>',
        # A browser keeps what is only left out.
        {"order": "0", "flex-basis": "auto"},
    )


def test_what_was_wrong_with_a_condition_is_not_said_of_the_next_while_that_is_answered(trained, when_told):
    opened = Dashboard(server_context(trained, when_told), "page=runs&where=seed = '")
    when_told.go()
    assert said(opened).startswith('<p class="problem">The condition cannot be answered: seed = &#x27;</p>')
    opened.opened("runs").look_again()
    assert said(opened).startswith('<p class="problem">'), "it is the same condition"
    when_told.go()
    opened.opened("runs").controls.where.value = "seed = 0"
    assert said(opened) == '<p class="told">Reading the variants …</p>'
    when_told.go()
    assert said(opened) == '<p class="told">1 of 2 variants</p>'


def test_a_text_that_is_too_long_is_said_to_be_and_leaves_nothing_out(bench):
    opened = bench("page=runs&where=seed = 0&find=" + "a" * 1001)
    assert slugs(opened) == ["v5-seed0-width16"]
    assert said(opened).startswith('<p class="problem">What is to be found has 1,001 letters.</p>')


def test_an_address_that_names_no_column_is_told_so_and_shows_what_there_is(bench):
    opened = bench("page=runs&columns=variant,gone&sort=nothing:desc,seed&group=elsewhere")
    assert said(opened) == (
        '<p class="told">2 variants</p><p class="problem">No column is named elsewhere, gone, nothing.</p>'
    )
    assert slugs(opened) == ["v5-seed0-width16", "v5-seed1-width16"]
    assert (columns(opened), grid(opened).sorters) == (["variant"], [])


def test_two_visitors_ask_different_things(bench):
    one, two = bench(), bench()
    one.opened("runs").controls.find.value = "seed=0"
    grid(two).selection = [0, 1]
    assert (len(slugs(one)), len(slugs(two))) == (1, 2)
    assert (one.opened("runs").selected.compare.disabled, two.opened("runs").selected.compare.disabled) == (True, False)
    assert (one.selection.place.table.text, two.selection.place.table.text) == ("seed=0", "")


def test_where_nothing_matches_it_says_so_and_shows_all_again_when_asked_to(bench):
    opened = bench("page=runs&find=p113&where=seed = 0")
    assert said(opened) == '<p class="told">0 of 2 variants match p113 and seed = 0</p>'
    assert opened.opened("runs").clear.visible
    assert (opened.opened("runs").relax.visible, opened.opened("runs").relax.label) == (
        True,
        "Leave out p113 (1 variant)",
    )
    opened.opened("runs").clear.clicks += 1
    assert (len(slugs(opened)), opened.opened("runs").clear.visible) == (2, False)
    assert opened.selection.place.table == TableAsked()


def test_where_nothing_matches_the_part_without_which_most_does_is_left_out_with_a_click(bench):
    opened = bench("page=runs&find=p113&where=seed = 0")
    opened.opened("runs").relax.clicks += 1
    assert (slugs(opened), opened.opened("runs").relax.visible) == (["v5-seed0-width16"], False)
    assert opened.selection.place.table == TableAsked(where="seed = 0")


def test_a_chosen_column_is_added_and_a_dropped_one_goes(bench):
    opened = bench()
    chosen = opened.opened("runs").controls.columns
    assert {"learning_rate", "test_loss.min", "parameters.norms/total/squares"} <= set(chosen.options)
    chosen.value = ["variant", "learning_rate", "test_loss.min", "parameters.norms/total/squares"]
    assert columns(opened) == chosen.value
    assert parse_qs(opened.shell.query)["columns"] == [",".join(chosen.value)]


def test_the_least_of_an_instruments_number_is_offered_where_an_address_asks_for_it(bench):
    name = "parameters.norms/total/squares.min"
    assert name not in bench().opened("runs").controls.columns.options
    opened = bench(f"page=runs&columns=variant,{name}")
    assert columns(opened) == opened.opened("runs").controls.columns.value == ["variant", name]


def test_a_group_by_the_one_field_that_differs_is_called_by_its_name(trained, at_once):
    controls = Dashboard(server_context(trained, at_once), "page=runs").opened("runs").controls
    rows = [Row(variants=(f"add/p{prime}",), cells={"variant": f"add/p{prime}", "prime": prime}) for prime in (7, 11)]
    table = VariantTable.of({"variant": "variant", "prime": "parameter"}, rows)
    asked = TableAsked(group=("prime",))
    controls.follow(asked, TableAnswer(shown=show(table, asked), table=table))
    assert (controls.group.options, controls.group.value) == (["–", "all but seeds", "prime"], "prime")


def test_seeds_are_put_together_with_their_mean(bench):
    opened = bench("page=runs&group=width")
    assert slugs_in_groups(opened) == [(FIRST, OTHER)]
    assert list(grid(opened).value["c:n"]) == ["2"]
    assert said(opened) == '<p class="told">2 variants in 1 group</p>'
    assert opened.opened("runs").controls.group.value == "width"
    grid(opened).selection = [0]
    assert (opened.opened("runs").selected.open.disabled, opened.opened("runs").selected.compare.disabled) == (
        True,
        False,
    )


def slugs_in_groups(bench):
    return [row.variants for row in bench.opened("runs").grid._rows]


def names(bench):
    return [re.sub("<.*?>", "", cell).strip() for cell in grid(bench).value["c:variant"]]


def test_a_group_unfolds_to_its_variants_and_the_address_keeps_which_are(bench):
    opened = bench("page=runs&group=seed&sort=seed")
    assert names(opened) == ["▸ seed = 0", "▸ seed = 1"]
    keys = opened.opened("runs").keys
    keys._handle_msg({"key": "open", "row": 1})
    assert names(opened) == ["▸ seed = 0", "▾ seed = 1", "seed1"]
    assert parse_qs(opened.shell.query)["runs:unfolded"] == ["1"]
    keys._handle_msg({"key": "fold", "row": 0, "unfolded": True})
    assert names(opened) == ["▾ seed = 0", "seed0", "▾ seed = 1", "seed1"]
    again = bench(opened.shell.query)
    assert names(again) == names(opened)
    keys._handle_msg({"key": "fold", "row": 0, "unfolded": False})
    assert names(opened) == ["▸ seed = 0", "▾ seed = 1", "seed1"]
    keys._handle_msg({"key": "open", "row": 2})
    assert (opened.selection.place.page, opened.selection.place.variant) == ("views", OTHER)


def test_groups_of_one_variant_each_are_called_by_it_and_unfold(bench):
    opened = bench("page=runs&group=variant&sort=seed")
    assert names(opened) == [f"▸ variant = {FIRST}", f"▸ variant = {OTHER}"]
    opened.opened("runs").keys._handle_msg({"key": "open", "row": 0})
    assert names(opened) == [f"▾ variant = {FIRST}", "seed0", f"▸ variant = {OTHER}"]


def test_all_groups_are_unfolded_and_folded_by_one_button(bench):
    opened = bench("page=runs&group=seed&sort=seed:desc")
    button = opened.opened("runs").unfold
    assert (button.visible, button.label) == (True, "Unfold all")
    button.clicks += 1
    assert names(opened) == ["▾ seed = 1", "seed1", "▾ seed = 0", "seed0"]
    assert (button.label, parse_qs(opened.shell.query)["runs:unfolded"]) == ("Fold all", ["all:"])
    opened.opened("runs").keys._handle_msg({"key": "fold", "row": 2, "unfolded": False})
    assert (button.label, parse_qs(opened.shell.query)["runs:unfolded"]) == ("Unfold all", ["all:0"])
    button.clicks += 1
    button.clicks += 1
    assert names(opened) == ["▸ seed = 1", "▸ seed = 0"]
    opened.opened("runs").controls.group.value = "–"
    assert (names(opened), button.visible) == (["seed1", "seed0"], False)
    assert "runs:unfolded" not in opened.shell.query


def test_the_box_of_a_group_is_of_all_its_variants_and_off_without_one_of_them(bench):
    opened = bench("page=runs&group=width&sort=seed&runs:unfolded=all:")
    page, table = opened.opened("runs"), grid(opened)
    assert names(opened) == ["▾ width = 16", "seed0", "seed1"]
    table.selection = [0]
    assert (table.selection, page.grid.selected) == ([0, 1, 2], (FIRST, OTHER))
    table.selection = [0, 2]
    assert (table.selection, page.grid.selected) == ([2], (OTHER,))
    table.selection = [2, 1]
    assert (table.selection, page.grid.selected) == ([0, 1, 2], (FIRST, OTHER))
    table.selection = [1, 2]
    assert (table.selection, page.grid.selected) == ([], ())
    table.selection = [1]
    page.keys._handle_msg({"key": "fold", "row": 0, "unfolded": False})
    # Nothing is done with what is not seen to be selected.
    assert (table.selection, page.grid.selected) == ([], ())


def test_a_group_says_what_its_variants_have_in_common_and_they_what_they_are(bench):
    frame = grid(bench("page=runs&group=width&columns=variant,seed,step,state&runs:unfolded=16&sort=seed")).value
    assert [*frame.columns] == ["c:variant", "c:width", "c:n", "curve", "c:seed", "c:step", "c:state"]
    assert [[*row] for row in frame.drop(columns=["curve", "c:variant"]).values] == [
        ["16", "2", "", "30", "completed"],
        ["16", "", "0", "30", "completed"],
        ["16", "", "1", "30", "completed"],
    ]


def test_the_numbers_of_a_step_stand_under_it_and_the_cursors_where_none_is_asked_for(bench, trained):
    told = f"SELECT value FROM metrics WHERE variant = '{FIRST}' AND name = 'test_loss' AND step <= 12 ORDER BY step"
    there = trained.index.ask(told)["value"].to_pylist()[-1]
    opened = bench("page=runs&sort=seed&columns=variant,test_loss.at")
    assert grid(opened).titles["c:test_loss.at"] == "test_loss at the last step"
    field = opened.opened("runs").controls.at
    field.value = "1 2"
    assert parse_qs(opened.shell.query)["at"] == ["12"]
    assert grid(opened).titles["c:test_loss.at"] == "test_loss at step 12"
    assert float(grid(opened).value["c:test_loss.at"][0]) == pytest.approx(there, rel=1e-2)
    field.value = "twelve"
    assert (field.error_state, opened.selection.place.table.at) == (True, 12)
    field.value = ""
    opened.selection.move(step=9)
    assert (field.placeholder, field.error_state) == ("9, the cursor's", False)
    assert (grid(opened).titles["c:test_loss.at"], "at=" in opened.shell.query) == ("test_loss at step 9", False)


def test_whoever_asks_for_a_step_is_shown_the_usual_loss_there(bench):
    asked, usual = columns(bench("page=runs&at=10")), columns(bench("page=runs"))
    assert "test_loss.at" not in usual
    # Beside its last, before other metrics: in sight without a scroll.
    beside = usual.index("test_loss") + 1
    assert asked == [*usual[:beside], "test_loss.at", *usual[beside:]]


def test_the_triangle_of_a_group_is_a_button_that_says_of_what_and_whether_it_is_unfolded(bench):
    opened = bench("page=runs&group=seed&sort=seed&runs:unfolded=1")
    buttons = [re.findall("<button.*?</button>", cell) for cell in grid(opened).value["c:variant"]]
    told = '<button type="button" class="fold" tabindex="-1" aria-expanded="{}" aria-label="seed = {}">{}</button>'
    assert buttons == [[told.format("false", 0, "▸")], [told.format("true", 1, "▾")], []]


def test_names_are_what_tells_variants_apart_and_whole_under_the_pointer(bench):
    opened = bench("page=runs&sort=seed")
    assert names(opened) == ["seed0", "seed1"]
    assert grid(opened).value["c:variant"][1] == f'<span class="name" title="{OTHER}">seed1</span>'
    assert grid(opened).frozen_columns == {"c:variant": "left", "c:state": "right"}


def test_selected_rows_are_compared_on_the_page_of_comparisons(bench):
    opened = bench("page=runs&sort=seed")
    assert (opened.opened("runs").selected.open.disabled, opened.opened("runs").selected.compare.disabled) == (
        True,
        True,
    )
    grid(opened).selection = [0, 1]
    assert (opened.opened("runs").selected.open.disabled, opened.opened("runs").selected.compare.disabled) == (
        True,
        False,
    )
    opened.opened("runs").selected.compare.clicks += 1
    place = opened.selection.place
    assert (place.page, place.variant, place.compared) == ("compare", FIRST, (OTHER,))
    assert parse_qs(opened.shell.query)["v"] == [FIRST, OTHER]
    assert opened.parts["runs"].css_classes == ["away"]


def test_a_selected_row_is_opened_in_the_workbench(bench):
    opened = bench("page=runs&sort=seed&views=small.losses")
    grid(opened).selection = [1]
    opened.opened("runs").selected.open.clicks += 1
    place = opened.selection.place
    assert (place.page, place.variant, place.compared) == ("views", OTHER, ())
    assert [card.title for card in opened.workbench.board] == ["Losses"]


def test_keys_open_a_row_that_is_there_and_compare_where_there_are_two(bench):
    opened = bench("page=runs&sort=seed")
    keys = opened.opened("runs").keys
    assert keys.active
    grid(opened).selection = [0]
    for said in ({"key": "compare"}, {"key": "open", "row": 2}, {"key": "open", "row": -1}, {"key": "open"}, {}):
        keys._handle_msg(said)
    assert opened.selection.place.page == "runs"
    grid(opened).selection = [0, 1]
    keys._handle_msg({"key": "compare"})
    assert (opened.selection.place.variant, opened.selection.place.compared) == (FIRST, (OTHER,))
    assert not keys.active
    opened.selection.move(page="runs")
    keys._handle_msg({"key": "open", "row": 1})
    assert (opened.selection.place.page, opened.selection.place.variant) == ("views", OTHER)


def test_bounds_on_axes_select_rows_and_the_address_keeps_the_drawer_open(bench):
    opened = bench("page=runs&sort=seed&columns=variant,test_loss")
    drawer = opened.opened("runs").parallel
    drawer.view._handle_msg({"open": True})
    assert parse_qs(opened.shell.query)["runs:parallel"] == ["on"]
    assert [axis["name"] for axis in drawer.view.axes] == ["seed", "test_loss"]
    drawer.view._handle_msg({"rows": [1], "bounds": {"seed": [0, 0.5]}, "revision": drawer.view.revision, "number": 1})
    assert (opened.opened("runs").grid.selected, drawer.view.selected) == ((OTHER,), [1])
    assert parse_qs(opened.shell.query)["runs:bounds"] == ["seed:..0.5"]
    again = bench(opened.shell.query).opened("runs").parallel.view
    assert (again.open, len(again.axes), again.bounds) == (True, 2, {"seed": [0.0, 0.5]})
    drawer.view._handle_msg({"rows": [], "bounds": {}, "revision": drawer.view.revision, "number": 2})
    assert (opened.opened("runs").grid.selected, "runs:bounds" in opened.shell.query) == ((), False)
    drawer.view._handle_msg({"open": False})
    assert (drawer.view.axes, "runs:parallel" in opened.shell.query) == ([], False)


def test_what_is_selected_stays_so_while_it_is_ordered_otherwise_and_goes_with_its_row(bench):
    opened = bench("page=runs&sort=seed")
    grid(opened).selection = [1]
    grid(opened).sorters = [{"field": "c:seed", "dir": "desc"}]
    assert (grid(opened).selection, opened.opened("runs").grid.selected) == ([0], (OTHER,))
    opened.opened("runs").controls.find.value = "seed=0"
    assert (
        grid(opened).selection,
        opened.opened("runs").grid.selected,
        opened.opened("runs").selected.open.disabled,
    ) == (
        [],
        (),
        True,
    )


def test_only_the_last_question_is_shown(trained, when_told):
    opened = Dashboard(server_context(trained, when_told), "page=runs")
    when_told.go()
    opened.opened("runs").controls.find.value = "seed=0"
    opened.opened("runs").controls.find.value = "seed=1"
    # The answer to the first question comes last.
    when_told.waiting.reverse()
    when_told.go()
    assert slugs(opened) == ["v5-seed1-width16"]


def test_coming_back_to_the_runs_and_refreshing_show_what_was_trained_meanwhile(tmp_path, at_once):
    workspace = open_bound(tmp_path / "ws", tables())
    list(workspace.variant("toy.sum").train(steps=2, threads=1))
    opened = Dashboard(server_context(workspace.value, at_once))
    list(workspace.variant("toy.sum", seed=1).train(steps=2, threads=1))
    opened.opened("runs").refresh.clicks += 1
    assert len(slugs(opened)) == 2
    opened.opened("runs").grid.on_open(OTHER)
    assert (opened.selection.place.variant, opened.workbench.cursor.steps) == (OTHER, [0, 2])
    assert [card.title for card in opened.workbench.board] != [f"'{OTHER}' cannot be opened."]
    list(workspace.variant("toy.sum", seed=2).train(steps=2, threads=1))
    opened.selection.move(page="runs")
    assert len(slugs(opened)) == 3


def test_variants_newer_than_the_page_are_compared_too(tmp_path, at_once):
    workspace = open_bound(tmp_path / "ws", tables())
    list(workspace.variant("toy.sum").train(steps=2, threads=1))
    opened = Dashboard(server_context(workspace.value, at_once), "page=runs&sort=seed")
    list(workspace.variant("toy.sum", seed=1).train(steps=2, threads=1))
    opened.opened("runs").refresh.clicks += 1
    grid(opened).selection = [0, 1]
    opened.opened("runs").selected.compare.clicks += 1
    assert (opened.selection.place.variant, opened.selection.place.compared) == (FIRST, (OTHER,))


def test_where_the_queue_is_damaged_the_table_is_there_without_it_and_whole_once_it_can_be_read(tmp_path, at_once):
    workspace = open_bound(tmp_path / "ws", tables())
    list(workspace.variant("toy.sum").train(steps=2, threads=1))
    queue = RunQueue(workspace.root).layout.queue
    queue.parent.mkdir(parents=True, exist_ok=True)
    queue.write_bytes(b"no database" * 1000)
    opened = Dashboard(server_context(workspace.value, at_once), "page=runs")
    assert said(opened).startswith(f'<p class="problem">{queue} cannot be read.</p>')
    assert slugs(opened) == ["v5-seed0-width16"]
    queue.unlink()
    opened.opened("runs").controls.find.value = "seed=0"
    assert (slugs(opened), said(opened)) == (["v5-seed0-width16"], '<p class="told">1 of 1 variant</p>')


def test_an_empty_workspace_says_how_to_train_the_first_variant(empty, at_once):
    opened = Dashboard(server_context(empty.value, at_once), "page=runs")
    assert said(opened) == (
        '<p class="told">No variants yet.</p>'
        f'<p class="told">The workspace at {empty.root} is empty. To train one:  '
        f"miscope train FAMILY --workspace {empty.root}</p>"
    )


def test_a_metric_may_be_called_anything(tmp_path, at_once):
    workspace = open_bound(tmp_path / "ws", tables()).value
    variant = workspace.variant("toy.sum")
    names = ["index", "level_0", "__proto__", "constructor", "<b>bold</b>", "a,b", "a:desc", "50%", "ü"]
    workspace.store.save_variant(variant)
    workspace.store.append_metrics(variant.name, [(0, name, place) for place, name in enumerate(names)])
    asked = dict(write_asked(TableAsked(columns=tuple(names), order=(Order(column="a:desc", descending=True),))))
    opened = Dashboard(server_context(workspace, at_once), urlencode({"page": "runs", **asked}))
    assert columns(opened) == names
    assert [*grid(opened).value.drop(columns="curve").iloc[0]] == [str(place) for place in range(len(names))]
    assert grid(opened).sorters == [{"field": "c:a:desc", "dir": "desc"}]
    assert grid(opened).titles["c:<b>bold</b>"] == "&lt;b&gt;bold&lt;/b&gt;"


def test_of_a_long_text_a_cell_has_the_beginning():
    rows = [Row(variants=(f"add/v{n}",), cells={"notes": text}) for n, text in enumerate(("a\nb", "c" * 81, "d" * 80))]
    made = VariantGrid()
    made.show(LaidTable(shown=show(VariantTable.of({"notes": "work"}, rows), TableAsked(columns=("notes",)))), ())
    assert list(made.widget.value["c:notes"]) == ["a …", "c" * 80 + " …", "d" * 80]


def test_of_a_thousand_variants_one_page_is_sent():
    names = [f"add/v{number}" for number in range(1000)]
    rows = [Row(variants=(name,), cells={"variant": name, "seed": number}) for number, name in enumerate(names)]
    table = VariantTable.of({"variant": "variant", "seed": "parameter"}, rows)
    made = VariantGrid()
    made.show(LaidTable(shown=show(table, TableAsked())), ())
    source = made.widget.get_root().source
    assert (len(made.widget.value), len(source.data["c:variant"])) == (1000, 50)
    made.widget.page = 20
    made.widget.selection = [950, 999]
    assert made.selected == (names[950], names[999])


@pytest.mark.filterwarnings("ignore:.*HTTPServerRequest:DeprecationWarning")  # Panel's, to Tornado
def test_the_page_loads_the_scripts_of_the_table_from_the_same_server(trained, at_once):
    with TestClient(application(trained, at_once, hosts=LOOPBACK), base_url="http://127.0.0.1:5006") as client:
        page = client.get("/", params={"page": "runs", "find": "seed=1"}).text
    scripts = re.findall(r'<script[^>]* src="([^"]+)"', page)
    assert any("tabulator" in script for script in scripts)
    assert [script for script in scripts if "://" in script] == []


def test_the_step_of_the_cursor_brings_no_column_that_nobody_chose(bench):
    usual, with_step = columns(bench("page=runs")), columns(bench("page=runs&e=9"))
    assert with_step == usual
    assert columns(bench("page=runs&e=9&columns=variant,test_loss.at")) == ["variant", "test_loss.at"]


def test_a_group_of_which_nothing_is_known_and_one_called_none_unfold_apart():
    rows = [Row(variants=(each or "a",), cells={"name": each, MEMBERS: 1}) for each in (None, "none")]
    table = ShownTable(columns=VariantTable.of({"name": "parameter", MEMBERS: "work"}, rows).columns, rows=tuple(rows))
    found = TableAnswer(shown=table, table=VariantTable())
    groups = laid(found, TableAsked(group=("name",)), Unfolded()).groups
    assert [group.key for group in groups.values()] == ["!", "none"]


def test_groups_in_the_words_of_the_menu_are_those_of_its_columns(bench):
    cells = [{"width": width, "seed": seed} for width in (8, 16) for seed in (0, 1)]
    rows = [Row(variants=(str(place),), cells=each) for place, each in enumerate(cells)]
    table = VariantTable.of({"width": "parameter", "seed": "parameter"}, rows)
    asked, found = TableAsked(group=("all but seeds",)), TableAnswer(shown=ShownTable(), table=table)
    assert grouped_by(asked, found) == ("width",)
    assert grouped_by(TableAsked(group=("seed",)), found) == ("seed",)
    # Where variants differ in seeds alone there is nothing that they could be grouped by.
    assert "all but seeds" in said(bench("page=runs&group=all but seeds"))
