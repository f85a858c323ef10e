"""What each architecture does with small matrices, by hand, by naive loops and by properties."""

from __future__ import annotations

import math
from typing import Any, get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from miscope.errors import BadValue
from miscope_sae.architecture import Architecture, first_weights
from miscope_sae.architectures.batch_top_k import LEAST_KEPT, BatchTopK, BatchTopKFamily, running_threshold
from miscope_sae.architectures.gated import Gated, GatedFamily, gate_error, gate_sum
from miscope_sae.architectures.jump_relu import JumpReLU, JumpReluFamily
from miscope_sae.architectures.matryoshka import MatryoshkaFamily, nested_error, prefixes
from miscope_sae.architectures.standard import ReLU, StandardFamily
from miscope_sae.architectures.top_k import TopK, TopKFamily
from miscope_sae.autoencoder_model import AutoencoderModel
from miscope_sae.params import Normalisation
from miscope_sae.rows.normalisation import constant_scale, normalised
from miscope_sae.sites import BEFORE, ERROR, INPUT, LATENTS, RECONSTRUCTED, TARGET
from miscope_sae.sparse_pass import SparsePass
from miscope_sae.updates.first_bias import first_bias, geometric_median

FAMILIES = (StandardFamily, JumpReluFamily, TopKFamily, BatchTopKFamily, GatedFamily, MatryoshkaFamily)
WIDTH, COUNT = 5, 9


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def random_weights(kind: Any, seed: int = 0) -> dict[str, Tensor]:
    shapes = kind().shapes(WIDTH, COUNT)
    weights = {name: 0.5 * drawn(seed + i, *shape) for i, (name, shape) in enumerate(shapes.items())}
    return weights | ({"threshold": weights["threshold"].abs()} if "threshold" in weights else {})


def architecture_of(kind: Any, *, centred: bool = True) -> Architecture:
    fields = {"variant": "toys.any/a", "step": 0, "site": "hook", "apply_b_dec_to_input": centred}
    fields |= {"k": 3} if "k" in kind.params.model_fields else {}
    return kind().architecture(kind.params.model_validate(fields), None)


def model_of(kind: Any, mode: Normalisation = "none", *, centred: bool = True) -> AutoencoderModel:
    return AutoencoderModel(
        architecture_of(kind, centred=centred), kind().shapes(WIDTH, COUNT), mode, scales=lambda: (1.7,)
    )


def passed(architecture: Architecture, weights: dict[str, Tensor], x: Tensor) -> SparsePass:
    weights = {name: tensor.clone().requires_grad_() for name, tensor in weights.items()}
    return SparsePass(architecture=architecture, weights=weights, x=x, target=x, before=architecture.before(weights, x))


def test_top_k_keeps_those_whose_pre_activation_times_the_norm_of_the_decoder_is_largest() -> None:
    weights = {"W_dec": torch.tensor([[1.0, 0.0], [0.0, 3.0], [0.1, 0.0], [1.0, 0.0]])}
    before = torch.tensor([[2.0, 1.0, 5.0, 1.9]])
    # Times the norms: 2, 3, 0.5, 1.9.
    assert TopK(centred=True, k=2).latents(weights, before).tolist() == [[2.0, 1.0, 0.0, 0.0]]


def test_top_k_keeps_fewer_where_fewer_are_positive() -> None:
    before = torch.tensor([[-1.0, 2.0, -3.0, 0.0], [-1.0, -2.0, -3.0, -4.0]])
    found = TopK(centred=True, k=3).latents({"W_dec": torch.eye(4)}, before)
    assert found.tolist() == [[0, 2, 0, 0], [0, 0, 0, 0]]


def test_top_k_with_no_more_latents_than_k_is_a_relu() -> None:
    before = drawn(0, 4, 6)
    assert torch.equal(TopK(centred=True, k=6).latents({"W_dec": torch.eye(6)}, before), torch.relu(before))


def test_batch_top_k_keeps_k_an_input_on_average_wherever_they_are() -> None:
    weights = {"W_dec": torch.eye(3), "threshold": torch.zeros(3)}
    before = torch.tensor([[9.0, 8.0, 7.0], [6.0, 1.0, 2.0], [-1.0, 3.0, 0.5]])
    # Six of nine: 9, 8, 7, 6, 3, 2.
    expected = [[9, 8, 7], [6, 0, 2], [0, 3, 0]]
    assert BatchTopK(centred=True, k=2).latents_in_training(weights, before).tolist() == expected


def test_batch_top_k_ranks_by_the_norm_of_the_decoder_too() -> None:
    weights = {"W_dec": torch.tensor([[1.0, 0.0], [0.0, 4.0]])}
    found = BatchTopK(centred=True, k=1).latents_in_training(weights, torch.tensor([[3.0, 1.0], [2.0, 0.9]]))
    assert found.tolist() == [[0, 1.0], [0, pytest.approx(0.9)]]


