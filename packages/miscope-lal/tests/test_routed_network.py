"""The routed network: its size, and its algebra against the same network built of PyTorch's own layers."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor, nn

from miscope.patterns import matches
from miscope_lal import open_model, routed_pass
from miscope_lal.open_model import OpenModel
from miscope_lal.routed_weights import NO_DECAY, RoutedSizes

SMALL = RoutedSizes(p=5, d_model=8, layers=3, heads=4)


class Gate(nn.Module):
    def __init__(self, d: int, heads: int) -> None:
        super().__init__()
        self.of_state, self.of_stream, self.out = nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, heads)

    def forward(self, state: Tensor, stream: Tensor) -> Tensor:
        return torch.softmax(self.out(nn.functional.gelu(self.of_state(state) + self.of_stream(stream))), dim=-1)


class Layer(nn.Module):
    """As written down: a loop over heads, each a network of its own."""

    def __init__(self, d: int, heads: int) -> None:
        super().__init__()
        self.gate, self.norm, self.update = Gate(d, heads), nn.LayerNorm(d), nn.Linear(2 * d, d)
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d)) for _ in range(heads)
        )

    def forward(self, stream: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        taken = self.gate(state, stream)
        update = sum(taken[:, k, None] * head(stream) for k, head in enumerate(self.heads))
        stream = self.norm(stream + update)
        return stream, self.update(torch.cat([state, stream], dim=-1)), taken


class Written(nn.Module):
    """The whole network as its description has it, the last layer's update of the state too, which nothing reads."""

    def __init__(self, sizes: RoutedSizes) -> None:
        super().__init__()
        d = sizes.d_model
        self.embed, self.begin, self.out = nn.Linear(2 * sizes.p, d), nn.Linear(d, d), nn.Linear(d, sizes.p)
        self.layers = nn.ModuleList(Layer(d, sizes.heads) for _ in range(sizes.layers))

    def forward(self, inputs: Tensor) -> tuple[Tensor, list[Tensor]]:
        stream = self.embed(inputs)
        state, routing = self.begin(stream), []
        for layer in self.layers:
            stream, state, taken = layer(stream, state)
            routing.append(taken)
        return self.out(stream), routing


def fill(written: Written, weights: dict[str, Tensor]) -> None:
    """Lay weights by role into the layers."""

    def put(linear: nn.Module, weight: Tensor, bias: Tensor) -> None:
        linear.weight.data, linear.bias.data = weight.T.contiguous(), bias.clone()  # type: ignore[union-attr]

    put(written.embed, torch.cat([weights["W_E.a"], weights["W_E.b"]]), weights["b_E"])
    put(written.begin, weights["routing.W_begin"], weights["routing.b_begin"])
    put(written.out, weights["W_U"], weights["b_U"])
    for number, layer in enumerate(written.layers):
        of = {n.removeprefix(f"blocks.{number}."): w for n, w in weights.items() if n.startswith(f"blocks.{number}.")}
        assert isinstance(layer, Layer)
        put(layer.gate.of_state, of["routing.W_gate_state"], of["routing.b_gate_state"])
        put(layer.gate.of_stream, of["routing.W_gate_resid"], of["routing.b_gate_resid"])
        put(layer.gate.out, of["routing.W_gate"], of["routing.b_gate"])
        layer.norm.weight.data, layer.norm.bias.data = of["ln.w"].clone(), of["ln.b"].clone()
        if "routing.b_update" in of:
            both = torch.cat([of["routing.W_update_state"], of["routing.W_update_resid"]])
            put(layer.update, both, of["routing.b_update"])
        for k, head in enumerate(layer.heads):
            own = slice(k * 4 * len(of["ln.w"]), (k + 1) * 4 * len(of["ln.w"]))
            put(head[0], of["mlp.W_in"][:, own], of["mlp.b_in"][own])  # type: ignore[index]
            put(head[2], of["mlp.W_out"][own], of["mlp.b_out"][k])  # type: ignore[index]


def one_hot_pairs(p: int) -> Tensor:
    a, b = torch.cartesian_prod(torch.arange(p), torch.arange(p)).T
    return torch.cat([torch.eye(p)[a], torch.eye(p)[b]], dim=1)


