"""The transformer's exact algebra against its hooked network, and the network against the field's own modules."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from miscope.model import LOGITS, cast
from miscope.shortcut_model import ShortcutModel
from miscope.testing import roundings
from miscope_lal import answer_algebra
from miscope_lal.transformer_architecture import Architecture, initial_weights
from miscope_lal.transformer_network import build_model

PRIME = 7

APART = 300
"""Roundings between two ways to one result: a few layers of sums of up to 64 terms, in another order."""

Weights = Mapping[str, Tensor]


def architecture(layers: int = 2, **fields: Any) -> Architecture:
    return Architecture(prime=PRIME, d_model=8, heads=2, layers=layers, **fields)


def large_weights(model: ShortcutModel) -> dict[str, Tensor]:
    """Large enough that attention is far from uniform, and no LayerNorm does nothing."""
    generator = torch.Generator().manual_seed(3)
    return {name: 0.5 * torch.randn(role.shape, generator=generator) for name, role in model.roles.items()}


def some_questions(operations: int = 1) -> Tensor:
    """Out of order, with repetitions, and without a single 4 as the first number."""
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randint(PRIME, (2, 30), generator=generator)
    a[a == 4] = 1
    operation = PRIME + torch.randint(operations, (30,), generator=generator)
    questions = torch.stack([a, operation, b, torch.full_like(a, PRIME + operations)], dim=1)
    return torch.cat([questions, questions[:5]])


Run = Callable[[Weights], Tensor]


def by_both(model: ShortcutModel, questions: Tensor) -> tuple[Run, Run]:
    """Logits by the exact algebra, and by the hooked network."""
    return (
        lambda weights: model.answers(weights, questions, [LOGITS])[LOGITS],
        lambda weights: model.hooked.answers(weights, questions, [LOGITS])[LOGITS],
    )


def derivatives(run: Run, weights: Weights, labels: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The gradient of the loss, and the Hessian's product with a vector of ones."""
    leaves = {name: w.double().requires_grad_() for name, w in weights.items()}
    loss = torch.nn.functional.cross_entropy(run(leaves), labels)
    first = torch.autograd.grad(loss, list(leaves.values()), create_graph=True)
    total = sum((gradient.sum() for gradient in first), loss.new_zeros(()))
    second = torch.autograd.grad(total, list(leaves.values()), allow_unused=True, materialize_grads=True)
    return dict(zip(leaves, first, strict=True)), dict(zip(leaves, second, strict=True))


KINDS = {
    "1 layer": architecture(1),
    "2 layers": architecture(2),
    "3 layers": architecture(3),
    "2 operations, tied": architecture(2, operations=2, tied=True),
    "1 layer, routed": architecture(1, ffn_heads=3),
    "3 layers, routed": architecture(3, ffn_heads=3),
}


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def kind(request: pytest.FixtureRequest) -> Architecture:
    return request.param


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_site_of_the_algebra_equals_the_hooked_networks(kind: Architecture, dtype: torch.dtype) -> None:
    model, questions = build_model(kind), some_questions(kind.operations)
    weights, sites = cast(large_weights(model), dtype), sorted(answer_algebra.sites(kind))
    with torch.no_grad():
        fast = model.answers(weights, questions, sites)
        slow = model.hooked.answers(weights, questions, sites)
    for site in sites:
        assert fast[site].dtype == dtype
        assert roundings(fast[site], slow[site]) < APART, site


def test_first_and_second_derivatives_are_the_hooked_networks(kind: Architecture) -> None:
    model, questions = build_model(kind), some_questions(kind.operations)
    labels = questions[:, :3:2].sum(1) % PRIME
    fast, slow = (derivatives(run, large_weights(model), labels) for run in by_both(model, questions))
    for order, (one, other) in enumerate(zip(fast, slow, strict=True), start=1):
        for name in other:
            assert roundings(one[name], other[name]) < 10**order * APART, (order, name)


@pytest.mark.parametrize("count", [1, 2])
def test_a_few_questions_are_answered_as_among_many(count: int) -> None:
    model, questions = build_model(architecture()), some_questions()
    weights = large_weights(model)
    with torch.no_grad():
        few, many = (model.answers(weights, asked, [LOGITS])[LOGITS] for asked in (questions[:count], questions))
    assert roundings(few, many[:count]) < APART