@pytest.mark.parametrize("kind", FAMILIES)
@settings(max_examples=15)
@given(seed=st.integers(0, 100))
def test_what_an_input_has_does_not_depend_on_those_beside_it(kind: Any, seed: int) -> None:
    """Not even of architectures that choose by batch, once they are trained."""
    model, weights = model_of(kind), random_weights(kind, seed)
    rows = drawn(seed + 50, 6, WIDTH)
    together = model.answers(weights, rows, {LATENTS})[LATENTS]
    alone = torch.cat([model.answers(weights, row[None], {LATENTS})[LATENTS] for row in rows])
    torch.testing.assert_close(together, alone)


def test_the_threshold_of_batch_top_k_is_a_running_mean_of_the_least_kept_over_norms() -> None:
    kept = running_threshold()
    weights = {"W_dec": torch.diag(torch.tensor([1.0, 2.0])), "threshold": torch.zeros(2)}
    buffers = kept.buffers()
    assert buffers[LEAST_KEPT].dtype == torch.float64

    def after(before: list[list[float]]) -> float:
        values = torch.tensor(before)
        made = SparsePass(
            architecture=BatchTopK(centred=True, k=1), weights=weights, x=values, target=values, before=values
        )
        buffers.update(kept.observe(made, buffers))
        return float(buffers[LEAST_KEPT])

    assert after([[5.0, 0.0], [0.0, 1.5]]) == 3.0, "the first batch gives the first value"
    assert after([[1.0, 0.0], [0.0, 4.0]]) == pytest.approx(3.0 + 0.01 * (1.0 - 3.0))
    assert after([[-1.0, -2.0], [0.0, -4.0]]) == pytest.approx(2.98), "nothing positive, nothing learned"
    found = kept.weights(weights, buffers)["threshold"]
    assert found.tolist() == pytest.approx([2.98, 1.49])
    assert found.dtype == torch.float32


def test_before_any_batch_the_threshold_is_0() -> None:
    kept = running_threshold()
    weights = {"W_dec": torch.eye(2), "threshold": torch.ones(2)}
    assert kept.weights(weights, kept.buffers())["threshold"].tolist() == [0, 0]


def test_nested_errors_are_those_of_every_prefix_by_itself() -> None:
    weights = random_weights(MatryoshkaFamily)
    x = drawn(7, 20, WIDTH)
    made = passed(architecture_of(MatryoshkaFamily), weights, x)
    latents = architecture_of(MatryoshkaFamily).latents_in_training(weights, made.before).detach()
    expected = 0.0
    for width in (2, 5, COUNT):
        for row, values in zip(x, latents, strict=True):
            guess = weights["b_dec"] + sum(values[i] * weights["W_dec"][i] for i in range(width))
            expected += float((row - guess).square().sum()) / len(x)
    assert nested_error(made, (2, 5, COUNT)).item() == pytest.approx(expected, rel=1e-9)


def test_one_prefix_of_all_latents_is_the_plain_error() -> None:
    made = passed(architecture_of(MatryoshkaFamily), random_weights(MatryoshkaFamily), drawn(7, 20, WIDTH))
    plain = (made.reconstruction - made.x).square().sum(-1).mean()
    assert nested_error(made, (COUNT,)).item() == pytest.approx(plain.item(), rel=1e-9)


def test_prefixes_are_an_eighth_a_quarter_a_half_and_all_unless_they_are_given() -> None:
    assert prefixes(None, 64) == (8, 16, 32, 64)
    assert prefixes(None, 3) == (1, 3)
    assert prefixes((2, 64), 64) == (2, 64)


@pytest.mark.parametrize("asked", [(8, 4, 64), (8, 8, 64), (8, 32), ()])
def test_prefixes_that_are_not_nested_are_refused(asked: tuple[int, ...]) -> None:
    with pytest.raises(BadValue) as told:
        prefixes(asked, 64)
    assert str(told.value) == (
        f"matryoshka_widths={'+'.join(map(str, asked))} are no nested prefixes of 64 latents.\n"
        "Each is larger than the one before, and the last has them all.\n"
        "Give others, or leave them out."
    )


def test_a_gated_latent_has_the_size_of_its_second_encoder_where_the_gate_is_open() -> None:
    weights, x = random_weights(GatedFamily), drawn(8, 30, WIDTH)
    given = (x - weights["b_dec"]) @ weights["W_enc"]
    gate = given + weights["b_gate"]
    size = given * weights["r_mag"].exp() + weights["b_mag"]
    expected = torch.where(gate > 0, torch.relu(size), 0.0)
    found = model_of(GatedFamily).answers(weights, x, {LATENTS})[LATENTS]
    torch.testing.assert_close(found, expected)
    # Both kinds of zeros are there: closed gates, and open ones of no size.
    assert bool(((gate > 0) & (size < 0)).any())
    assert bool(((gate <= 0) & (size > 0)).any())