def pair(sizes: RoutedSizes) -> tuple[Written, dict[str, Tensor], Tensor]:
    weights = {role: 1.5 * weight.double() for role, weight in sizes.initial_weights(3).items()}
    written = Written(sizes).double()
    fill(written, weights)
    return written, weights, one_hot_pairs(sizes.p).double()


@pytest.mark.parametrize(("p", "count"), [(17, 2_397_345), (113, 2_434_305)])
def test_with_the_last_update_that_nothing_reads_there_are_as_many_weights_as_published(p, count):
    d = 128
    unread = 2 * d * d + d
    assert RoutedSizes(p=p, d_model=d, layers=4, heads=4).count_parameters() + unread == count


def test_the_network_written_out_has_as_many():
    unread = 2 * 8 * 8 + 8
    assert SMALL.count_parameters() + unread == sum(w.numel() for w in Written(SMALL).parameters())


@pytest.mark.parametrize("heads", [1, 4])
def test_batched_heads_compute_what_a_loop_over_heads_does(heads):
    sizes = RoutedSizes(p=5, d_model=8, layers=3, heads=heads)
    written, weights, inputs = pair(sizes)
    logits, routing = written(inputs)
    names = [f"blocks.{layer}.routing.hook_weights" for layer in range(3)]
    seen = routed_pass.run(weights, inputs, ["logits", *names])
    torch.testing.assert_close(seen["logits"][:, 0], logits)
    torch.testing.assert_close(routed_pass.logits(weights, inputs), logits)
    for name, taken in zip(names, routing, strict=True):
        torch.testing.assert_close(seen[name][:, 0], taken)


def test_gradients_are_those_of_the_loop():
    written, weights, inputs = pair(SMALL)
    written(inputs)[0].square().sum().backward()
    leaves = {role: weight.requires_grad_() for role, weight in weights.items()}
    routed_pass.logits(leaves, inputs).square().sum().backward()
    assert all(leaf.grad is not None for leaf in leaves.values())
    torch.testing.assert_close(leaves["W_U"].grad, written.out.weight.grad.T)  # type: ignore[union-attr]
    first = written.layers[0]
    assert isinstance(first, Layer)
    torch.testing.assert_close(leaves["blocks.0.routing.W_gate"].grad, first.gate.out.weight.grad.T)  # type: ignore[union-attr]
    torch.testing.assert_close(leaves["blocks.0.mlp.W_in"].grad[:, 64:96], first.heads[2][0].weight.grad.T)  # type: ignore[index]


def test_second_derivatives_are_exact():
    weights = {
        role: w.double() for role, w in RoutedSizes(p=2, d_model=3, layers=2, heads=2).initial_weights(0).items()
    }
    inputs = one_hot_pairs(2).double().requires_grad_()
    assert torch.autograd.gradgradcheck(lambda x: routed_pass.logits(weights, x), (inputs,))


def test_routing_weights_begin_almost_uniform_and_lie_on_the_simplex():
    sizes = RoutedSizes(p=5, d_model=32, layers=2, heads=4)
    taken = routed_pass.run(sizes.initial_weights(0), one_hot_pairs(5), ["blocks.1.routing.hook_weights"])
    taken = taken["blocks.1.routing.hook_weights"]
    torch.testing.assert_close(taken.sum(-1), torch.ones(25, 1))
    assert float((taken - 0.25).abs().max()) < 0.05


def test_the_first_weights_are_spread_as_pytorchs_layers_begin():
    weights, d = RoutedSizes(p=17, d_model=64, layers=2, heads=4).initial_weights(1), 64
    bounds = {
        "W_E.a": 34**-0.5, "b_E": 34**-0.5, "routing.W_begin": d**-0.5, "blocks.0.routing.W_update_resid": 128**-0.5,
        "blocks.0.mlp.W_in": d**-0.5, "blocks.1.mlp.W_out": 256**-0.5, "blocks.1.mlp.b_out": 256**-0.5,
        "blocks.0.routing.W_gate": 0.1 * (6 / 68) ** 0.5, "W_U": d**-0.5,
    }  # fmt: skip
    for role, bound in bounds.items():
        assert 0.9 * bound < float(weights[role].abs().max()) <= bound, role
    assert (weights["blocks.0.routing.b_gate"] == 0).all()
    assert (weights["blocks.1.ln.w"] == 1).all()
    assert (weights["blocks.1.ln.b"] == 0).all()


