"""An instrument of a variant that is built on others looks at these too: their networks, weights, probes and bases."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, final

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from miscope.analyzer import Analyzer, Grain
from miscope.basis import Basis
from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.cli.records import describe_analyzer
from miscope.errors import BadValue, DoesNotApply, NoArtifact
from miscope.figures.render import render
from miscope.needs import Needs
from miscope.outcome import State
from miscope.snapshot import Snapshot, Trajectory
from miscope.source import Source
from miscope.source_checkpoint import SourceCheckpoint
from miscope.testing import ToyParams, check_analyzer, check_view, tables
from miscope.testing.toy import ToyVariation
from miscope.testing.toy_autoencoder import RECONSTRUCTED, ToyAutoencoder
from miscope.view import View, ViewData


def loss_with(source: SourceCheckpoint, replacement: Callable[[Tensor], Tensor]) -> float:
    """The source's mean loss on its probe, with the activation at the site replaced."""
    probe = source.probe
    hooks = [(source.source.site, replacement)]
    logits = source.model.answers(source.weights, probe.inputs, ["logits"], hooks=hooks)["logits"]
    assert probe.labels is not None
    return float(cross_entropy(logits.double(), probe.labels))


def spliced(shown: Snapshot) -> dict[str, np.ndarray]:
    """The source's loss with its activations replaced by the autoencoder's reconstructions, and as it is."""
    (source,) = shown.sources

    def reconstructed(there: Tensor) -> Tensor:
        assert shown.model is not None
        return shown.model.answers(shown.weights, there[:, -1], [RECONSTRUCTED])[RECONSTRUCTED][:, None]

    return {
        "spliced": np.array(loss_with(source, reconstructed)),
        "own": np.array(loss_with(source, lambda there: there)),
    }


def at_the_end(shown: Trajectory) -> dict[str, np.ndarray]:
    """How many steps there are, and the source's loss."""
    (source,) = shown.sources
    return {"steps": np.array(len(shown.steps)), "own": np.array(loss_with(source, lambda there: there))}


def counted(shown: Snapshot) -> dict[str, np.ndarray]:
    """What an instrument sees of sources that it did not ask for."""
    return {"count": np.array(len(shown.sources))}


def draw(shown: ViewData) -> Any:
    """The source's own loss."""
    import plotly.graph_objects as go

    return go.Figure(go.Scatter(x=[0], y=[float(shown.artifacts["sae.spliced"]["own"])]))


SPLICED = Analyzer(
    name="sae.spliced",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=spliced,
    needs=Needs(weights=("*",), model=True, sources=True),
    outputs={"spliced": "() the source's loss with the reconstruction", "own": "() its loss"},
)
ENDING = Analyzer(
    name="sae.ending", version=1, grain=Grain.TRAJECTORY, compute=at_the_end, needs=Needs(metrics=("*",), sources=True)
)
UNASKED = Analyzer(
    name="sae.other", version=1, grain=Grain.CHECKPOINT, compute=counted, needs=Needs(weights=("W_dec",))
)
VIEW = View(name="sae.loss", title="Loss", grain=Grain.CHECKPOINT, draw=draw, needs=Needs(reads=("sae.spliced",)))


def place(root: Path, *records: Any) -> BoundWorkspace:
    return open_bound(root, tables(ToyAutoencoder(), SPLICED, ENDING, UNASKED, VIEW, *records))


def trained(variant: BoundVariant, **session: Any) -> BoundVariant:
    for _ in variant.train(threads=1, **session):
        pass
    return variant


def child_in(workspace: BoundWorkspace, parent: str = "toy.sum") -> BoundVariant:
    source = trained(workspace.variant(parent))
    return trained(workspace.variant("toy.autoencoder", variant=source.name), steps=20)


@pytest.fixture
def child(tmp_path: Path) -> BoundVariant:
    return child_in(place(tmp_path))


