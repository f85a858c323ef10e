"""Questions, answers, encodings, splits and bases of modular arithmetic."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from miscope.errors import BadValue
from miscope_lal import arithmetic
from miscope_lal.params import ArithmeticParams
from miscope_lal.residues import divisor_basis, is_prime, logarithms, multiplicative_basis, primitive_root

PRIMES = [n for n in range(3, 60) if is_prime(n)]


def asked(**params: Any) -> arithmetic.Questions:
    return arithmetic.questions(ArithmeticParams(**params))


def test_pairs_are_in_row_major_order_and_answered_as_the_operation_says() -> None:
    sums = asked(prime=5)
    assert (sums.a.tolist()[:7], sums.b.tolist()[:7]) == ([0, 0, 0, 0, 0, 1, 1], [0, 1, 2, 3, 4, 0, 1])
    assert sums.answers[3 * 5 + 4] == 2
    assert asked(prime=5, operation="subtract").answers[3 * 5 + 4] == 4
    products = asked(prime=7, operation="multiply")
    counts = np.bincount(products.answers)
    assert counts.tolist() == [13, 6, 6, 6, 6, 6, 6], "zeros are asked for too"


@given(st.sampled_from(PRIMES))
def test_a_quotient_times_its_divisor_is_the_dividend(prime: int) -> None:
    quotients = asked(prime=prime, operation="divide")
    assert len(quotients) == prime * (prime - 1)
    assert quotients.b.min() == 1
    assert np.array_equal(quotients.answers * quotients.b % prime, quotients.a)


def test_both_operations_are_all_sums_and_then_all_products() -> None:
    both = asked(prime=5, operation="both")
    assert len(both) == 50
    assert np.array_equal(both.answers[:25], asked(prime=5).answers)
    assert np.array_equal(both.answers[25:], asked(prime=5, operation="multiply").answers)


def test_an_mlp_is_shown_a_and_b_as_one_of_p_each() -> None:
    inputs = arithmetic.one_hot(asked(prime=5))
    assert (inputs.shape, inputs.dtype) == ((25, 10), torch.float32)
    assert inputs.sum(1).tolist() == [2.0] * 25
    assert inputs[3 * 5 + 4].nonzero()[:, 0].tolist() == [3, 5 + 4]


def test_a_transformer_is_shown_a_the_operation_b_and_equals() -> None:
    assert arithmetic.tokens(asked(prime=5))[3 * 5 + 4].tolist() == [3, 5, 4, 6]
    assert arithmetic.tokens(asked(prime=5, operation="multiply"))[0].tolist() == [0, 5, 0, 6]
    both = arithmetic.tokens(asked(prime=5, operation="both"))
    assert (both[19].tolist(), both[25 + 19].tolist()) == ([3, 5, 4, 7], [3, 6, 4, 7])


@pytest.mark.parametrize(("prime", "fraction", "sizes"), [(17, 0.5, (144, 145)), (113, 0.3, (3830, 8939))])
def test_a_split_is_truncated_and_drawn_from_its_seed_alone(
    prime: int, fraction: float, sizes: tuple[int, int]
) -> None:
    train, test = arithmetic.split(asked(prime=prime), fraction, 42)
    assert (len(train), len(test)) == sizes
    order = torch.randperm(prime**2, generator=torch.Generator().manual_seed(42))
    assert torch.equal(torch.cat([train, test]), order)


def test_of_both_operations_each_gives_the_same_share_in_shuffled_order() -> None:
    train, test = arithmetic.split(asked(prime=7, operation="both"), 0.5, 0)
    assert sorted([*train.tolist(), *test.tolist()]) == list(range(98))
    assert int((train < 49).sum()) == int((train >= 49).sum()) == 24
    assert len(set((train < 49).tolist()[:24])) == 2, "sums and products are mixed"


@pytest.mark.parametrize("operation", ["add", "multiply", "subtract", "divide", "both"])
def test_a_probe_is_a_complete_grid_with_the_answers_as_a_column(operation: str) -> None:
    params = ArithmeticParams(prime=5, operation=operation)  # pyright: ignore[reportArgumentType]
    questions = arithmetic.questions(params)
    probe = arithmetic.probe(questions, arithmetic.tokens(questions), torch.arange(3))
    assert int(np.prod(probe.shape)) == len(questions)
    places = np.ravel_multi_index([probe.columns[name] for name in probe.grid], probe.shape)
    assert np.array_equal(places, np.arange(len(questions)))
    assert np.array_equal(probe.columns[arithmetic.ANSWER[operation]], questions.answers)
    for swap in probe.symmetries.values():
        assert np.array_equal(questions.answers[swap], questions.answers)
        assert np.array_equal(questions.a[swap], questions.b)


@given(st.sampled_from(PRIMES))
def test_a_primitive_root_gives_every_number_but_zero_a_logarithm(prime: int) -> None:
    root, logs = primitive_root(prime), logarithms(prime)
    assert [pow(root, int(log), prime) for log in logs] == list(range(1, prime))


@given(st.sampled_from(PRIMES), st.data())
def test_a_product_turns_the_phase_of_every_multiplicative_frequency(prime: int, data: st.DataObject) -> None:
    """Multiplying by x is a rotation within each block: the characters of a product are products of characters."""
    basis, x = multiplicative_basis(prime), data.draw(st.integers(1, prime - 1))
    moved = basis.rows[:, np.arange(prime) * x % prime]
    within = moved @ basis.rows.T
    for block in basis.blocks:
        rows = list(block.rows)
        assert np.abs(np.delete(within[rows], rows, axis=1)).max(initial=0) < 1e-9


def test_both_multiplicative_bases_name_the_same_frequencies() -> None:
    assert multiplicative_basis(7).labels == ("zero", "1", "2", "3")
    assert divisor_basis(7).labels == ("1", "2", "3")
    assert np.allclose(divisor_basis(7).rows[1:], multiplicative_basis(7).rows[2:, 1:])


def test_what_is_known_of_a_task_follows_its_operation() -> None:
    def named(**params: Any) -> dict[str, str]:
        return {name: basis.name for name, basis in arithmetic.bases(ArithmeticParams(**params)).items()}

    assert named(prime=7) == dict.fromkeys(("token", "a", "b", "sum"), "fourier")
    assert named(prime=7, operation="multiply") == dict.fromkeys(
        ("token", "a", "b", "product"), "multiplicative fourier"
    )
    assert set(named(prime=7, operation="divide")) == {"token", "a", "b", "quotient", "divisor"}
    assert set(named(prime=7, operation="both")) == {"token", "a", "b"}
    assert named(prime=6, any_modulus=True, operation="multiply") == {}


@pytest.mark.parametrize(
    ("params", "said"),
    [
        (
            {"prime": 15},
            "prime=15 is not a prime number.\n15 = 3 × 5.\nChoose a prime, or say any_modulus=true.",
        ),
        (
            {"prime": 6, "any_modulus": True, "operation": "divide"},
            "Division modulo 6 has no answer for some pairs.\n"
            "6 is no prime, so not every number but 0 has an inverse.\n"
            "Choose a prime, or another operation.",
        ),
    ],
)
def test_a_modulus_that_will_not_do_is_refused_with_a_way_out(params: dict[str, Any], said: str) -> None:
    with pytest.raises(BadValue) as refused:
        ArithmeticParams(**params)
    assert str(refused.value) == said


def test_a_prime_needs_no_leave() -> None:
    assert ArithmeticParams(prime=7, any_modulus=True) == ArithmeticParams(prime=7)
    assert ArithmeticParams(prime=15, any_modulus=True).prime == 15


def test_a_share_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(BadValue) as refused:
        arithmetic.split(asked(prime=5), 0.01, 0)
    assert str(refused.value) == (
        "train_fraction=0.01 of 25 pairs leaves nothing to train on.\n"
        "It makes 0 training pairs.\n"
        "Choose a larger prime, or another train_fraction."
    )
