from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from miscope_panel.app import application
from miscope_panel.http.guard import LOOPBACK

TOKEN = "0123456789abcdef-secret"
DIGITS = "9" * 5000

# Panel makes tornado's request as older ones of it were made.
pytestmark = pytest.mark.filterwarnings("ignore:.*HTTPServerRequest:DeprecationWarning")


@pytest.fixture(scope="module")
def client(trained):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        app = application(trained, pool, hosts=LOOPBACK)
        yield TestClient(app, base_url="http://127.0.0.1:5006", raise_server_exceptions=False)


@pytest.mark.parametrize("path", ["/", "/api/v1/figure", "/api/v1/export/png", "/api/v1/availability"])
@pytest.mark.parametrize(
    "query",
    [
        f"e={DIGITS}&view=small.neuron&variant=toy.sum/v5-seed0-width16",
        f"step={DIGITS}&view=small.neuron&variant=toy.sum/v5-seed0-width16",
        f"neuron={DIGITS}&view=small.neuron&variant=toy.sum/v5-seed0-width16",
        f"v=toy.sum/v5-seed0-width16&views=small.neuron&small.neuron:neuron={DIGITS}",
        f"view={DIGITS}&variant=toy.sum/v5-seed0-width16",
        f"view=small.neuron&variant={DIGITS}",
        f"v={DIGITS}&variant=toy.sum/v5-seed0-width16&view=small.neuron",
        "%ff=%fe&view=%00&variant=%00&step=%00&v=%00",
    ],
)
def test_an_odd_value_is_refused_in_words_or_ignored(client, path, query):
    answer = client.get(f"{path}?{query}")
    assert answer.status_code in (200, 404, 409, 422), answer.text
    if path == "/":
        # Its status is said before the page is made.
        assert '"token":' in answer.text
        assert answer.text.rstrip().endswith("</html>")


def test_an_address_of_thousands_of_keys_is_too_long(client):
    answer = client.get("/?" + "&".join(f"key{i}={i}" for i in range(5000)))
    assert (answer.status_code, answer.text) == (
        414,
        "That address is too long: it has at most 8,192 characters after the '?', and 255 in a name.\n",
    )


def test_a_file_name_no_disk_has_is_too_long(client):
    for path in ("/static/", "/assets/", "/components/", "/api/v1/export/"):
        assert client.get(path + "a" * 300).status_code == 414


@pytest.mark.parametrize(
    "path",
    [
        *("", "a", "a/b/c", "a/b/c/d", "//////", "panel/x/_resources/", "..%2f/x/y/z", "%00/x/y/z", "./x/y/z"),
        *("os/path/__file__/x", "antigravity/x/_bundle/y", "panel.custom/JSComponent/_resources/", "panel/Card/_css/x"),
        "panel.template.base/BasicTemplate/modifiers/x",
    ],
)
def test_an_odd_component_is_not_found_and_loads_no_module(client, path):
    import sys

    before = set(sys.modules)
    assert client.get(f"/components/{path}").status_code in (400, 403, 404)
    assert "antigravity" not in set(sys.modules) - before


@pytest.mark.parametrize("origin", ["http://[::1", "http://]", "[", "\x00"])
def test_an_origin_that_is_no_address_does_not_come_in(client, origin):
    assert client.get("/api/v1/health", headers={"origin": origin}).status_code == 403


@pytest.mark.parametrize("cookie", ["a(b=c", "a(b=c; other=1", "=;;=", "a b=c", "\x7f=1"])
def test_a_cookie_of_any_name_leaves_the_token_as_it_is(trained, at_once, cookie):
    app = application(trained, at_once, hosts=LOOPBACK, token=TOKEN)
    client = TestClient(app, base_url="http://127.0.0.1:5006", raise_server_exceptions=False)
    assert client.get("/api/v1/health", headers={"cookie": cookie}).status_code == 401
    known = {"cookie": f"{cookie}; miscope_token={TOKEN}"}
    assert client.get("/api/v1/health", headers=known).status_code == 200


def connected(client, protocols):
    return client.websocket_connect("/ws", subprotocols=protocols, headers={"host": "127.0.0.1:5006"})


@pytest.mark.parametrize(
    ("protocols", "reason"),
    [
        ([], "This is the websocket of a page; the page itself is at /."),
        (["bokeh"], "This is the websocket of a page; the page itself is at /."),
        (["bokeh", "nonsense"], "The page's token cannot be read; load the page again."),
        (["bokeh", "bm9uc2Vuc2U.x.y"], "The page's token cannot be read; load the page again."),
        (["bokeh", "e30"], "The page's token cannot be read; load the page again."),
    ],
)
def test_a_websocket_without_a_page_is_refused_in_words(client, protocols, reason):
    with pytest.raises(WebSocketDisconnect) as refused, connected(client, protocols):
        pass
    assert (refused.value.code, refused.value.reason) == (1008, reason)