def test_more_questions_than_are_evaluated_at_a_time_are_all_answered() -> None:
    model, questions = build_model(architecture()), some_questions()
    weights, asked = large_weights(model), some_questions().repeat(150, 1)
    assert len(asked) > 2 * answer_algebra._ROWS
    with torch.no_grad():
        few, many = (model.answers(weights, each, [LOGITS])[LOGITS] for each in (questions, asked))
    assert roundings(many[-len(questions) :], few) < APART


def test_channels_are_entries_of_the_last_axis_and_logits_are_whole() -> None:
    model, questions, site = build_model(architecture()), some_questions(), "blocks.0.mlp.hook_post"
    weights = large_weights(model)
    with torch.no_grad():
        whole = model.answers(weights, questions, [site, LOGITS])
        part = model.answers(weights, questions, [site, LOGITS], channels=[2, 0])
    assert torch.equal(part[site], whole[site][:, [2, 0]])
    assert torch.equal(part[LOGITS], whole[LOGITS])


def test_inputs_of_another_form_go_through_the_network() -> None:
    kind = architecture(operations=2)
    model, equals = build_model(kind), kind.equals
    weights = large_weights(model)
    others = [[[1, 7, 2, 8]], [[1, 2, 7, equals]], [[9, 7, 1, equals]], [[1, 7, 2]], [[1, 7, 2, equals, 3]]]
    for other in map(torch.tensor, others):
        assert not answer_algebra.answerable(kind, other)
        with torch.no_grad():
            fast, slow = (run.answers(weights, other, [LOGITS])[LOGITS] for run in (model, model.hooked))
        assert torch.equal(fast, slow)
    assert answer_algebra.answerable(kind, torch.tensor([[0, 7, 6, equals], [6, 8, 0, equals]]))


@pytest.mark.parametrize("ffn_heads", [None, 3], ids=["plain", "routed"])
@pytest.mark.parametrize(("layers", "position"), [(1, 0), (2, 1), (2, 2)])
def test_no_stream_depends_on_what_comes_later(layers: int, position: int, ffn_heads: int | None) -> None:
    model, questions = build_model(architecture(layers, ffn_heads=ffn_heads)), some_questions()
    embedded: list[Tensor] = []

    def watched(embed: Tensor) -> Tensor:
        embedded.append(embed.detach().requires_grad_())
        return embedded[-1]

    site = f"blocks.{layers - 1}.hook_resid_post"
    stream = model.run(large_weights(model), questions, [site], hooks=[("hook_embed", watched)])[site]
    (slope,) = torch.autograd.grad(stream[:, position].pow(3).sum(), embedded)
    assert slope[:, : position + 1].abs().amax(dim=(0, 2)).min() > 0
    assert slope[:, position + 1 :].abs().max() == 0


def test_the_network_is_what_comes_after_its_embeddings() -> None:
    model, questions = build_model(architecture()), some_questions()
    model.hooked.run(large_weights(model), questions, [LOGITS])
    module = model.hooked.module
    assert torch.equal(module(questions), module.from_embeddings(module.embeddings(questions)))  # pyright: ignore


@pytest.mark.parametrize(
    ("prime", "tied", "count"), [(17, False, 401_041), (113, False, 425_713), (113, True, 425_713 - 113 * 129)]
)
def test_it_has_as_many_weights_as_the_original(prime: int, tied: bool, count: int) -> None:
    roles = Architecture(prime=prime, tied=tied).roles
    assert sum(torch.Size(role.shape).numel() for role in roles) == count


def test_it_begins_small_and_with_norms_that_do_nothing() -> None:
    state = torch.get_rng_state()
    weights = initial_weights(Architecture(prime=113), 0)
    assert torch.equal(torch.get_rng_state(), state), "it draws from a generator of its own"
    for name, tensor in weights.items():
        kind = name.rpartition(".")[2]
        if not kind.startswith("W_"):
            assert bool((tensor == float(kind == "w")).all()), name
        elif tensor.numel() >= 10_000:
            assert abs(float(tensor.std()) - 0.02) < 0.02 * 5 / (2 * tensor.numel()) ** 0.5, name