def loss_by_hand(parent: BoundVariant, changed: Callable[[Tensor], Tensor]) -> float:
    """Of the toy at step 30, written out."""
    weights = parent.at(30).checkpoint.weights
    tokens = torch.cartesian_prod(torch.arange(5), torch.arange(5))
    embed = weights["W_E"][tokens].sum(1)
    post = changed(torch.relu(embed @ weights["blocks.0.mlp.W_in"]))
    logits = (embed + post @ weights["blocks.0.mlp.W_out"]) @ weights["W_U"]
    answers = logits.double().log_softmax(1)[torch.arange(25), tokens.sum(1) % 5]
    return -float(answers.mean())


def test_an_instrument_splices_a_reconstruction_into_the_network_it_is_of(child: BoundVariant) -> None:
    list(child.analyze("sae.spliced"))
    parent = child.workspace.find(child.value.params.model_dump()["variant"])
    for step in child.steps:
        weights = child.at(step).checkpoint.weights

        def reconstructed(x: Tensor, w: Mapping[str, Tensor] = weights) -> Tensor:
            return torch.relu((x - w["b_dec"]) @ w["W_enc"] + w["b_enc"]) @ w["W_dec"] + w["b_dec"]

        arrays = child.arrays("sae.spliced", step)
        assert float(arrays["spliced"]) == pytest.approx(loss_by_hand(parent, reconstructed), rel=1e-5)
        assert float(arrays["own"]) == pytest.approx(loss_by_hand(parent, lambda x: x), rel=1e-5)
    assert float(child.arrays("sae.spliced", 0)["spliced"]) > float(arrays["own"]) + 0.01


def test_an_instrument_over_training_and_one_that_watches_see_the_source_too(child: BoundVariant) -> None:
    list(child.analyze("sae.ending", "sae.spliced"))
    own = float(child.arrays("sae.spliced", 20)["own"])
    ending = child.arrays("sae.ending")
    assert (int(ending["steps"]), float(ending["own"])) == (len(child.steps), pytest.approx(own, rel=1e-12))
    other = trained(child.workspace.variant("toy.autoencoder", variant=PARENT, seed=1), steps=2, watch=["sae.spliced"])
    assert other.metric("sae.spliced/own")[1] == pytest.approx(own, rel=1e-12)


PARENT = "toy.sum/v5-seed0-width16"


def test_sources_are_shown_to_nobody_who_did_not_declare_them(child: BoundVariant) -> None:
    list(child.analyze("sae.other"))
    assert int(child.arrays("sae.other", 20)["count"]) == 0


def test_the_test_kit_checks_an_instrument_of_sources_and_its_view_on_a_parent_that_it_trains() -> None:
    family, params = ToyAutoencoder(), {"variant": PARENT, "step": 20}
    assert check_analyzer(SPLICED, family, plugins=tables(family, SPLICED), params=params) == ()
    check_view(VIEW, family, plugins=tables(family, SPLICED, VIEW), params=params)
    with pytest.raises(AssertionError) as told:
        check_analyzer(SPLICED)
    assert str(told.value).startswith("sae.spliced has nothing to look at: it is built on no other variant;")


def test_the_test_kit_tells_what_a_family_that_is_built_on_others_lacks() -> None:
    family, lacking = ToyAutoencoder(), replace(SPLICED, needs=replace(SPLICED.needs, labels=True))
    with pytest.raises(AssertionError) as told:
        check_analyzer(lacking, family, plugins=tables(family, lacking), params={"variant": PARENT, "step": 20})
    assert str(told.value) == (
        "sae.spliced has nothing to look at: the probe 'grid' of toy.autoencoder has no labels.\n"
        "Pass check_analyzer a family that has it."
    )


def test_what_an_instrument_declares_is_told_and_its_numbers_depend_on_a_probe(child: BoundVariant) -> None:
    assert describe_analyzer(child.workspace.value.plugins, ENDING)["needs"] == {"metrics": ["*"], "sources": True}
    assert ENDING.needs.probed
    assert not UNASKED.needs.probed


def test_an_instrument_of_sources_does_not_apply_to_what_is_built_on_none(child: BoundVariant) -> None:
    parent = child.workspace.find(PARENT)
    with pytest.raises(DoesNotApply) as asked:
        list(parent.analyze("sae.spliced"))
    with pytest.raises(DoesNotApply) as read:
        parent.arrays("sae.spliced", 30)
    with pytest.raises(DoesNotApply) as drawn:
        render(parent.workspace.value, VIEW, parent.value)
    assert asked.value.reason == read.value.reason == drawn.value.reason == "it is built on no other variant"


