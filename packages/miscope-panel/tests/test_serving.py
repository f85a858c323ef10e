import json
import os
import re
import signal
import subprocess
import sys
import urllib.request

import pytest

from miscope.errors import BadValue, MiscopeError
from miscope_panel.serving import Address, listen


def test_another_machine_needs_a_token():
    with pytest.raises(BadValue) as refused:
        Address(host="0.0.0.0", port=5006).check()
    what, known, todo = str(refused.value).splitlines()
    assert what == "0.0.0.0 can be reached from other machines, and no token was given."
    assert known == "Whoever finds the port would see this workspace."
    assert todo.startswith(
        "Add --token SECRET; or leave --host out and use an SSH tunnel:  ssh -L 5006:127.0.0.1:5006 "
    )


def test_a_token_that_can_be_guessed_or_breaks_the_address_is_refused():
    for token in ("short", "with space and more", "a;b;c;d;e;f;g;h;i;j"):
        with pytest.raises(BadValue, match="That token cannot be used"):
            Address(token=token).check()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_machine_needs_none(host):
    Address(host=host).check()


def test_the_address_can_be_typed_into_a_browser():
    assert Address().url(5006) == "http://127.0.0.1:5006/"
    assert Address(host="::1").url(80) == "http://[::1]:80/"
    assert Address(host="0.0.0.0", token="a" * 16).url(80) == "http://127.0.0.1:80/?token=aaaaaaaaaaaaaaaa"


def test_a_port_in_use_is_said_in_three_parts():
    with listen(Address(port=0)) as first:
        port = first.getsockname()[1]
        with pytest.raises(MiscopeError) as refused:
            listen(Address(port=port))
    assert str(refused.value).splitlines() == [
        f"Cannot listen on 127.0.0.1 port {port}.",
        "Address already in use.",
        f"Another `miscope serve` may be running there; try:  miscope serve --port {port + 1}",
    ]


def test_a_host_that_is_none_is_not_taken_for_a_port_in_use():
    with pytest.raises(MiscopeError) as refused:
        listen(Address(host="no such host", token="a" * 16))
    assert (len(str(refused.value).splitlines()), str(refused.value).splitlines()[-1]) == (
        3,
        "--host takes an address of this machine: 127.0.0.1 for it alone, 0.0.0.0 for every network that it is in.",
    )


def test_serving_tells_its_address_shows_a_page_that_needs_no_other_machine_and_ends_when_told(trained):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", "from miscope.cli import main; main()", "serve", "--no-open", "--port", "0"]
    with subprocess.Popen(
        [*command, "--workspace", str(trained.root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == f"miscope shows {trained.root}\n"
        url = re.fullmatch(r"at (http://127\.0\.0\.1:\d+/)\n", server.stdout.readline())[1]
        with urllib.request.urlopen(f"{url}api/v1/health") as answer:
            assert json.load(answer)["workspace"] == str(trained.root)
        with urllib.request.urlopen(url) as answer:
            page = answer.read().decode()
        assert "<title>miscope</title>" in page
        assert "https://" not in page
        server.send_signal(signal.SIGTERM)
        _, errors = server.communicate()
    assert (server.returncode, errors) == (0, "")
