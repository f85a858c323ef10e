import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from miscope_panel.http.guard import LOOPBACK, Guard

TOKEN = "0123456789abcdef-secret"


async def page(scope, receive, send):
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1000})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


def visit(*, token=None, hosts=LOOPBACK, base="http://127.0.0.1:5006"):
    return TestClient(Guard(page, hosts, token), base_url=base, follow_redirects=False)


@pytest.mark.parametrize("host", ["127.0.0.1:5006", "localhost:5006", "[::1]:5006"])
def test_this_machine_comes_in(host):
    assert visit().get("/", headers={"host": host}).text == "hello"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:5006", "127.0.0.1.evil.example", "", "localhost.evil"])
def test_another_name_for_this_machine_does_not_come_in(host):
    answer = visit().get("/", headers={"host": host})
    assert (answer.status_code, "does not answer to the name" in answer.text) == (400, True)


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:9999", "null"])
def test_pages_from_elsewhere_do_not_come_in(origin):
    assert visit().get("/", headers={"origin": origin}).status_code == 403
    with pytest.raises(WebSocketDisconnect) as refused, visit().websocket_connect("/ws", headers={"origin": origin}):
        pass
    assert refused.value.code == 1008


def test_our_own_pages_do():
    assert visit().get("/", headers={"origin": "http://127.0.0.1:5006"}).status_code == 200


def test_every_answer_forbids_requests_to_other_machines():
    policy = visit().get("/").headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "http:" not in policy
    assert "*" not in policy


def test_without_the_token_nobody_comes_in():
    client = visit(token=TOKEN, hosts=frozenset({"*"}), base="http://box.lab:5006")
    assert client.get("/").status_code == 401
    assert client.get("/?token=wrong").status_code == 401
    assert client.get("/api/v1/health", headers={"authorization": "Bearer wrong"}).status_code == 401
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws"):
        pass


def test_the_token_is_swapped_for_a_cookie_and_leaves_the_address():
    client = visit(token=TOKEN, hosts=frozenset({"*"}), base="http://box.lab:5006")
    answer = client.get(f"/?e=5&token={TOKEN}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?e=5")
    assert "HttpOnly; SameSite=Strict" in answer.headers["set-cookie"]
    assert client.get("/").text == "hello"


def test_the_redirect_stays_on_this_server():
    client = visit(token=TOKEN, hosts=frozenset({"*"}))
    assert client.get(f"http://127.0.0.1:5006//evil.example?token={TOKEN}").headers["location"] == "/evil.example"


def test_scripts_carry_the_token_in_a_header():
    client = visit(token=TOKEN, hosts=frozenset({"*"}))
    assert client.get("/", headers={"authorization": f"Bearer {TOKEN}"}).text == "hello"


def test_what_is_no_request_passes():
    seen = []

    async def inner(scope, receive, send):
        seen.append(scope["type"])

    # Nothing here waits, so it needs no event loop; a browser's may be running in this thread.
    with pytest.raises(StopIteration):
        Guard(inner, LOOPBACK, TOKEN)({"type": "lifespan"}, None, None).send(None)
    assert seen == ["lifespan"]
