"""Values at the cursor, as the browser reads them from a drawn chart."""

import pytest

from miscope_panel.page.client import source

pytestmark = pytest.mark.browser

CHART = """([trace, place]) => {
  const drawn = {visible: true, index: 0, xaxis: "x", yaxis: "y", mode: "lines", ...trace}
  const canvas = {_fullData: [drawn], data: [{name: "loss"}], _fullLayout: {xaxis: {}, yaxis: {}}}
  return values_at(canvas, ["x"], place).flatMap(({texts}) => texts)
}"""


@pytest.fixture(scope="module")
def ask(chromium):
    """ask(function, argument): what a function of JavaScript answers that knows what cards know."""
    page = chromium.new_page()
    known = source("at_step", "between", "time_axes", "shared_range", "cursor_stages").replace("export ", "")
    yield lambda function, argument: page.evaluate(
        f"argument => {{ {known}\nreturn ({function})(argument) }}", argument
    )
    page.close()


def test_numbers_have_four_digits_and_are_never_rounded_up_to_a_whole(ask):
    numbers = [0.9996, 0.99999, -0.99999, 1.00001, 12.3456, 999.96, 1234.5, 25000, 123456.7, 0, 0.00012345, 1e-5]
    told = ["0.9996", "0.9999", "-0.9999", "1", "12.35", "1,000", "1,235", "25,000", "123,457", "0"]
    assert ask("all => all.map((one) => compact(one))", numbers) == [*told, "1.234e-04", "1e-05"]
    shares = [0.9996, 0.99999, 1, 0.5, 0.12345]
    assert ask('all => all.map((one) => compact(one, ".2%"))', shares) == [
        *("99.96 %", "99.99 %", "100 %", "50 %", "12.35 %"),
    ]


def test_of_the_names_of_stages_that_have_no_room_no_two_are_cut_alike(ask):
    names = ["memorisation", "memorised", "plateau", "generalisation", "generalised"]
    told = "([names, width]) => names.map((name) => stage_in(name, width))"
    assert ask(told, [names, 100]) == names
    assert ask(told, [names, 38]) == ["mem…on", "mem…ed", "", "gen…on", "gen…ed"]
    assert ask(told, [names, 10]) == [""] * 5


def test_a_curve_of_all_records_tells_the_last_one_and_a_thinned_one_between_which_it_lies(ask):
    curve = {"x": [0, 1, 10, 14, 20, 25, 30], "y": [9, 8, 5, 4, 6, 3, 3.5]}
    assert ask(CHART, [curve, 16]) == ["4"]
    thinned = {**curve, "meta": {"thinned": True}}
    assert ask(CHART, [thinned, 16]) == ["3 to 8"]
    assert ask(CHART, [thinned, 14]) == ["4"]


def test_a_curve_that_is_hovered_with_other_numbers_tells_those_also_where_the_last_is_none(ask):
    hovered = {"x": [0, 10, 20], "y": [1, 2, 3], "hovertemplate": "%{customdata[0]:.4g} at %{x}"}
    assert ask(CHART, [{**hovered, "customdata": [[10], [100], [None]]}, 10]) == ["100"]
    assert ask(CHART, [{**hovered, "customdata": [["a"], ["b"], ["c"]]}, 10]) == ["2"]


def test_ends_of_a_range_are_rounded_by_its_width_and_the_keys_stop_at_two_checkpoints(ask):
    ends = [[0, 1000], [1234567.25, 1234568.75], [3.3333333, 40000.2], [0, 0.00123456]]
    written = ["0,1000", "1234567.25,1234568.75", "3,40000", "0,0.001235"]
    assert ask("all => all.map(between_written)", ends) == written
    between = ""
    for _ in range(9):
        between = ask("between => closer({steps: [0, 100, 200, 1200, 2000], between, step: 100})", between)
    assert between == "93.8,218.8"


def test_a_figure_of_steps_against_steps_keeps_its_own_zoom(ask):
    about = [["x", "x2"], ["y"], ["x", "y"], None]
    axes = ask("all => all.map((time_axes) => sharing(time_axes ? {time_axes} : {}))", about)
    assert axes == [["xaxis", "xaxis2"], ["yaxis"], [], []]