def test_what_is_put_into_a_site_counts_downstream():
    weights, inputs = SMALL.initial_weights(0), one_hot_pairs(5)
    to_one_head = torch.eye(4)[2].expand(25, 1, 4)
    site, before = "blocks.1.routing.hook_weights", "blocks.0.hook_resid_post"
    hooked = routed_pass.run(weights, inputs, [site, before, "logits"], hooks=[(site, lambda w: to_one_head)])
    clean = routed_pass.run(weights, inputs, [before, "logits"])
    assert torch.equal(hooked[site], to_one_head)
    assert torch.equal(hooked[before], clean[before])
    assert not torch.allclose(hooked["logits"], clean["logits"])


def test_the_neurons_of_all_heads_lie_side_by_side_and_can_be_replaced():
    _, weights, inputs = pair(SMALL)
    sites = [f"blocks.1.{name}" for name in ("hook_resid_pre", "mlp.hook_pre", "mlp.hook_post", "hook_mlp_out")]
    seen = routed_pass.run(weights, inputs, [*sites, "logits", "blocks.1.routing.hook_weights"])
    before, pre, post, out = (seen[site] for site in sites)
    W_in, b_in, W_out = (weights[f"blocks.1.mlp.{name}"] for name in ("W_in", "b_in", "W_out"))
    torch.testing.assert_close(pre, before @ W_in + b_in)
    torch.testing.assert_close(post, torch.nn.functional.gelu(pre))
    same = routed_pass.run(weights, inputs, ["logits"], hooks=[(sites[2], lambda given: given.clone())])
    assert torch.equal(same["logits"], seen["logits"])

    def one_less(given: Tensor) -> Tensor:
        return given.index_fill(-1, torch.tensor([70]), 0.0)

    without = routed_pass.run(weights, inputs, [sites[3]], hooks=[(sites[2], one_less)])[sites[3]]
    taken = seen["blocks.1.routing.hook_weights"][..., 2:3]
    torch.testing.assert_close(out - without, taken * post[..., 70:71] * W_out[70])


def test_decay_is_for_matrices_that_are_neither_embedding_nor_gate():
    names = [role.name for role in RoutedSizes(p=5, d_model=8, layers=2, heads=2).roles]
    decayed = {name for name in names if not any(matches(name, pattern) for pattern in NO_DECAY)}
    assert decayed == {
        "routing.W_begin", "blocks.0.routing.W_update_state", "blocks.0.routing.W_update_resid",
        "blocks.0.mlp.W_in", "blocks.0.mlp.W_out", "blocks.1.mlp.W_in", "blocks.1.mlp.W_out", "W_U",
    }  # fmt: skip
    spared = set(names) - decayed
    assert spared == {
        "W_E.a", "W_E.b", "b_E", "routing.b_begin", "blocks.0.routing.b_update", "b_U",
        *("blocks.{}.routing.{}_gate{}".format(*part) for part in product("01", "Wb", ("", "_state", "_resid"))),
        *(f"blocks.{n}.mlp.b_{way}" for n in "01" for way in ("in", "out")),
        *(f"blocks.{n}.ln.{part}" for n in "01" for part in "wb"),
    }  # fmt: skip


def test_many_inputs_are_run_in_parts_and_answer_as_each_alone(monkeypatch: pytest.MonkeyPatch):
    _, weights, inputs = pair(SMALL)
    model = OpenModel(routed_pass.run, roles=SMALL.roles, sites=routed_pass.sites(3))
    sites = ["logits", "blocks.1.routing.hook_weights"]
    whole, logits = model.answers(weights, inputs, sites), routed_pass.logits(weights, inputs)
    for module in (open_model, routed_pass):
        monkeypatch.setattr(module, "ROWS", 7)
    parts = model.answers(weights, inputs, sites)
    for site in sites:
        torch.testing.assert_close(parts[site], whole[site])
    torch.testing.assert_close(routed_pass.logits(weights, inputs), logits)