def test_a_source_has_the_bases_and_the_parameters_of_its_family(tmp_path: Path) -> None:
    child = child_in(place(tmp_path), "toy.fourier")
    context = child.workspace.value.context(child.value)
    (source,) = context.sources
    assert set(source.bases) == {"token", "a", "b", "sum"}
    assert source.params == ToyParams()
    # Those of the columns of its probe, which are its parent's.
    assert {name: basis.size for name, basis in context.bases.items()} == {"a": 5, "b": 5, "sum": 5}


def test_a_source_that_went_is_told_to_who_analyzes_and_to_who_reads(child: BoundVariant) -> None:
    list(child.analyze("sae.spliced"))
    shutil.rmtree(child.workspace.store.layout.variant(PARENT))
    again = place(child.workspace.root).find(child.name)
    asks: Sequence[Callable[[], object]] = (
        lambda: list(again.analyze("sae.ending")),
        lambda: again.arrays("sae.spliced", 20),
    )
    for ask in asks:
        with pytest.raises(BadValue) as error:
            ask()
        told = str(error.value).splitlines()
        assert told[0] == f"{child.name} is built on {PARENT}, which is not in this workspace."
        assert told[2] == "Train or import it first, or name another."


class BesideParams(ToyParams):
    """The toy's, and the variant beside which it is looked at."""

    variant: str
    """Its name."""


@final
class ToyBeside(ToyVariation):
    """The toy, looked at beside another variant: neither its model nor its probe needs that one."""

    name = "toy.beside"
    title = "Toy: beside another"
    params = BesideParams

    def bases(self, params: Any) -> Mapping[str, Basis]:
        return {}

    def sources(self, params: Any) -> Sequence[Source]:
        return (
            Source(variant=params.variant, step=30, site="blocks.0.mlp.hook_post"),
            Source(variant=params.variant, step=10, site="blocks.0.mlp.hook_post"),
        )


def moved(shown: Snapshot) -> dict[str, np.ndarray]:
    """Step of each source, and how far its embedding is from the variant's."""
    return {
        "of_step": np.array([source.source.step for source in shown.sources]),
        "off": np.array([float((source.weights["W_E"] - shown.weights["W_E"]).norm()) for source in shown.sources]),
    }


MOVED = Analyzer(
    name="toys.moved", version=1, grain=Grain.CHECKPOINT, compute=moved, needs=Needs(weights=("W_E",), sources=True)
)


def test_sources_come_in_the_order_in_which_the_family_names_them(tmp_path: Path) -> None:
    workspace = place(tmp_path, ToyBeside(), MOVED)
    parent = trained(workspace.variant("toy.sum"))
    beside = trained(workspace.variant("toy.beside", variant=parent.name))
    list(beside.analyze("toys.moved"))
    arrays = beside.arrays("toys.moved", 10)
    assert arrays["of_step"].tolist() == [30, 10]
    embeddings = [parent.at(step).checkpoint.weights["W_E"] for step in (30, 10)]
    assert arrays["off"] == pytest.approx([float((each - embeddings[1]).norm()) for each in embeddings], abs=1e-6)
    assert arrays["off"][0] > 0


def test_a_source_that_was_changed_is_a_failure_and_not_something_that_does_not_apply(tmp_path: Path) -> None:
    workspace = place(tmp_path, ToyBeside(), MOVED)
    parent = trained(workspace.variant("toy.sum"))
    beside = trained(workspace.variant("toy.beside", variant=parent.name), steps=10)
    checkpoint = parent.at(30).checkpoint
    checkpoint.weights["W_E"][0, 0] += 1
    workspace.store.save_checkpoint(parent.name, checkpoint)
    again = place(tmp_path, ToyBeside(), MOVED).find(beside.name)
    outcomes = list(again.analyze("toys.moved"))
    first = f"{beside.name} is built on step 30 of {parent.name}, and that checkpoint was changed since."
    assert [(one.state, one.error.splitlines()[0]) for one in outcomes] == [(State.FAILED, first)] * len(again.steps)
    with pytest.raises(NoArtifact) as read:
        again.arrays("toys.moved", 10)
    assert first in str(read.value)


