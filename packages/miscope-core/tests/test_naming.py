"""What a module's weights and activations are called, and that they lie as their names promise."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from miscope.errors import BadValue, UnknownName
from miscope.model import HookedModel
from miscope.modules.describing import Given, described
from miscope.modules.module_model import model_of
from miscope.modules.naming import NamedWeight, named_weights
from miscope.testing import roundings
from miscope.testing import toy_modules as own


class Attention(nn.Module):
    """Two heads of one layer, by linear maps side by side, and once more as they lie (in, out)."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.o = nn.Linear(8, 6), nn.Linear(6, 8)
        self.flat_q, self.flat_o = nn.Parameter(torch.randn(8, 6)), nn.Parameter(torch.randn(6, 8))

    def forward(self, x: Tensor) -> Tensor:
        return self.o(self.q(x)) + x @ self.flat_q @ self.flat_o


HEADS = {
    "q.weight": NamedWeight("blocks.0.attn.W_Q", heads=2),
    "q.bias": NamedWeight("blocks.0.attn.b_Q", heads=2),
    "o.weight": NamedWeight("blocks.0.attn.W_O", heads=2),
    "flat_q": NamedWeight("blocks.1.attn.W_Q", heads=2),
    "flat_o": NamedWeight("blocks.1.attn.W_O", heads=2),
}


def test_heads_that_lie_side_by_side_become_an_axis_and_go_back():
    module = Attention()
    state = dict(module.named_parameters())
    laid = {w.role: w for w in named_weights(module, HEADS)}
    weights = {role: w.as_role(state[w.parameter]) for role, w in laid.items()}
    assert {role: tuple(weight.shape) for role, weight in weights.items()} == {
        "blocks.0.attn.W_Q": (2, 8, 3),
        "blocks.0.attn.b_Q": (2, 3),
        "blocks.0.attn.W_O": (2, 3, 8),
        "blocks.1.attn.W_Q": (2, 8, 3),
        "blocks.1.attn.W_O": (2, 3, 8),
        "o.bias": (8,),
    }
    assert laid["blocks.0.attn.W_Q"].axes == ("head", "d_model", "d_head")
    x = torch.randn(4, 8)
    by_head = torch.einsum("nd,hdk->nhk", x, weights["blocks.0.attn.W_Q"]) + weights["blocks.0.attn.b_Q"]
    out = torch.einsum("nhk,hkd->nd", by_head, weights["blocks.0.attn.W_O"]) + weights["o.bias"]
    flat = torch.einsum("nd,hdk,hke->ne", x, weights["blocks.1.attn.W_Q"], weights["blocks.1.attn.W_O"])
    assert roundings((out + flat).detach().numpy(), module(x).detach().numpy()) < 100
    assert all(torch.equal(w.as_stored(weights[role]), state[w.parameter]) for role, w in laid.items())


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (
            {"hidden.weight": NamedWeight("blocks.0.attn.W_Q", heads=5)},
            "'hidden.weight' cannot be called 'blocks.0.attn.W_Q': how many heads it has is not known.\n"
            "It is of the shape (12, 16); heads=5.\n"
            "Give their number: NamedWeight('blocks.0.attn.W_Q', heads=4).",
        ),
        (
            {"hidden.bias": "W_U"},
            "'hidden.bias' cannot be called 'W_U': that has the axes d_model, vocab_out.\n"
            "As it lies in the module it would be of the shape (12,).\n"
            "Give another name, or `axes=` and `heads=` in a NamedWeight.",
        ),
        (
            {"embed.weight": "W_E", "head.weight": "W_U"},
            "The axis 'd_model' would have 8 entries in W_E and 12 in W_U.\n"
            "An axis is what is counted along it, and instruments read it so.\n"
            "Give one of them other words: NamedWeight('W_U', axes=(...)).",
        ),
        (
            {"embed.weight": "head.weight"},
            "Two weights would be called 'head.weight'.\nA name means one thing.\nGive one of them another name.",
        ),
        (
            {"act": "one", "embed": "one"},
            "Two sites would be called 'one'.\nA name means one thing.\nGive one of them another name.",
        ),
        (
            {"act": NamedWeight("blocks.0.mlp.hook_post")},
            "'act' is a submodule, and a NamedWeight is the name of a weight.\n"
            "The output of a submodule is a site, which has a name and no axes.\n"
            "Give the text alone: 'act': 'blocks.0.mlp.hook_post'.",
        ),
    ],
)
def test_a_name_that_does_not_fit_is_refused(names: dict[str, Any], text: str):
    with pytest.raises(BadValue) as error:
        described(own.Adder(), Given(probe=own.pairs(), names=names))
    assert str(error.value) == text


def test_a_name_of_nothing_is_refused_with_the_nearest():
    with pytest.raises(UnknownName, match=r"Did you mean 'hidden\.weight'"):
        described(own.Adder(), Given(probe=own.pairs(), names={"hiden.weight": "W_in"}))


