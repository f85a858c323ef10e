"""What a modular-addition model may be asked for."""

import pytest

from miscope.errors import BadValue
from miscope.family import make_variant
from miscope_modadd.nanda2023 import Nanda2023Family
from miscope_modadd.params import ModAddParams, PaperParams
from miscope_modadd.transformer import TransformerFamily


def test_the_slug_names_prime_and_seeds() -> None:
    assert make_variant(TransformerFamily(), {}).slug == "p113-seed999-dseed598"
    assert make_variant(Nanda2023Family(), {"seed": 1}, {"weight_decay": 0.1}).slug == "p113-seed1-wd0.1"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (100, "prime=100 is not a prime number.\n100 = 2 × 50.\nThe nearest primes are 97 and 101."),
        (113 * 7, "prime=791 is not a prime number.\n791 = 7 × 113.\nThe nearest primes are 787 and 797."),
        (1, "prime=1 is not a prime number.\nThe smallest prime is 2.\nThe nearest primes are 2 and 3."),
        (-7, "prime=-7 is not a prime number.\nThe smallest prime is 2.\nThe nearest primes are 2 and 3."),
        (
            1009,
            "prime=1009 is too large.\nThe probe holds all 1009² pairs; primes up to 997 are supported.\n"
            "The largest supported is prime=997; the paper's is 113.",
        ),
    ],
)
@pytest.mark.parametrize("params", [ModAddParams, PaperParams])
def test_a_modulus_that_is_no_prime_is_refused(params: type[PaperParams], value: int, message: str) -> None:
    with pytest.raises(BadValue) as raised:
        params(prime=value)
    assert str(raised.value) == message


def test_small_primes_are_allowed() -> None:
    assert [PaperParams(prime=p).prime for p in (2, 3, 5, 997)] == [2, 3, 5, 997]


def test_a_split_without_training_pairs_is_refused() -> None:
    variant = make_variant(TransformerFamily(), {"prime": 2}, {"train_fraction": 0.1})
    with pytest.raises(BadValue) as raised:
        TransformerFamily().probes(variant)
    assert str(raised.value) == (
        "train_fraction=0.1 of 4 pairs leaves nothing to train on.\n"
        "It makes 0 training pairs.\n"
        "Choose a larger prime, or another train_fraction."
    )