def test_the_decoder_learns_nothing_of_the_gates_error_nor_of_its_penalty() -> None:
    weights, x = random_weights(GatedFamily), drawn(8, 30, WIDTH)
    made = passed(Gated(centred=False), weights, x)
    positive = torch.relu(x @ weights["W_enc"] + weights["b_gate"])
    expected = (x - positive @ weights["W_dec"] - weights["b_dec"]).square().sum(1).mean()
    assert gate_error(made).item() == pytest.approx(float(expected), rel=1e-9)
    norms = weights["W_dec"].norm(dim=1)
    assert gate_sum(made).item() == pytest.approx(float((positive * norms).sum(1).mean()), rel=1e-9)
    (gate_error(made) + gate_sum(made)).backward()
    learned = {name for name, tensor in made.weights.items() if tensor.grad is not None}
    assert learned == {"W_enc", "b_gate"}


@pytest.mark.parametrize("kind", [StandardFamily, JumpReluFamily])
def test_rescaling_to_unit_norm_gives_the_same_and_thresholds_go_with_it(kind: Any) -> None:
    model, weights, x = model_of(kind), random_weights(kind), drawn(9, 30, WIDTH)
    norms = weights["W_dec"].norm(dim=1)
    scaled = {name: tensor * norms for name, tensor in weights.items() if name in ("W_enc", "b_enc", "threshold")}
    unit = {**weights, **scaled, "W_dec": weights["W_dec"] / norms[:, None]}
    before = model.answers(weights, x, {LATENTS, RECONSTRUCTED})
    after = model.answers(unit, x, {LATENTS, RECONSTRUCTED})
    torch.testing.assert_close(after[RECONSTRUCTED], before[RECONSTRUCTED])
    torch.testing.assert_close(after[LATENTS], before[LATENTS] * norms)
    assert 0 < float((before[LATENTS] > 0).double().mean()) < 1


def test_a_jumprelu_latent_is_its_whole_pre_activation_above_the_threshold() -> None:
    weights = {"threshold": torch.tensor([0.0, 1.0, 1.0])}
    found = JumpReLU(centred=True, bandwidth=0.1).latents(weights, torch.tensor([[0.5, 1.0, 1.5], [-0.5, 3.0, 0.9]]))
    assert found.tolist() == [[0.5, 0, 1.5], [0, 3, 0]]


@pytest.mark.parametrize("mode", get_args(Normalisation))
@settings(max_examples=25)
@given(seed=st.integers(0, 100), size=st.floats(1e-3, 1e3))
def test_normalisations_are_undone(mode: Normalisation, seed: int, size: float) -> None:
    """To rounding; layer norm to the 1e-5 that it divides by beside the standard deviation, which is left out again."""
    rows = size * (1 + drawn(seed, 6, WIDTH))
    x, undo = normalised(mode, 1.7, rows)
    # No number is farther from the mean of d than (d - 1) / sqrt(d) standard deviations.
    off = 1e-5 * (WIDTH - 1) / math.sqrt(WIDTH) if mode == "layer_norm" else 0.0
    assert float((undo(x) - rows).abs().max()) <= off + 1e-11 * size


def test_what_normalisations_make_of_an_input() -> None:
    rows = 3 + drawn(1, 200, WIDTH)
    scale = constant_scale(rows)
    x, _ = normalised("constant_norm", scale, rows)
    assert float(x.norm(dim=1).mean()) == pytest.approx(math.sqrt(WIDTH))
    assert torch.equal(x, rows * scale), "one number for all"
    x, _ = normalised("constant_norm_rescale", scale, rows)
    torch.testing.assert_close(x.norm(dim=1), torch.full((200,), math.sqrt(WIDTH), dtype=torch.float64))
    x, _ = normalised("layer_norm", scale, rows)
    assert float(x.mean(1).abs().max()) <= 1e-12
    torch.testing.assert_close(x.std(1), torch.ones(200, dtype=torch.float64), atol=1e-3, rtol=0)
    assert normalised("none", scale, rows)[0] is rows


def test_an_input_of_nothing_stays_nothing_in_every_normalisation() -> None:
    for mode in get_args(Normalisation):
        x, undo = normalised(mode, 1.7, torch.zeros(1, WIDTH))
        assert torch.equal(x, torch.zeros(1, WIDTH)), mode
        assert torch.equal(undo(x), torch.zeros(1, WIDTH)), mode


