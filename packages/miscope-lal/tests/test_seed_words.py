"""The names of Least Action Learning's own functions, over what is here."""

from __future__ import annotations

import pyarrow as pa
import pytest
import torch

from miscope.errors import UnknownName
from miscope_lal.log_line import output_norm, seed_line
from miscope_lal.seed.datasets import (
    ModularArithmeticDataset,
    SequenceArithmeticDataset,
    get_pair_indices,
    get_special_pairs,
)
from miscope_lal.seed.experiments import create_metric_plot

NUMBERS = {
    "train_accuracy": 1.0,
    "test_accuracy": 0.4712,
    "train_loss": 1.234e-4,
    "representation.norm/blocks.2.mlp.hook_post/test/mean": 20.0,
    "representation.norm/blocks.10.mlp.hook_post/test/mean": 45.21,
    "representation.norm/blocks.10.mlp.hook_pre/test/mean": 30.0,
    "smoothness.spectrum/value": 0.2341,
    "sensitivity.jacobian/input/squared_norm": 1500.0,
}


def test_the_log_line_is_the_seeds_character_for_character() -> None:
    assert seed_line(12300, {**NUMBERS, "sensitivity.input_hessian/input/trace": -230.0}) == (
        "Epoch   12300 | Train: 100.0% | Test:  47.1% | Loss: 1.23e-04, rnorm=45.2, smooth=0.234, jac=1.50e+03, "
        "|hess|=2.30e+02"
    )


def test_a_network_that_routes_tells_its_entropy_and_what_was_not_computed_is_nan() -> None:
    line = seed_line(0, {**NUMBERS, "routing.statistics/entropy": 1.38629})
    assert line.startswith("Epoch       0 | Train: 100.0% |")
    assert line.endswith("jac=1.50e+03, |hess|=nan, entropy=1.386")


def test_the_norm_is_that_behind_the_last_norm_where_there_is_one() -> None:
    last = "representation.norm/ln_final.hook_normalized/test/mean"
    assert output_norm([*NUMBERS, last]) == last
    assert output_norm(["train_loss"]) == ""


@pytest.mark.parametrize("operation", ["add", "multiply"])
def test_both_data_sets_split_the_same_pairs(operation: str) -> None:
    plain = ModularArithmeticDataset(p=7, operation=operation, train_frac=0.5)
    tokens = SequenceArithmeticDataset(p=7, operation=operation, train_frac=0.5)
    for one, other in ((plain.get_train(), tokens.get_train()), (plain.get_test(), tokens.get_test())):
        assert torch.equal(one.pairs, other.pairs)
        assert torch.equal(one.targets, other.targets)
    assert (len(plain.get_train().pairs), len(plain.get_test().pairs), len(plain)) == (24, 25, 49)
    assert (plain.input_dim, plain.output_dim) == (14, 7)
    assert (tokens.vocab_size, tokens.input_dim, tokens.seq_len, tokens.output_dim) == (9, 9, 4, 7)


def test_a_data_set_is_a_sequence_of_inputs_and_answers() -> None:
    data = SequenceArithmeticDataset(p=5)
    inputs, answer = data[3 * 5 + 4]
    assert (inputs.tolist(), int(answer)) == ([3, 5, 4, 6], 2)
    assert len(list(data)) == 25
    every = data.get_all()
    assert torch.equal(get_pair_indices(5, every.pairs), torch.arange(25))
    assert torch.equal(every.input_ids, every.inputs)


def test_special_pairs_hold_a_zero_are_equal_or_small() -> None:
    special = get_special_pairs(9)
    assert len(special["zero_pairs"]) == 17
    assert special["zero_pairs"][:2] == [(0, 0), (1, 0)]
    assert special["identity_pairs"][3] == (3, 3)
    assert special["small_pairs"] == [(0, 0), (0, 1), (1, 0), (1, 1)]


def table(**columns: list[float | None]) -> pa.Table:
    return pa.table({"epoch": list(range(len(next(iter(columns.values()))))), **columns})


def test_a_plot_leaves_out_what_is_no_number_and_is_logarithmic_where_the_seed_has_it_so() -> None:
    tables = {"one": table(jacobian_norm=[1.0, None, float("nan"), 100.0]), "two": table(jacobian_norm=[2.0, 3.0])}
    figure = create_metric_plot(tables, "jacobian_norm")
    assert [(trace.name, list(trace.x), list(trace.y)) for trace in figure.data] == [
        ("one", [0, 3], [1.0, 100.0]),
        ("two", [0, 1], [2.0, 3.0]),
    ]
    assert (figure.layout.title.text, figure.layout.yaxis.type) == ("Jacobian Norm", "log")
    signed = create_metric_plot({"one": table(weight_hessian_trace=[-1.0, 2.0])}, "weight_hessian_trace")
    assert signed.layout.yaxis.type is None
    assert create_metric_plot({"one": table(hessian_trace=[1.0, 2.0])}, "hessian_trace").layout.yaxis.type is None


def test_a_plot_of_nothing_says_so() -> None:
    empty = create_metric_plot({"one": table(fisher_trace=[None, None])}, "fisher_trace")
    assert (len(empty.data), empty.layout.annotations[0].text) == (0, "Fisher Trace was not recorded.")
    assert create_metric_plot({}, "fisher_trace").layout.annotations[0].text == "No experiment is selected."
    missing = create_metric_plot({"one": table(train_loss=[1.0])}, "adam_ratio_mean")
    assert missing.layout.annotations[0].text == "Adam Ratio (mean) was not recorded."


def test_layers_are_named_in_numeric_order_and_an_unknown_column_is_refused() -> None:
    tables = {"one": table(layer_10_weight_norm=[1.0])}
    names = [f"blocks.{i}.mlp.W_in" for i in range(11)]
    assert create_metric_plot(tables, "layer_10_weight_norm", names).layout.title.text == "‖blocks.10.mlp.W_in‖"
    with pytest.raises(UnknownName, match="There is no column named 'jacobian'"):
        create_metric_plot(tables, "jacobian")