def test_a_gate_begins_nearly_undecided() -> None:
    kind = Architecture(prime=17, ffn_heads=4)
    weights, bound = initial_weights(kind, 0), 0.1 * (6 / (128 + 4)) ** 0.5
    gate = weights["blocks.1.routing.W_gate"]
    assert 0.9 * bound < float(gate.abs().max()) <= bound
    sites = [f"blocks.{layer}.routing.hook_weights" for layer in range(2)]
    taken = build_model(kind).answers(weights, torch.tensor([[3, 17, 4, 18], [16, 17, 0, 18]]), sites)
    for site in sites:
        assert taken[site].shape == (2, 4)
        assert roundings(taken[site].sum(-1), torch.ones(2)) < 4
        assert float((taken[site] - 0.25).abs().max()) < 0.01


def test_of_a_single_mlp_nothing_is_routed() -> None:
    routed, plain = build_model(architecture(ffn_heads=1)), build_model(architecture())
    weights, questions = large_weights(routed), some_questions()
    fewer = {name: weights[name].view(role.shape) for name, role in plain.roles.items()}
    with torch.no_grad():
        one, other = routed.run(weights, questions, [LOGITS]), plain.run(fewer, questions, [LOGITS])
    assert roundings(one[LOGITS], other[LOGITS]) < APART


def test_mlps_are_blended_by_their_gate() -> None:
    """Against a loop over the MLPs, of the block's own recorded activations."""
    model, questions, block = build_model(architecture(ffn_heads=3)), some_questions(), "blocks.1"
    weights = large_weights(model)
    names = [f"{block}.{name}" for name in ("ln2.hook_normalized", "routing.hook_weights", "hook_mlp_out")]
    with torch.no_grad():
        seen = model.run(weights, questions, names)
        normal, routing, written = (seen[name] for name in names)
        W_in, b_in, W_out, b_out = (weights[f"{block}.mlp.{name}"] for name in ("W_in", "b_in", "W_out", "b_out"))
        total = torch.zeros_like(written)
        for head in range(3):
            own = slice(32 * head, 32 * (head + 1))
            answer = torch.nn.functional.gelu(normal @ W_in[:, own] + b_in[own]) @ W_out[own] + b_out[head]
            total += routing[..., head, None] * answer
    assert roundings(written, total) < APART


def test_it_computes_what_pytorchs_own_layers_do() -> None:
    """A decoder-only transformer by `nn.TransformerEncoderLayer`, whose attention has biases, which are 0 here."""
    kind = architecture(1)
    model, questions = build_model(kind), some_questions()
    weights = {name: tensor.double() for name, tensor in large_weights(model).items()}
    layer = nn.TransformerEncoderLayer(8, 2, 32, dropout=0, activation="gelu", batch_first=True, norm_first=True)
    block = {role.removeprefix("blocks.0."): tensor for role, tensor in weights.items()}
    qkv = torch.cat([block[f"attn.W_{letter}"].transpose(1, 2).flatten(0, 1) for letter in "QKV"])
    layer.double().load_state_dict(
        {
            "self_attn.in_proj_weight": qkv,
            "self_attn.in_proj_bias": torch.zeros(24),
            "self_attn.out_proj.weight": block["attn.W_O"].flatten(0, 1).T,
            "self_attn.out_proj.bias": torch.zeros(8),
            "linear1.weight": block["mlp.W_in"].T,
            "linear1.bias": block["mlp.b_in"],
            "linear2.weight": block["mlp.W_out"].T,
            "linear2.bias": block["mlp.b_out"],
            **{f"norm{i}.weight": block[f"ln{i}.w"] for i in (1, 2)},
            **{f"norm{i}.bias": block[f"ln{i}.b"] for i in (1, 2)},
        }
    )
    mask = nn.Transformer.generate_square_subsequent_mask(4, dtype=torch.float64)
    with torch.no_grad():
        stream = layer(weights["W_E"][questions] + weights["W_pos"][:4], src_mask=mask, is_causal=True)
        final = torch.nn.functional.layer_norm(stream, (8,), weights["ln_final.w"], weights["ln_final.b"])
        expected = final[:, -1] @ weights["W_U"] + weights["b_U"]
        assert roundings(model.answers(weights, questions, [LOGITS])[LOGITS], expected) < APART
