"""The network's own arithmetic against the TransformerLens bridge: every site, read, written to and derived through."""

import math

import pytest
import torch
from torch import Tensor

from miscope.shortcut_model import ShortcutModel
from miscope_modadd import open_pass
from miscope_modadd.network import SITES, Architecture, build_model
from miscope_modadd.pairs import pairs

PRIME = 7
SCORES, PATTERN = "blocks.0.attn.hook_attn_scores", "blocks.0.attn.hook_pattern"
MID, MLP_OUT, POST = (f"blocks.0.hook_{name}" for name in ("resid_mid", "mlp_out", "resid_post"))
COMPARABLE = [site for site in SITES if site not in (SCORES, PATTERN, MID)]
"""What is written into these counts downstream in every TransformerLens; into `hook_resid_mid` of a bridge it reaches
the MLP alone."""

Weights = dict[str, Tensor]


@pytest.fixture(scope="module", params=[False, True], ids=["no biases", "biases"])
def network(request: pytest.FixtureRequest) -> ShortcutModel:
    biases = request.param
    return build_model(Architecture(prime=PRIME, vocabulary_out=PRIME + biases, mlp_biases=biases))


@pytest.fixture
def weights(network: ShortcutModel) -> Weights:
    generator = torch.Generator().manual_seed(5)
    shapes = {name: role.shape for name, role in network.roles.items()}
    return {name: 0.3 * torch.randn(shape, generator=generator, dtype=torch.float64) for name, shape in shapes.items()}


INPUTS = pairs(PRIME, equals=True)[::3]


def turned(activation: Tensor) -> Tensor:
    """Something that mixes inputs and positions, and leaves no sign alone."""
    return 1.5 - activation.flip(0) * torch.linspace(0.5, 2, activation.shape[-1], dtype=activation.dtype)


def test_every_site_is_the_bridges(network: ShortcutModel, weights: Weights):
    ours = open_pass.run(weights, INPUTS, [*SITES, "logits"])
    bridge = network.hooked.run(weights, INPUTS, [*SITES, "logits"])

    assert set(ours) == {*SITES, "logits"}
    for site in {*SITES, "logits"} - {SCORES}:
        torch.testing.assert_close(ours[site], bridge[site], rtol=1e-10, atol=1e-12)


def test_scores_enter_the_softmax_and_hide_what_comes_later(weights: Weights):
    seen = open_pass.run(weights, INPUTS, [SCORES, PATTERN])

    torch.testing.assert_close(seen[SCORES].softmax(dim=-1), seen[PATTERN])
    assert (seen[SCORES][:, :, 0, 1:] == -math.inf).all()


@pytest.mark.parametrize("site", COMPARABLE)
def test_what_is_written_into_a_site_counts_as_in_the_bridge(network: ShortcutModel, weights: Weights, site: str):
    ours = open_pass.run(weights, INPUTS, ["logits", site], hooks=[(site, turned)])
    bridge = network.hooked.run(weights, INPUTS, ["logits", site], hooks=[(site, turned)])

    torch.testing.assert_close(ours["logits"], bridge["logits"], rtol=1e-9, atol=1e-10)
    torch.testing.assert_close(ours[site], bridge[site], rtol=1e-10, atol=1e-12)
    assert not torch.allclose(ours["logits"], open_pass.run(weights, INPUTS, ["logits"])["logits"])


def test_a_stream_that_is_written_goes_on_beside_the_mlp_too(weights: Weights):
    seen = open_pass.run(weights, INPUTS, [MID, MLP_OUT, POST], hooks=[(MID, turned)])

    torch.testing.assert_close(seen[POST], seen[MID] + seen[MLP_OUT])
    torch.testing.assert_close(seen[MID], turned(open_pass.run(weights, INPUTS, [MID])[MID]))


def test_a_pattern_that_is_written_is_the_one_that_attends(weights: Weights):
    alone = torch.tensor([[1.0, 0, 0], [0, 1, 0], [1, 0, 0]], dtype=torch.float64)
    hook = (PATTERN, lambda pattern: alone.expand_as(pattern))
    seen = open_pass.run(weights, INPUTS, ["blocks.0.attn.hook_v", "blocks.0.attn.hook_z"], hooks=[hook])

    torch.testing.assert_close(seen["blocks.0.attn.hook_z"][:, 2], seen["blocks.0.attn.hook_v"][:, 0])


def test_several_hooks_of_a_site_follow_one_another(weights: Weights):
    site = "blocks.0.hook_mlp_out"
    twice = [(site, lambda x: x + 1), (site, lambda x: 3 * x)]
    seen = open_pass.run(weights, INPUTS, [site])[site]

    torch.testing.assert_close(open_pass.run(weights, INPUTS, [site], hooks=twice)[site], 3 * (seen + 1))


@pytest.mark.parametrize("site", SITES)
def test_the_answer_alone_is_the_whole_passes_last_position(network: ShortcutModel, weights: Weights, site: str):
    hooks = [(site, turned)]
    with torch.no_grad():
        whole = open_pass.run(weights, INPUTS, ["logits"], hooks=hooks)["logits"][:, -1]
        answer = network.answers(weights, INPUTS, ["logits"], hooks=hooks)["logits"]

    torch.testing.assert_close(answer, whole, rtol=1e-10, atol=1e-12)


def test_the_bridge_is_built_to_train_under_hooks_and_not_to_look(weights: Weights):
    network = build_model(
        Architecture(prime=PRIME, vocabulary_out=weights["W_U"].shape[1], mlp_biases=len(weights) > 9)
    )
    with torch.no_grad():
        network.answers(weights, INPUTS, ["logits"], hooks=[(MLP_OUT, turned)])
        network.run(weights, INPUTS, [PATTERN])
    assert "hooked" not in vars(network)

    network.run(weights, INPUTS, ["logits"], hooks=[(MLP_OUT, turned)])
    assert "hooked" in vars(network)


def test_gradients_are_the_bridges(network: ShortcutModel, weights: Weights):
    def gradients(run) -> list[Tensor]:
        leaves = {name: tensor.clone().requires_grad_() for name, tensor in weights.items()}
        logits = run(leaves, INPUTS, ["logits"], hooks=[("blocks.0.attn.hook_z", turned)])["logits"]
        return list(torch.autograd.grad(logits.square().mean(), list(leaves.values())))

    for ours, bridge in zip(gradients(open_pass.run), gradients(network.hooked.run), strict=True):
        torch.testing.assert_close(ours, bridge, rtol=1e-8, atol=1e-12)
