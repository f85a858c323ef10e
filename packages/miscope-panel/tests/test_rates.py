"""How often one may ask."""

from __future__ import annotations

from miscope_panel.http.rates import GENEROUS, Rate, Rates


def test_a_bucket_empties_and_fills_again_for_each_address_and_each_deed_alone():
    now = [0.0]
    rates = Rates({"look": Rate(2.0, 3), "change": Rate(0.1, 1)}, lambda: now[0])
    assert [rates.wait("a", "look") for _ in range(4)] == [0, 0, 0, 1]
    assert (rates.wait("b", "look"), rates.wait("a", "change"), rates.wait("a", "change")) == (0, 0, 10)
    now[0] = 0.5
    assert [rates.wait("a", "look"), rates.wait("a", "look")] == [0, 1]
    now[0] = 1000.0
    assert [rates.wait("a", "look") for _ in range(4)] == [0, 0, 0, 1]


def test_who_is_refused_does_not_wait_longer_for_asking_again():
    now = [0.0]
    rates = Rates({"look": Rate(0.1, 1)}, lambda: now[0])
    assert rates.wait("a", "look") == 0
    assert {rates.wait("a", "look") for _ in range(100)} == {10}
    now[0] = 10.0
    assert rates.wait("a", "look") == 0


def test_a_million_addresses_take_no_more_memory_than_some():
    rates = Rates(clock=lambda: 0.0)
    for number in range(10_000):
        rates.wait(str(number), "look")
    assert len(rates._left) == 4096


def test_a_deed_without_a_rate_is_never_refused():
    assert {Rates({}).wait("a", "look") for _ in range(100)} == {0}


def test_the_rates_of_a_server_leave_a_page_and_a_script_alone():
    assert all(rate.a_second >= 50 and rate.at_once >= 500 for rate in GENEROUS.values())