class Odd(nn.Module):
    """A layer that is used twice, one that is not used, one that swaps the batch, one that gives no tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.twice, self.never, self.swaps, self.pairs = nn.Linear(4, 4), nn.Linear(4, 4), Swap(), Two()
        self.tied = nn.Linear(4, 4)
        self.tied.weight = self.twice.weight
        self.register_buffer("mask", torch.full((4, 4), float("-inf")))
        self.register_buffer("count", torch.tensor(3))

    def forward(self, x: Tensor) -> Tensor:
        y = self.twice(self.twice(x))
        return self.pairs(self.swaps(y).T + self.tied(y))[0]


class Swap(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.T


class Two(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, int]:
        return x.relu(), 2


def test_sites_are_what_is_called_once_and_gives_a_batch_and_weights_are_counted_once():
    description = described(Odd(), Given(probe=torch.randn(6, 4)))
    assert set(description.network.sites) == {"tied", "pairs"}
    assert [w.role for w in description.network.weights] == [
        *("twice.weight", "twice.bias", "never.weight", "never.bias", "tied.bias"),
    ]
    assert description.network.single is False


def test_a_site_can_be_replaced_also_where_it_is_the_first_of_several():
    module = Odd()
    description = described(module, Given(probe=torch.randn(6, 4)))
    assert description.module is not None
    model: HookedModel = model_of(description.module, description.network)
    weights = {w.role: w.as_role(module.state_dict()[w.parameter]) for w in description.network.weights}
    run = model.run(weights, description.probe.inputs, ["pairs", "logits"], hooks=[("pairs", lambda x: x + 1)])
    plain = module(description.probe.inputs)[:, None].detach()
    assert torch.equal(run["logits"], plain + 1)
    assert run["pairs"].shape == (6, 1, 4)


def test_a_transformer_of_pytorch_is_seen_layer_by_layer():
    layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True, dropout=0.1)
    layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    module = nn.Sequential(nn.Embedding(5, 8), layers, nn.Linear(8, 5))
    description = described(module, Given(probe=own.PAIRS))
    expected = {"0", "1", "1.layers.0", "1.layers.1", "1.layers.0.linear1", "1.layers.0.self_attn"}
    assert expected <= set(description.network.sites)
    assert description.module is not None
    model = model_of(description.module, description.network)
    weights = {w.role: w.as_role(module.state_dict()[w.parameter]) for w in description.network.weights}
    with torch.no_grad():
        seen = model.run(weights, own.PAIRS, ["1.layers.0.linear1", "logits"])
        assert roundings(seen["logits"].numpy(), module.eval()(own.PAIRS).numpy()) < 200
    assert seen["1.layers.0.linear1"].shape == (25, 2, 16)


class Halves(nn.Module):
    """Casts on its way, so that it cannot run in float64."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.float())


def test_a_module_that_runs_in_single_precision_only_is_run_so():
    module = Halves()
    description = described(module, Given(probe=torch.randn(6, 4)))
    assert description.network.single
    assert description.module is not None
    model = model_of(description.module, description.network)
    weights = {w.role: module.state_dict()[w.parameter].double() for w in description.network.weights}
    assert model.run(weights, description.probe.inputs.double(), ["logits"])["logits"].dtype == torch.float32


@pytest.mark.parametrize(
    ("probe", "text"),
    [
        (
            torch.randn(6, 3),
            "The model does not run on the inputs of the probe, (6, 3).\n"
            "RuntimeError: mat1 and mat2 shapes cannot be multiplied (3x3 and 4x4).\n"
            "Give inputs as it takes them: it is called as `model(inputs)`.",
        ),
        (
            "every pair",
            "That is no probe.\nIt is str.\nGive a miscope.Probe, or the inputs alone, (N, ...), as a tensor.",
        ),
        (
            own.pairs(labels=own.SUMS[:3]),
            "The labels of the probe 'pairs' does not fit.\n"
            "It is of the shape (3,); there are 25 inputs.\nChange it and give it again; nothing was written.",
        ),
        (
            own.pairs(grid=("b", "a")),
            "The grid of the probe 'pairs' does not fit.\n"
            "b and a do not run through every combination once, the last fastest.\n"
            "Change it and give it again; nothing was written.",
        ),
        (
            own.pairs(columns={"a": own.SUMS / 2}),
            "The column 'a' of the probe 'pairs' does not fit.\n"
            "It holds float32, and whole numbers are needed.\nChange it and give it again; nothing was written.",
        ),
    ],
)
def test_a_probe_that_does_not_fit_is_refused(probe: Any, text: str):
    with pytest.raises(BadValue) as error:
        described(Halves(), Given(probe=probe))
    assert str(error.value) == text
