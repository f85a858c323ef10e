import shlex
from urllib.parse import parse_qs

import pytest

from miscope_panel.shown.picture import Request, picture

OTHER = "toy.sum/v5-seed1-width16"


@pytest.fixture
def taken(trained, name):
    def of(view, step=None, compared=(), **controls):
        given = {control: str(value) for control, value in controls.items()}
        asked = Request(view=view, variant=name, step=step, compared=compared, controls=given)
        return picture(trained, asked).taken

    return of


def run(code):
    names = {}
    exec(code, names)
    return names


def test_only_controls_away_from_their_rest_are_named(taken, name, trained):
    assert taken("small.neuron", step=10, neuron=3)["python"] == (
        "import miscope\n\n"
        f"workspace = miscope.open({str(trained.root)!r})\n"
        f"figure = workspace.find({name!r}).at(10).view('small.neuron').figure()\n"
    )
    assert (
        ".view('small.neuron', neuron=7, transposed=True).figure()"
        in (taken("small.neuron", neuron=7, transposed="on")["python"])
    )


def test_a_view_over_training_names_no_step(taken, name):
    assert (
        f"workspace.find({name!r}).view('small.losses', scale='linear')"
        in (taken("small.losses", step=10, scale="linear")["python"])
    )
    assert parse_qs(taken("small.losses", step=10)["query"]) == {"view": ["small.losses"], "variant": [name]}


def test_a_view_that_compares_names_all_its_variants(taken, name):
    made = taken("small.compared", compared=(OTHER,))
    assert (
        f"workspace.view('small.compared', [workspace.find({name!r}), workspace.find({OTHER!r})]).figure()"
        in made["python"]
    )
    assert parse_qs(made["query"]) == {"view": ["small.compared"], "variant": [name], "with": [OTHER]}
    compile(made["python"], "copied", "exec")


def test_the_command_is_one_the_command_line_takes(taken, name, trained):
    words = shlex.split(taken("small.neuron", step=20, transposed="on", neuron=7)["shell"])
    assert words == [
        *("miscope", "show", "small.neuron", name, "--step", "20", "-o", "neuron=7", "-o", "transposed=true"),
        *("--out", "small.neuron.pdf", "--workspace", str(trained.root)),
    ]


def test_what_is_no_figure_cannot_be_taken(taken):
    assert taken("small.unmade") == {}


def test_the_copied_python_runs(trained, name, monkeypatch, taken):
    import miscope
    from miscope.bound import BoundWorkspace

    monkeypatch.setattr(miscope, "open", lambda root: BoundWorkspace(trained))
    drawn = run(taken("small.compared", compared=(OTHER,))["python"])["figure"]
    assert drawn.layout.meta["miscope"]["variant"] == [name, OTHER]