@pytest.mark.parametrize("mode", get_args(Normalisation))
@pytest.mark.parametrize("kind", FAMILIES)
def test_answers_are_those_of_the_network_at_its_one_position(kind: Any, mode: Normalisation) -> None:
    model, weights, x = model_of(kind, mode), random_weights(kind), drawn(10, 7, WIDTH)
    found = model.answers(weights, x, model.sites)
    ran = model.run(weights, x, model.sites)
    assert set(found) == set(ran) == {INPUT, TARGET, BEFORE, LATENTS, RECONSTRUCTED, ERROR}
    for site, values in found.items():
        assert ran[site].shape[:2] == (7, 1)
        assert torch.equal(ran[site][:, 0], values), site
        assert torch.equal(model.answers(weights, x, [site])[site], values), site
        assert torch.equal(model.answers(weights, x, [site], channels=[2, 0])[site], values[:, [2, 0]]), site
    torch.testing.assert_close(found[RECONSTRUCTED] + found[ERROR], x)
    assert all(values.dtype == torch.float64 for values in found.values())


@pytest.mark.parametrize("kind", FAMILIES)
def test_a_latent_taken_away_changes_the_reconstruction_by_its_direction(kind: Any) -> None:
    model, weights, x = model_of(kind, "constant_norm"), random_weights(kind), drawn(11, 40, WIDTH)
    plain = model.answers(weights, x, model.sites)
    latent = int(plain[LATENTS].sum(0).argmax())

    def without(values: Tensor) -> Tensor:
        assert values.shape == (40, 1, COUNT), "a hook is given positions"
        changed = values.clone()
        changed[..., latent] = 0
        return changed

    found = model.answers(weights, x, model.sites, hooks=[(LATENTS, without)])
    assert torch.equal(found[BEFORE], plain[BEFORE]), "what comes before stays"
    lost = plain[LATENTS][:, [latent]] * weights["W_dec"][latent] / 1.7
    torch.testing.assert_close(plain[RECONSTRUCTED] - found[RECONSTRUCTED], lost)
    torch.testing.assert_close(found[ERROR] - plain[ERROR], lost)
    assert float(lost.abs().max()) > 0


def test_a_replaced_input_is_reconstructed_in_the_place_of_the_given_one() -> None:
    model, weights, x = model_of(StandardFamily), random_weights(StandardFamily), drawn(11, 4, WIDTH)
    other = drawn(12, 4, WIDTH)
    found = model.answers(weights, x, [RECONSTRUCTED], hooks=[(INPUT, lambda given: other[:, None])])
    assert torch.equal(found[RECONSTRUCTED], model.answers(weights, other, [RECONSTRUCTED])[RECONSTRUCTED])


@pytest.mark.parametrize("kind", FAMILIES)
def test_only_a_centred_autoencoder_takes_the_decoders_bias_from_its_input(kind: Any) -> None:
    weights, x = random_weights(kind), drawn(13, 10, WIDTH)
    centred = model_of(kind).answers(weights, x, [BEFORE])[BEFORE]
    plain = model_of(kind, centred=False).answers(weights, x - weights["b_dec"], [BEFORE])[BEFORE]
    torch.testing.assert_close(centred, plain)
    assert not torch.allclose(centred, model_of(kind, centred=False).answers(weights, x, [BEFORE])[BEFORE])


def test_the_first_encoder_is_the_decoders_transpose_in_a_memory_of_its_own() -> None:
    weights = first_weights((WIDTH, COUNT), 0.1, torch.ones(WIDTH), seed=3)
    assert torch.equal(weights["W_enc"], weights["W_dec"].T)
    assert weights["W_enc"].data_ptr() != weights["W_dec"].data_ptr()
    torch.testing.assert_close(weights["W_dec"].norm(dim=1), torch.full((COUNT,), 0.1))
    assert torch.equal(weights["b_dec"], torch.ones(WIDTH))
    assert not weights["b_enc"].any()


def test_the_geometric_median_of_a_cross_is_its_centre_whatever_the_arms_are() -> None:
    """Of four points whose segments cross, it is the crossing; the mean is elsewhere."""
    centre = torch.tensor([2.0, -1.0])
    arms = torch.tensor([[5.0, 0.0], [-1.0, 0.0], [0.0, 3.0], [0.0, -0.5]])
    found = geometric_median(centre + arms)
    torch.testing.assert_close(found, centre, atol=1e-3, rtol=0)
    assert not torch.allclose(first_bias("mean", centre + arms), centre, atol=0.1)
    assert torch.equal(first_bias("zeros", centre + arms), torch.zeros(2))
    assert torch.equal(first_bias("geometric_median", centre + arms), found)


def test_the_norm_of_the_decoder_is_that_of_each_row() -> None:
    made = passed(ReLU(centred=False), random_weights(StandardFamily), drawn(0, 3, WIDTH))
    torch.testing.assert_close(made.norms, made.weights["W_dec"].square().sum(1).sqrt())
