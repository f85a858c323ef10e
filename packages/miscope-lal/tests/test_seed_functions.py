"""The seed's own functions by its own names: what they give where the answer is known."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import miscope_lal
from miscope.errors import BadValue, UnknownName
from miscope_lal import (
    AdamMetrics,
    LeastActionLoss,
    MetricsHistory,
    ModularArithmeticDataset,
    SequenceArithmeticDataset,
    Trainer,
    TrainerConfig,
    TrainingMetrics,
    compute_adam_metrics,
    compute_fisher_trace,
    compute_gradient_norm,
    compute_hessian_trace,
    compute_jacobian_norm,
    compute_layer_weight_norms,
    compute_representation_norm,
    compute_weight_hessian_trace,
    create_model,
    jacobian_regularizer,
    plot_routing_heatmap,
    plot_spectral_analysis,
    plot_training_curves,
    save_all_visualizations,
    spectral_smoothness,
    spectral_smoothness_loss,
)

KINDS = ("baseline", "routed", "single_head", "transformer", "routed_transformer")


def small(kind: str, p: int = 5) -> miscope_lal.BaselineMLP:
    tokens = "transformer" in kind
    return create_model(kind, p + 2 if tokens else 2 * p, 8, p, 2, n_heads=2, seed=0)  # pyright: ignore[reportReturnType]


def inputs_of(kind: str, p: int = 5) -> tuple[Tensor, Tensor]:
    data = (SequenceArithmeticDataset if "transformer" in kind else ModularArithmeticDataset)(p=p)
    every = data.get_all()
    return every.inputs, every.targets


def test_the_names_are_there_and_none_loads_pytorch_before_it_is_asked_for() -> None:
    for name in miscope_lal.__all__:
        assert getattr(miscope_lal, name) is not None
    with pytest.raises(AttributeError, match="module 'miscope_lal' has no attribute 'create_modal'"):
        miscope_lal.create_modal  # noqa: B018 - read for its error
    code = "import sys, miscope_lal; from miscope_lal import TrainerConfig; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"False\n"


@pytest.mark.parametrize(
    ("kind", "p", "layers", "count"),
    [
        ("baseline", 17, 2, 23_185),
        ("baseline", 17, 4, 56_209),
        ("baseline", 113, 2, 60_145),
        ("baseline", 113, 4, 93_169),
        ("transformer", 17, 2, 401_041),
        ("transformer", 113, 2, 425_713),
    ],
)
def test_networks_have_the_seeds_numbers_of_parameters(kind: str, p: int, layers: int, count: int) -> None:
    inputs = p + 2 if kind == "transformer" else 2 * p
    assert create_model(kind, inputs, 128, p, layers).count_parameters() == count


def test_a_routed_network_lacks_the_last_state_that_nothing_reads() -> None:
    # The seed's counts are with it: a linear layer of 256 to 128.
    dead = 256 * 128 + 128
    for p, count in ((17, 2_397_345), (113, 2_434_305)):
        assert create_model("routed", 2 * p, 128, p, 4).count_parameters() == count - dead


@pytest.mark.parametrize("kind", KINDS)
def test_every_network_answers_and_shows_what_its_output_layer_reads(kind: str) -> None:
    model, (inputs, _) = small(kind), inputs_of(kind)
    logits = model.logits(inputs)
    weights = model.by_role
    torch.testing.assert_close(model.get_representation(inputs) @ weights["W_U"] + weights["b_U"], logits)
    logits.square().sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_a_transformer_answers_alike_from_tokens_and_from_their_embeddings() -> None:
    for kind in ("transformer", "routed_transformer"):
        model, (tokens, _) = small(kind), inputs_of(kind)
        embeddings = model.get_embeddings(tokens)
        assert embeddings.shape == (25, 4, 8)
        torch.testing.assert_close(model.forward_from_embeddings(embeddings), model.logits(tokens))


def test_a_network_that_routes_says_how() -> None:
    model, (inputs, _) = small("routed"), inputs_of("routed")
    logits, routing = model(inputs)
    assert (logits.shape, [tuple(w.shape) for w in routing.layer_weights]) == ((25, 5), [(25, 2), (25, 2)])
    assert 0 < routing.routing_entropy <= math.log(2) + 1e-6
    assert float(routing.head_utilization.sum()) == pytest.approx(1)
    _, alone = small("single_head")(inputs)
    assert (alone.routing_entropy, alone.head_utilization.tolist()) == (0.0, [1.0])


def test_first_weights_follow_pytorchs_generator_unless_a_seed_is_given() -> None:
    made = []
    for _ in range(2):
        torch.manual_seed(3)
        made.append(create_model("baseline", 10, 8, 5, 1))
    torch.testing.assert_close(made[0].by_role, made[1].by_role)
    other = create_model("baseline", 10, 8, 5, 1)
    assert not torch.equal(other.by_role["W_U"], made[0].by_role["W_U"])


def test_a_type_that_there_is_not_and_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UnknownName, match="There is no model type named 'mlp'"):
        create_model("mlp", 10, 8, 5, 1)
    with pytest.raises(BadValue) as refused:
        create_model("baseline", 7, 8, 5, 1)
    assert str(refused.value) == (
        "input_dim=7 is not twice output_dim=5.\nIts input is a and b, each as one of output_dim.\nSay input_dim=10."
    )
    with pytest.raises(BadValue) as refused:
        create_model("transformer", 5, 8, 5, 1)
    assert str(refused.value) == (
        "input_dim=5 is not the number of tokens for output_dim=5.\n"
        "Tokens are the numbers, the operation (or both of two) and '='.\n"
        "Say input_dim=7, or 8 for two operations."
    )


def test_the_jacobian_of_a_linear_module_has_the_length_of_its_matrix() -> None:
    linear = nn.Linear(4, 3, bias=False)
    # Along orthogonal rows of one length every direction among the logits says the same.
    rows = torch.linalg.qr(torch.randn(4, 3, dtype=torch.float64)).Q.T * 2
    linear.weight = nn.Parameter(rows)
    inputs = torch.randn(5, 4, dtype=torch.float64)
    assert compute_jacobian_norm(linear, inputs) == pytest.approx(12.0)
    assert compute_hessian_trace(linear, inputs) == 0
    shown = inputs.clone().requires_grad_()
    # The penalty's directions are of length 1 but for 1e-8.
    assert jacobian_regularizer(linear, shown, 3).item() == pytest.approx(12.0, rel=1e-6)


class Bowl(nn.Module):
    """Logits (n, 1): sum_i c_i x_i^2, c = 1, 2, 3."""

    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Parameter(torch.tensor([1.0, 2.0, 3.0]))

    def forward(self, x: Tensor) -> Tensor:
        return (self.c * x.square()).sum(1, keepdim=True)


def test_the_input_hessian_of_a_quadratic_is_twice_its_coefficients() -> None:
    assert compute_hessian_trace(Bowl(), torch.randn(4, 3)) == pytest.approx(12.0)


def linear_softmax() -> tuple[nn.Linear, Tensor, Tensor]:
    torch.manual_seed(0)
    return nn.Linear(3, 2, dtype=torch.float64), torch.randn(6, 3, dtype=torch.float64), torch.arange(6) % 2


def test_the_gradient_and_the_fisher_information_of_a_linear_softmax_are_its_closed_forms() -> None:
    linear, inputs, targets = linear_softmax()
    p = linear(inputs).detach().softmax(-1)
    misses = p - torch.eye(2, dtype=torch.float64)[targets]
    shown = torch.cat([inputs, torch.ones(6, 1, dtype=torch.float64)], dim=1)  # the bias is a weight of 1
    norm = float((misses.T @ shown / 6).norm())
    assert compute_gradient_norm(linear, inputs, targets) == pytest.approx(norm)
    fisher = misses.square().sum(1) * shown.square().sum(1)
    assert compute_fisher_trace(linear, inputs, targets) == pytest.approx(float(fisher.mean()))
    assert compute_fisher_trace(linear, inputs, targets, 2) == pytest.approx(float(fisher[:2].mean()))
    assert all(weight.grad is None for weight in linear.parameters())


def test_the_weight_hessians_trace_of_a_linear_softmax_is_estimated_around_its_closed_form() -> None:
    linear, inputs, targets = linear_softmax()
    p = linear(inputs).detach().softmax(-1)
    exact = float(((p * (1 - p)).sum(1) * (inputs.square().sum(1) + 1)).mean())
    found = [compute_weight_hessian_trace(linear, inputs, targets, 50, seed=seed) for seed in range(4)]
    assert np.mean(found) == pytest.approx(exact, rel=0.25)


def test_a_module_of_ones_own_is_asked_for_what_only_networks_here_know() -> None:
    with pytest.raises(BadValue) as refused:
        spectral_smoothness(Bowl(), 5)
    assert str(refused.value) == (
        "Nobody knows all inputs of a Bowl.\n"
        "Networks of create_model know theirs.\n"
        "Say inputs=..., (p^2, ...) in row-major order of the pairs."
    )
    with pytest.raises(BadValue) as refused:
        compute_jacobian_norm(Bowl(), torch.zeros(2, 3, dtype=torch.int64))
    assert str(refused.value) == (
        "A Bowl cannot be differentiated by tokens.\n"
        "Derivatives are by numbers: of tokens by their embedding, and it has no get_embeddings().\n"
        "Give inputs as numbers."
    )


class Sums(nn.Module):
    """Logits of the right sums modulo p."""

    def __init__(self, p: int) -> None:
        super().__init__()
        self.p = p

    def forward(self, inputs: Tensor) -> Tensor:
        a, b = inputs[:, : self.p].argmax(1), inputs[:, self.p :].argmax(1)
        return 50.0 * nn.functional.one_hot((a + b) % self.p, self.p)


@pytest.mark.parametrize(("p", "share"), [(7, 0.6923), (17, 0.9391), (53, 0.9853)])
def test_exact_sums_are_as_smooth_as_is_known(p: int, share: float) -> None:
    inputs = ModularArithmeticDataset(p=p).get_all().inputs
    assert spectral_smoothness(Sums(p), p, inputs=inputs) == pytest.approx(share, abs=5e-5)
    assert float(spectral_smoothness_loss(Sums(p), p, inputs=inputs)) == pytest.approx(1 - share, abs=5e-5)


def test_the_loss_of_least_action_is_the_sum_of_its_parts() -> None:
    logits, targets = torch.zeros(3, 5), torch.tensor([0, 1, 2])
    uniform = [torch.full((3, 4), 0.25)] * 2
    loss, parts = LeastActionLoss(lambda_routing=0.5)(logits, targets, uniform)
    assert parts == pytest.approx(
        {
            "task_loss": math.log(5),
            "routing_loss": math.log(4),
            "total_loss": math.log(5) + 0.5 * math.log(4),
        }
    )
    assert loss.item() == pytest.approx(parts["total_loss"])
    _, plain = LeastActionLoss(routing_regularizer=None)(logits, targets, uniform)
    assert set(plain) == {"task_loss", "total_loss"}


def test_the_spectral_part_counts_at_its_steps_alone() -> None:
    model, (inputs, targets) = small("transformer"), inputs_of("transformer")
    loss = LeastActionLoss(None, lambda_spectral=0.1, spectral_interval=10)
    counted, parts = loss(model(inputs), targets, model=model, p=5, step=20)
    assert parts["spectral_loss"] == pytest.approx(spectral_smoothness_loss(model, 5).item())
    assert counted.item() == pytest.approx(parts["task_loss"] + 0.1 * parts["spectral_loss"])
    assert "spectral_loss" not in loss(model(inputs), targets, model=model, p=5, step=21)[1]


def test_consistency_needs_the_inputs_and_another_name_is_refused() -> None:
    logits, targets, weights = torch.zeros(2, 3), torch.tensor([0, 1]), [torch.tensor([[0.5, 0.5], [0.5, 0.5]])]
    loss = LeastActionLoss("consistency")
    _, parts = loss(logits, targets, weights, inputs=torch.eye(2))
    assert parts["routing_loss"] == pytest.approx(0, abs=1e-6)
    with pytest.raises(BadValue) as refused:
        loss(logits, targets, weights)
    assert str(refused.value) == (
        "The regulariser 'consistency' compares inputs, and was given none.\n"
        "It is small where inputs that are alike are routed alike.\n"
        "Say inputs=..., one-hot."
    )
    with pytest.raises(BadValue, match="There is no routing regulariser 'balance'"):
        LeastActionLoss("balance")


def at_rest(decay: float) -> torch.optim.AdamW:
    """AdamW after updates whose m_hat / sqrt(v_hat) is 4 w everywhere: in balance at a decay of 4."""
    weight, bias = nn.Parameter(torch.tensor([1.0, -2.0])), nn.Parameter(torch.tensor([3.0]))
    groups = [{"params": [weight], "weight_decay": decay}, {"params": [bias], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=0.1, eps=1e-30)
    for parameter in (weight, bias):
        ones = torch.ones_like(parameter)
        parameter.grad = ones
        optimizer.step()
        mean = 4 * parameter.detach() * (1 - 0.9)
        optimizer.state[parameter].update(exp_avg=mean, exp_avg_sq=ones * (1 - 0.999), step=torch.tensor(1.0))
        parameter.grad = None
    return optimizer


def test_adams_update_over_its_decay_is_1_in_balance_and_scales_with_the_decay() -> None:
    balanced, weak, none = (compute_adam_metrics(at_rest(decay)) for decay in (4.0, 1.0, 0.0))
    assert isinstance(balanced, AdamMetrics)
    assert isinstance(weak, AdamMetrics)
    assert isinstance(none, AdamMetrics)
    assert balanced.update_decay_ratio == pytest.approx(1, rel=1e-6)
    assert weak.update_decay_ratio == pytest.approx(4, rel=1e-6)
    assert none.update_decay_ratio is None
    assert balanced.effective_lr_mean == pytest.approx(math.sqrt(0.001), rel=1e-6)


def test_there_are_no_numbers_of_adam_before_an_update_or_of_another_optimizer() -> None:
    weight = nn.Parameter(torch.ones(2))
    assert compute_adam_metrics(torch.optim.AdamW([weight])) is None
    plain = torch.optim.SGD([weight], lr=0.1, momentum=0.9)
    weight.grad = torch.ones(2)
    plain.step()
    assert compute_adam_metrics(plain) is None


def test_norms_are_of_the_vectors_read_and_of_every_matrix() -> None:
    model, (tokens, _) = small("transformer"), inputs_of("transformer")
    # A normalised vector of 8 numbers is sqrt(8) long, but for the epsilon beside a small variance.
    assert compute_representation_norm(model, tokens) == pytest.approx(math.sqrt(8), rel=0.05)
    with torch.no_grad():
        model.by_role["W_pos"].fill_(2.0)
    norms = compute_layer_weight_norms(model)
    assert (len(norms), norms["W_pos"]) == (15, pytest.approx(2 * math.sqrt(5 * 8)))


def curves() -> MetricsHistory:
    history = MetricsHistory()
    for epoch, accuracy in ((0, 0.1), (100, 0.96), (200, 0.9)):
        numbers = {"layer_0_weight_norm": 3.0} if epoch else {}
        row = TrainingMetrics(epoch=epoch, train_acc=accuracy + 0.03, test_acc=accuracy, train_loss=1.0, others=numbers)
        history.log(row)
    return history


def test_a_history_has_rows_and_first_epochs_and_is_saved(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    history = curves()
    assert (len(history), history[-1].epoch) == (3, 200)
    assert (history.get_grokking_step(), history.get_memorization_step(0.98)) == (100, 100)
    assert history.get_grokking_step(0.99) is None
    table = history.get_dataframe()
    assert table["layer_0_weight_norm"].to_pylist() == [None, 3.0, 3.0]
    assert {str(field.type) for field in table.schema if field.name != "epoch"} == {"double"}
    saved = pq.read_table(history.save(tmp_path / "history.parquet"))
    again = MetricsHistory.of_table(saved)
    assert [row.to_dict()["test_acc"] for row in again] == [0.1, 0.96, 0.9]
    assert len(MetricsHistory().get_dataframe()) == 0


def test_plots_show_the_curves_the_spectrum_and_the_heads(tmp_path: Path) -> None:
    figure = plot_training_curves(curves())
    assert [trace.name for trace in figure.data] == ["Train Loss", "Test Loss", "Train Accuracy", "Test Accuracy"]
    assert [shape.x0 for shape in figure.layout.shapes] == [0, 100, 100]
    model = small("routed")
    image, power, radial = plot_spectral_analysis(model, 5).data
    assert (np.shape(image.z), np.shape(power.z), len(radial.y)) == ((5, 5), (5, 5), 3)
    # The constant is the sum of the table, squared.
    assert np.exp(power.z[2][2]) - 1 == pytest.approx(np.sum(image.z) ** 2)
    assert set(np.unique(plot_routing_heatmap(model, 5, 1).data[0].z)) <= {0, 1}
    saved = save_all_visualizations(curves(), model, 5, tmp_path / "plots")
    names = ["training_curves.html", "spectral_analysis.html", "routing_layer_0.html", "routing_layer_1.html"]
    assert [path.name for path in saved] == names
    assert all(path.exists() for path in saved)


def test_a_trainer_trains_goes_on_and_gives_the_network(tmp_path: Path) -> None:
    quick = {"hidden_dim": 8, "n_layers": 1, "log_every": 2, "checkpoint_every": 2}
    config = TrainerConfig(model_type="baseline", p=5, epochs=4, compute_weight_curvature=False, **quick)
    trainer = Trainer(config, tmp_path / "w", device="cpu")
    history = trainer.train()
    assert [row.epoch for row in history] == [0, 2, 4]
    data = ModularArithmeticDataset(p=5, train_frac=0.3)
    test = data.get_test()
    model = trainer.model()
    with torch.no_grad():
        accuracy = float((model(test.inputs).argmax(-1) == test.targets).double().mean())
    assert history[-1].test_acc == pytest.approx(accuracy)
    assert history[-1].to_dict()["layer_0_weight_norm"] == pytest.approx(compute_layer_weight_norms(model)["W_E"])
    assert [row.epoch for row in trainer.train(extra_epochs=2)] == [0, 2, 4, 6]
