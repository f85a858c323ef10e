import json
import shutil

import plotly.graph_objects as go
import pytest
from fastapi.testclient import TestClient

import miscope
from miscope.figures.figure_numbers import numbers
from miscope.hookspecs import HOOK_API
from miscope_panel.app import application
from miscope_panel.http.guard import LOOPBACK


@pytest.fixture
def client(trained, at_once):
    return TestClient(application(trained, at_once, hosts=LOOPBACK), base_url="http://127.0.0.1:5006")


def get(client, path, **query):
    return client.get(f"/api/v1/{path}", params=query)


def test_health_names_the_workspace(client, trained):
    assert get(client, "health").json() == {
        "status": "ok",
        "version": miscope.__version__,
        "api": 1,
        "workspace": str(trained.root),
    }


def test_variants_come_with_their_parameters_and_checkpoints(client, name):
    first = get(client, "variants").json()[0]
    assert (first["name"], first["checkpoints"], first["last_step"]) == (name, 4, 30)
    assert first["origin"] == "trained here"
    assert first["params"] == {"values": 5, "seed": 0, "width": 16}


@pytest.fixture
def damaged(trained):
    """Beside the two good variants a folder that no variant can have, and one with a record that is none."""
    folders = [trained.store.layout.variants / "toy.sum" / slug for slug in ("p23-seed1 (copy)", "v5-seed8-width16")]
    for folder in folders:
        folder.mkdir()
        (folder / "variant.json").write_text('{"params": []}')
    yield trained
    for folder in folders:
        shutil.rmtree(folder)


def test_a_folder_that_cannot_be_opened_is_listed_with_its_reason(client, name, damaged):
    found = {row["name"]: row for row in get(client, "variants").json()}
    assert found[name]["problem"] is None
    odd, broken = found["toy.sum/p23-seed1 (copy)"], found["toy.sum/v5-seed8-width16"]
    assert (odd["params"], odd["checkpoints"], broken["checkpoints"]) == (None, 0, 0)
    assert odd["problem"].startswith("A slug cannot be called 'p23-seed1 (copy)'.")
    assert "It is no variant record: 'schema' is no number." in broken["problem"]
    assert get(client, "availability", variant="toy.sum/v5-seed8-width16").status_code == 409


def test_views_are_found_by_words_the_best_first(client):
    assert [view["name"] for view in get(client, "views", find="every weight").json()] == ["small.norms"]
    assert get(client, "views", find="xyzzyx").json() == []
    assert get(client, "views", find=" ").json() == get(client, "views").json()


def test_views_come_with_who_provides_them(client):
    found = {view["name"]: view for view in get(client, "views").json()}
    assert found["small.neuron"]["package"] == "small local"
    assert found["small.neuron"]["controls"] == ["site", "neuron", "transposed"]


def test_plugins_list_the_broken_ones(client):
    assert get(client, "plugins").json()["hook_api"] == HOOK_API
    broken = {each["plugin"]: each for each in get(client, "plugins").json()["broken"]}
    assert (broken["sour"]["record"], broken["sour"]["reason"]) == ("", "ImportError: No module named 'jaxx'")
    assert broken["small"]["record"] == "the view 'small.nowhere'"


def test_availability_says_which_steps_were_computed(client, name):
    found = get(client, "availability", variant=name).json()
    there = {"present": True, "steps": [0, 20], "state": "there", "reason": None}
    assert found["artifacts"]["parameters.norms"] == there
    missing = {"present": False, "steps": [], "state": "missing", "reason": "it was never computed"}
    assert found["artifacts"]["small.never"] == missing


def test_an_instrument_that_reads_what_is_not_installed_takes_no_other_along(client, name):
    found = get(client, "availability", variant=name).json()
    assert found["artifacts"]["small.reader"]["reason"] == "it reads 'elsewhere.sums', which is not installed"
    assert found["artifacts"]["parameters.norms"]["present"]
    assert found["views"]["small.unmade"] == {"state": "missing", "reason": "needs small.never: it was never computed"}


def test_a_figure_is_plotly_json_with_its_controls_obeyed(client, name):
    answer = get(client, "figure", view="small.neuron", variant=name, step=10, neuron=7)
    figure = go.Figure(json.loads(answer.content))
    assert figure.layout.title.text == "Neuron 7"
    assert figure.layout.meta["miscope"]["step"] == 10


def test_a_figure_of_several_variants(client, name):
    answer = get(client, "figure", view="small.compared", variant=name, **{"with": "toy.sum/v5-seed1-width16"})
    assert [trace["name"] for trace in answer.json()["data"]] == ["seed=0", "seed=1"]


def test_a_figure_is_a_file_named_for_what_it_shows(client, name):
    answer = get(client, "export/csv", view="small.neuron", variant=name, step=10, neuron=7)
    figure = go.Figure(get(client, "figure", view="small.neuron", variant=name, step=10, neuron=7).json())
    slug = name.partition("/")[2]
    assert answer.headers["content-disposition"] == f'attachment; filename="{slug}.small.neuron.step_10.csv"'
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text == numbers(figure)
    page = get(client, "export/html", view="small.losses", variant=name)
    assert page.headers["content-disposition"] == f'attachment; filename="{slug}.small.losses.html"'
    assert get(client, "export/bmp", view="small.losses", variant=name).json()["error"]["code"] == "BadValue"


def test_without_a_browser_an_image_says_so(client, name, monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", "/nowhere/chromium")
    answer = get(client, "export/pdf", view="small.losses", variant=name)
    assert (answer.status_code, answer.json()["error"]["code"]) == (501, "NoBrowser")


@pytest.mark.parametrize(
    ("query", "status", "error"),
    [
        ({"view": "small.neurn"}, 404, "UnknownName"),
        ({"view": "small.unmade"}, 404, "NoArtifact"),
        ({"view": "small.attention"}, 409, "DoesNotApply"),
        ({"view": "small.neuron", "neuron": "many"}, 422, "BadValue"),
        ({"view": "small.neuron", "nueron": "1"}, 422, "BadValue"),
    ],
)
def test_errors_are_json_with_the_same_words_as_the_command_line(client, name, query, status, error):
    answer = get(client, "figure", **{"variant": name, **query})
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == error
    assert len(answer.json()["error"]["message"].splitlines()) == 3


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_variants_cannot_be_written(client, method):
    headers = {"content-type": "application/json"}
    assert getattr(client, method)("/api/v1/variants", headers=headers).status_code == 405


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_pages_that_would_load_from_a_cdn_are_not_there(client, path):
    assert client.get(path).status_code == 404


def test_the_bundle_that_draws_is_the_one_figures_are_written_for(client):
    from plotly.offline import get_plotlyjs_version

    from miscope_panel.shown.plotlyjs import BUNDLE

    assert f"plotly.js v{get_plotlyjs_version()}" in client.get(BUNDLE).text[:200]
