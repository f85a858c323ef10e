"""How long a client may take nothing of what is sent to it."""

from __future__ import annotations

from miscope_panel.http.slow_clients import Patience


def test_who_takes_nothing_is_let_go_after_that_time():
    patience = Patience(30, now=100)
    looks = [(4000, 900, 110), (4000, 900, 120), (4000, 905, 139), (4000, 905, 140)]
    assert [patience.ends(taken=taken, left=left, now=now) for taken, left, now in looks] == [False, False, False, True]


def test_who_takes_a_little_now_and_then_may_take_for_ever():
    patience = Patience(30, now=0)
    assert not any(patience.ends(taken=1 + step, left=10**6, now=29 * step) for step in range(1000))


def test_a_client_to_whom_nothing_was_sent_owes_nothing():
    patience = Patience(30, now=0)
    assert not patience.ends(taken=0, left=0, now=1000)
    assert not patience.ends(taken=0, left=10, now=1029)
    assert patience.ends(taken=0, left=10, now=1031)
