"""Repeated random tokens: what is asked can be told from what came before, and from nothing simpler."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from miscope_toys.sequences import (
    IGNORED,
    SHORTEST_PERIOD,
    Repeats,
    draw_repeats,
    largest_offset,
    longest_period,
    repeats_probe,
)

sizes = st.fixed_dictionaries(
    {"vocabulary": st.integers(12, 70), "length": st.integers(16, 90), "seed": st.integers(0, 99)}
)


def rows(data: Repeats) -> list[tuple[list[int], int, int]]:
    return list(zip(data.tokens.tolist(), data.period.tolist(), data.offset.tolist(), strict=True))


@given(sizes)
@settings(max_examples=30, deadline=None)
def test_behind_the_offset_every_token_returns_after_one_period_and_no_sooner(size: dict[str, int]) -> None:
    for tokens, period, offset in rows(draw_repeats(20, **size)):
        assert len(set(tokens[: offset + period])) == offset + period
        assert tokens[offset + period :] == tokens[offset:-period]


@given(sizes)
@settings(max_examples=30, deadline=None)
def test_a_label_stands_exactly_where_the_present_token_was_seen_with_its_successor(size: dict[str, int]) -> None:
    data = draw_repeats(20, **size)
    for tokens, labels in zip(data.tokens.tolist(), data.labels.tolist(), strict=True):
        for position, token in enumerate(tokens):
            seen = [tokens[earlier + 1] for earlier in range(position) if tokens[earlier] == token]
            assert (labels[position] == IGNORED) == (not seen)
            assert all(label == labels[position] for label in seen)
        assert labels[-1] != IGNORED


def test_period_and_offset_take_all_their_values() -> None:
    data = draw_repeats(5000, vocabulary=32, length=40, seed=0)
    assert sorted(set(data.period.tolist())) == list(range(SHORTEST_PERIOD, longest_period(32, 40) + 1))
    assert sorted(set(data.offset.tolist())) == list(range(largest_offset(32, 40) + 1))
    assert (longest_period(32, 40), largest_offset(32, 40)) == (16, 8)


def test_no_fixed_distance_tells_the_answer() -> None:
    """What makes a positional head useless."""
    data = draw_repeats(2000, vocabulary=32, length=40, seed=0)
    asked = data.labels != IGNORED
    right = []
    for distance in range(1, 30):
        copied = torch.full_like(data.tokens, -1)
        copied[:, distance - 1 :] = data.tokens[:, : 40 - distance + 1]
        right.append(float((copied == data.labels)[asked].double().mean()))
    assert max(right) < 0.3


@given(sizes)
@settings(max_examples=10, deadline=None)
def test_the_probe_asks_for_every_pair_of_tokens_once(size: dict[str, int]) -> None:
    probe, n = repeats_probe(**size), size["vocabulary"]
    assert probe.shape == (n, n - 1)
    assert probe.labels is not None
    current, following = probe.inputs[:, -1].tolist(), probe.labels.tolist()
    assert len(set(zip(current, following, strict=True))) == n * (n - 1)
    assert current == probe.columns["current"].tolist()
    assert ((probe.columns["current"] + probe.columns["shift"] + 1) % n).tolist() == following
    assert len(set(probe.columns["period"].tolist())) > 1


@given(sizes)
@settings(max_examples=10, deadline=None)
def test_rows_of_the_probe_are_sequences_like_those_trained_on(size: dict[str, int]) -> None:
    probe = repeats_probe(**size)
    assert probe.labels is not None
    each = zip(
        probe.inputs.tolist(), probe.labels.tolist(), probe.columns["period"], probe.columns["offset"], strict=True
    )
    for tokens, label, period, offset in each:
        assert len(set(tokens[: offset + period])) == offset + period
        assert [*tokens, label][offset + period :] == [*tokens, label][offset:-period]


@given(sizes)
@settings(max_examples=10, deadline=None)
def test_relabelling_all_tokens_by_one_permutes_the_rows_of_the_probe(size: dict[str, int]) -> None:
    probe = repeats_probe(**size)
    image = torch.from_numpy(probe.symmetries["relabel"])
    assert torch.equal(probe.inputs[image], (probe.inputs + 1) % size["vocabulary"])
