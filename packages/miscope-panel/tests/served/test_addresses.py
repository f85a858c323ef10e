"""What is given to `miscope.connect` and cannot be, and whoever answers and is no server of miscope."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme

import miscope
from miscope.errors import BadValue, MiscopeError
from miscope.remote.address import Address
from miscope.remote.remote_errors import NotMiscope, OtherApi, Unreachable


@contextmanager
def others(answer: Callable[[BaseHTTPRequestHandler], None], *, tls: bool = False) -> Iterator[str]:
    """The address of a server that is another's."""
    handler = type("Handler", (BaseHTTPRequestHandler,), {"do_GET": answer, "log_message": lambda *said: None})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, ExitStack() as stack:
        server.daemon_threads = True
        server.handle_error = lambda request, client_address: None  # who has seen enough hangs up
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
            server.socket = stack.enter_context(context.wrap_socket(server.socket, server_side=True))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def saying(content: str, kind: str = "application/json", status: int = 200) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(asked: BaseHTTPRequestHandler) -> None:
        asked.send_response(status)
        asked.send_header("content-type", kind)
        asked.end_headers()
        asked.wfile.write(content.encode())

    return answer


def slowly(asked: BaseHTTPRequestHandler) -> None:
    """A piece now and then, without end."""
    asked.send_response(200)
    asked.end_headers()
    for _ in range(200):
        asked.wfile.write(b"x")
        time.sleep(0.05)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr("miscope.remote.connection._WAIT", 0.0)


def refused(*given: object, kind: type[MiscopeError], **more: object) -> list[str]:
    with pytest.raises(kind) as error:
        miscope.connect(*given, **more)  # type: ignore[arg-type]
    return str(error.value).split("\n")


@pytest.mark.parametrize(
    ("token", "fault"),
    [
        ("ü" * 20, "A token is of letters, digits and signs that ASCII has, without spaces."),
        ("two words", "A token is of letters, digits and signs that ASCII has, without spaces."),
        ("one\r\nX-Other: 1", "A token is of letters, digits and signs that ASCII has, without spaces."),
        ("from-a-file\n", "There is a space or a line's end before or after it."),
        ("", "It is empty."),
        (b"bytes", "It is a bytes, and no text."),
    ],
)
def test_a_token_that_no_header_can_hold_is_refused_before_anything_is_sent(token, fault):
    told = "Give the one that `miscope serve` was started with; leave it out where that was started without."
    assert refused("http://127.0.0.1:9", token, kind=BadValue) == ["That token cannot be sent.", fault, told]


def test_a_token_in_the_address_is_looked_at_as_well():
    assert refused("http://127.0.0.1:9/?token=", kind=BadValue)[1] == "It is empty."
    assert refused("http://127.0.0.1:9/?token=%C3%BC", kind=BadValue)[0] == "That token cannot be sent."


@pytest.mark.parametrize(
    "url",
    [
        *("127.0.0.1:5006", "localhost:5006", "localhost", "ftp://127.0.0.1", "http://", "http:///api", "", None, 5006),
        *("http://[::1", "http://127.0.0.1:many", "http://127.0.0.1:99999", "http://127.0.0.1:0", "http://a b:5006"),
        "http://a..b:5006",
    ],
)
def test_what_is_no_address_is_refused_before_anybody_is_asked(url):
    assert refused(url, kind=BadValue) == [
        f"{url!r} is no address of a server.",
        "It begins with http:// or https://, and a host follows.",
        "Give the one that `miscope serve` prints:  miscope.connect('http://127.0.0.1:5006')",
    ]


def test_a_time_that_cannot_be_is_refused():
    for seconds in (0, -1, float("nan"), float("inf"), "long", True, None):
        assert refused("http://127.0.0.1:9", seconds=seconds, kind=BadValue)[1:] == [
            "It is a number of seconds, above 0.",
            "Leave `seconds` out for 60.",
        ]


def test_an_address_may_be_given_as_it_was_copied():
    plain = "http://127.0.0.1:5006"
    copied = ("/", "/api/v1", "/api/v1/", "?view=behaviour.losses", "/?token=0123456789abcdef&step=3", "/#top")
    assert {Address.of(f" {plain}{end}").url for end in copied} == {plain}
    assert Address.of(f"{plain}/?step=3&token=0123456789abcdef").token == "0123456789abcdef"
    assert Address.of("https://lab.example/user/ada/proxy/5006/").url == "https://lab.example/user/ada/proxy/5006"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (saying("<h1>Hello</h1>", "text/html"), "something else than how it is"),
        (saying('{"status": "ok"}'), "something else than how it is"),
        (saying("[1, 2]"), "something else than how it is"),
        (saying("{"), "what is no JSON, though it says so"),
        (saying("\n  Not\n here", "text/plain", 404), "status 404: Not here"),
        (saying('{"error": "no such thing"}', status=404), 'status 404: {"error": "no such thing"}'),
        (saying("", status=302), "status 302"),
    ],
)
def test_whoever_answers_and_is_no_server_of_miscope_is_said_to_be_none(answer, said):
    with others(answer) as url:
        assert refused(url, kind=NotMiscope) == [
            f"What answers at {url} is no server of miscope.",
            f"It answered with {said}.",
            "Is the address right? Give the one that `miscope serve` prints.",
        ]


def test_a_server_that_speaks_another_version_is_told_apart():
    health = {"status": "ok", "version": "9.1.0", "api": 2, "workspace": "/data"}
    with others(saying(json.dumps(health))) as url:
        assert refused(url, kind=OtherApi) == [
            f"The server at {url} cannot be talked to: it is of another version of miscope.",
            f"It is miscope 9.1.0, whose API is version 2; here is miscope {miscope.__version__}, which speaks 1.",
            "Install the same version on both sides.",
        ]


def test_an_answer_that_never_ends_is_given_up():
    with others(slowly) as url:
        assert refused(url, seconds=0.2, kind=Unreachable)[:2] == [
            f"No answer comes from {url}.",
            "It did not come within 0.2 seconds.",
        ]


def test_a_certificate_that_nobody_vouches_for_is_named():
    with others(saying("{}"), tls=True) as url:
        first, reason, advice = refused(url, kind=Unreachable)
    assert (first, advice) == (
        f"No answer comes from {url}.",
        "Have the certificate trusted here (the variable SSL_CERT_FILE names a file of those that are).",
    )
    assert reason.startswith("Its certificate is not trusted: unable to get local issuer certificate")


def test_https_where_only_http_is_spoken_is_named():
    with others(saying("{}")) as url:
        *_, advice = refused(url.replace("http", "https"), kind=Unreachable)
    assert advice == "Does it answer to https:// at all? `miscope serve` itself answers to http://."


def test_a_host_that_is_not_there_is_no_traceback():
    told = refused("http://nowhere.invalid:5006", kind=Unreachable)
    assert (told[0], len(told)) == ("No answer comes from http://nowhere.invalid:5006.", 3)
