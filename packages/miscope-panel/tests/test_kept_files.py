"""Scripts, styles and fonts of the page: packed once for everybody, and kept by browsers."""

import gzip
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.routing import Mount

from miscope_panel.app import application
from miscope_panel.http.extension_files import ExtensionFiles
from miscope_panel.http.guard import LOOPBACK
from miscope_panel.http.kept_files import FOREVER, KeptFiles
from miscope_panel.shown.plotlyjs import BUNDLE

SCRIPT = b"let step = 1\n" * 1000
MATERIAL = "static/extensions/panel-material-ui/panel-material-ui.bundle.js"


def visitor(folder: Path) -> TestClient:
    return TestClient(Starlette(routes=[Mount("/files", KeptFiles(folder))]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("page.js", "table@6.4.0/table.js", "icons-LEZCGFVT.woff2", "table@^6.4.0/table.js"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(SCRIPT)
    return tmp_path


def raw(client: TestClient, path: str, **headers: str):
    """The answer, and its bytes as they were sent."""
    with client.stream("GET", path, headers={"accept-encoding": "gzip", **headers}) as answer:
        return answer, b"".join(answer.iter_raw())


def test_a_script_is_packed_for_whoever_takes_it(folder):
    answer, sent = raw(visitor(folder), "/files/page.js")
    assert (gzip.decompress(sent), answer.headers["content-encoding"]) == (SCRIPT, "gzip")
    assert (answer.headers["content-length"], answer.headers["vary"]) == (str(len(sent)), "accept-encoding")
    assert answer.headers["content-type"].partition(";")[0] in ("text/javascript", "application/javascript")


@pytest.mark.parametrize("coding", ["identity", "br", "gzip;q=0"])
def test_a_script_is_sent_as_it_is_to_whoever_does_not_take_it_packed(folder, coding):
    answer, sent = raw(visitor(folder), "/files/page.js", **{"accept-encoding": coding})
    assert (sent, answer.headers["vary"]) == (SCRIPT, "accept-encoding")
    assert "content-encoding" not in answer.headers


def test_a_part_of_a_script_is_sent_as_it_is(folder):
    answer, sent = raw(visitor(folder), "/files/page.js", range="bytes=4-7")
    assert (answer.status_code, sent) == (206, b"step")


def test_a_font_is_packed_already(folder):
    answer, sent = raw(visitor(folder), "/files/icons-LEZCGFVT.woff2")
    assert (sent, "content-encoding" in answer.headers) == (SCRIPT, False)


def test_a_script_is_packed_once_for_all_visitors(folder, monkeypatch):
    packed, compress = [], gzip.compress
    monkeypatch.setattr(gzip, "compress", lambda *given, **more: packed.append(1) or compress(*given, **more))
    client = visitor(folder)
    assert raw(client, "/files/page.js")[1] == raw(client, "/files/page.js?v=1")[1]
    assert len(packed) == 1


def test_a_script_that_was_replaced_is_packed_anew(folder):
    client = visitor(folder)
    raw(client, "/files/page.js")
    (folder / "page.js").write_bytes(b"let step = 2\n")
    assert gzip.decompress(raw(client, "/files/page.js")[1]) == b"let step = 2\n"


@pytest.mark.parametrize(
    "path", ["/files/page.js?v=0123", "/files/table@6.4.0/table.js", "/files/icons-LEZCGFVT.woff2"]
)
def test_what_an_address_names_with_its_version_is_kept_for_good(folder, path):
    assert visitor(folder).get(path).headers["cache-control"] == FOREVER


@pytest.mark.parametrize("path", ["/files/page.js", "/files/table@^6.4.0/table.js"])
def test_a_file_whose_address_says_no_version_is_asked_about_again_and_not_sent_again(folder, path):
    client = visitor(folder)
    first = client.get(path)
    assert first.headers["cache-control"] == "no-cache"
    again = client.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["cache-control"]) == (304, b"", "no-cache")


def test_what_is_not_there_is_kept_by_nobody(folder):
    answer = visitor(folder).get("/files/none.js?v=1")
    assert (answer.status_code, "cache-control" in answer.headers) == (404, False)


def test_files_of_an_extension_that_is_imported_after_the_server_began_are_there(folder):
    folders: dict[str, Path] = {}
    client = TestClient(Starlette(routes=[Mount("/static/extensions/{name}", ExtensionFiles(folders))]))
    assert client.get("/static/extensions/late/page.js").status_code == 404
    folders["late"] = folder
    answer, sent = raw(client, "/static/extensions/late/page.js?v=1")
    assert (gzip.decompress(sent), answer.headers["cache-control"]) == (SCRIPT, FOREVER)
    assert client.get("/static/extensions/other/page.js").status_code == 404


@pytest.mark.filterwarnings("ignore:.*HTTPServerRequest:DeprecationWarning")  # Panel's, to Tornado
def test_the_scripts_and_styles_of_a_page_are_at_most_three_and_a_half_megabytes_and_kept_for_good(trained, at_once):
    with TestClient(application(trained, at_once, hosts=LOOPBACK), base_url="http://127.0.0.1:5006") as client:
        page = client.get("/").text
        named = re.findall(r'<(?:script|link)[^>]* (?:src|href)="\.?/?(static[^"]+)"', page)
        assert any(path.startswith("static/js/bokeh.min.js?v=") for path in named)
        sent = {path: raw(client, f"/{path}") for path in (*named, f"{MATERIAL}?v=1", BUNDLE.lstrip("/"))}
    assert [path for path, (answer, _) in sent.items() if answer.status_code != 200] == []
    assert sum(len(bytes_) for _, bytes_ in sent.values()) < 3.5e6
    asked_about = {path for path, (answer, _) in sent.items() if answer.headers["cache-control"] != FOREVER}
    # Nothing long is among what the browser asks about at every visit.
    assert sum(len(sent[path][1]) for path in asked_about) < 1e5
