"""Head roles on patterns made by hand."""

import pytest
import torch

from miscope.maths.head_roles import HEAD_ROLES, draw_blocks, even_scores, periods_for, role_scores


def attending(back, length=12):
    """A head that attends so many tokens back, or to the first one."""
    pattern = torch.zeros(1, 1, length, length)
    for query in range(length):
        pattern[0, 0, query, max(query - back, 0)] = 1
    return pattern.double()


def scored(pattern, period=4):
    return dict(zip(HEAD_ROLES, role_scores(pattern, period)[:, 0, 0].tolist(), strict=True))


def test_looking_one_back_is_a_previous_token_head_save_for_the_first_tokens_that_have_none():
    scores = scored(attending(1))
    assert scores["previous token"] == 1
    assert scores["first token"] == pytest.approx(1 / 11)
    assert scores["current token"] == pytest.approx(1 / 12)
    assert scores["induction"] == scores["duplicate token"] == scores["prefix matching"] == 0


def test_looking_a_period_back_is_duplication_and_one_less_is_induction():
    assert scored(attending(4))["duplicate token"] == 1
    assert scored(attending(3))["induction"] == scored(attending(3))["prefix matching"] == 1


def test_prefix_matching_counts_older_copies_and_induction_does_not():
    scores = scored(attending(7))
    # The four queries of the second copy have no copy so far back.
    assert scores["induction"] == 0
    assert scores["prefix matching"] == 4 / 8


def test_a_uniform_causal_head_scores_one_over_the_keys_in_sight():
    pattern = torch.ones(1, 1, 12, 12, dtype=torch.float64).tril()
    pattern = pattern / pattern.sum(-1, keepdim=True)
    scores = scored(pattern)
    later = [1 / (q + 1) for q in range(4, 12)]
    assert scores["induction"] == pytest.approx(sum(later) / 8)
    assert scores["prefix matching"] == pytest.approx((sum(later[:4]) + 2 * sum(later[4:])) / 8)


def test_distinct_blocks_hold_no_token_twice():
    block = draw_blocks(9, (20, 7), torch.Generator().manual_seed(0), distinct=True)
    assert all(len(set(row)) == 7 for row in block.tolist())


def test_periods_fit_five_three_and_two_times_and_into_the_vocabulary():
    assert periods_for(85, 128, distinct=True) == (17, 28, 42)
    assert periods_for(40, 16, distinct=True) == (8, 13)
    assert periods_for(8, 100, distinct=True) == (4,)
    assert periods_for(3, 100, distinct=True) == ()


def test_attention_that_is_dealt_out_anew_scores_the_even_ones_on_average():
    generator = torch.Generator().manual_seed(0)
    pattern = (2 * torch.randn(1, 1, 12, 12, generator=generator, dtype=torch.float64)).exp().tril()
    pattern = pattern / pattern.sum(-1, keepdim=True)
    dealt = torch.zeros(4000, 1, 12, 12, dtype=torch.float64)
    for query in range(12):
        order = torch.rand(4000, query + 1, generator=generator).argsort(1)
        dealt[:, 0, query, : query + 1] = pattern[0, 0, query][order]
    scores = role_scores(dealt, 4)[:3, :, 0]
    away = (scores.mean(1) - even_scores(pattern)).abs()
    assert (away < 4 * scores.std(1) / 4000**0.5).all()


def test_a_head_that_looks_ahead_sees_every_key():
    both_ways = torch.full((1, 1, 5, 5), 0.2, dtype=torch.float64)
    assert even_scores(both_ways).tolist() == pytest.approx([0.2] * 3)
    assert even_scores(both_ways.tril()).tolist() == pytest.approx(
        [sum(1 / n for n in range(2, 6)) / 4, sum(1 / n for n in range(1, 6)) / 5, sum(1 / n for n in range(2, 6)) / 4]
    )