def a_hook(source: Any) -> None:
    source.model.module.hook_post.register_forward_hook(lambda point, given, out: 2 * out)


def a_parameter(source: Any) -> None:
    source.model.module.W_E[0] += 1


def training_mode(source: Any) -> None:
    source.model.module.train()


def another_parameter(source: Any) -> None:
    source.model.module.W_E = torch.nn.Parameter(torch.zeros(5, 8))


def a_weight(source: Any) -> None:
    source.weights["W_U"].mul_(2)


def the_flags_of_a_weight(source: Any) -> None:
    source.weights["W_U"].requires_grad_(True)


def a_gradient_of_a_weight(source: Any) -> None:
    source.weights["W_U"].requires_grad_(True).grad = torch.ones(8, 5)
    source.weights["W_U"].requires_grad_(False)


def the_labels(source: Any) -> None:
    source.probe.labels.unsqueeze_(0)


def a_basis(source: Any) -> None:
    source.bases["sum"].rows[1] *= 2


MODEL = "Run the model on weights and hooks given to `model.run`, or change a copy: `copy.deepcopy(model.module)`."
COPY = "Copy before writing: `.clone()` of a tensor, `.copy()` of an array, no `*_` methods and no `out=`."


def spoiling(write: Callable[[Any], None]) -> Analyzer:
    def spoil(shown: Snapshot) -> dict[str, np.ndarray]:
        write(shown.sources[0])
        return {"x": np.zeros(1)}

    return Analyzer(
        name="sae.first", version=1, grain=Grain.CHECKPOINT, compute=spoil, needs=Needs(weights=("*",), sources=True)
    )


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> BoundVariant:
    child = child_in(place(tmp_path_factory.mktemp("untouched")), "toy.fourier")
    list(child.analyze("sae.spliced"))
    return child


@pytest.mark.parametrize(
    ("write", "what", "cure"),
    [
        (a_hook, "hooks of the source model's 'hook_post'", MODEL),
        (a_parameter, "the source model's own 'W_E'", MODEL),
        (training_mode, "the source model's training mode", MODEL),
        (another_parameter, "parts of the source model", MODEL),
        (a_weight, "the source's weights 'W_U'", COPY),
        (the_flags_of_a_weight, "the source's requires_grad flags", COPY),
        (a_gradient_of_a_weight, "the source's gradients", COPY),
        (the_labels, "the source's probe labels", COPY),
        (
            a_basis,
            "the source's bases 'token', the source's bases 'a', the source's bases 'b', the source's bases 'sum'",
            COPY,
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_instrument_that_changes_a_source_fails_alone(
    untouched: BoundVariant, write: Callable[[Any], None], what: str, cure: str
) -> None:
    workspace = place(untouched.workspace.root, spoiling(write))
    child = workspace.find(untouched.name)
    outcomes = list(child.analyze("sae.first", "sae.spliced", steps=[20], force=True))
    became = {name: one for one in outcomes for name in one.analyzers}
    assert became["sae.spliced"].state is State.SAVED
    assert became["sae.first"].error == (
        f"'sae.first' changed what it was shown: {what}.\n"
        "Others are shown the same: it was put back as it was for them, and this result was not kept.\n" + cure
    )
    for name, values in untouched.arrays("sae.spliced", 20).items():
        assert np.array_equal(values, child.arrays("sae.spliced", 20)[name])
    (source,) = workspace.value.context(child.value).sources
    assert not any(weight.requires_grad or weight.grad is not None for weight in source.weights.values())


@pytest.mark.parametrize(
    "write",
    [
        lambda source: source.weights.update(W_E=None),
        lambda source: source.bases.clear(),
        lambda source: setattr(source, "weights", {}),
    ],
)
def test_what_a_source_holds_cannot_be_exchanged(untouched: BoundVariant, write: Callable[[Any], None]) -> None:
    (source,) = untouched.workspace.value.context(untouched.value).sources
    with pytest.raises(AttributeError):
        write(source)
