"""A variant has one origin: a training never restarts what was brought, nor does an import touch what was trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from miscope.bound import BoundVariant, BoundWorkspace
from miscope.errors import BadValue
from miscope.store.origin import Origin, origin_of
from miscope.store.standing import keeps_optimizer

Make = Callable[..., BoundWorkspace]
NAME = "toy.sum/v5-seed0-width16"


@pytest.fixture
def place(workspace: Make) -> BoundWorkspace:
    return workspace()


def tensors(place: BoundWorkspace, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    roles = place.value.context(place.variant("toy.sum").value).model.roles
    return {name: torch.randn(role.shape, generator=generator) for name, role in roles.items()}


def brought(place: BoundWorkspace, folder: Path, *steps: int, losses: int = 0) -> BoundVariant:
    """The default toy, imported with checkpoints at these steps, the last with so many recorded losses."""
    for step in steps:
        content = {"model": tensors(place, step), "step": step}
        if losses and step == steps[-1]:
            content["train_losses"] = [1.0 / (i + 1) for i in range(losses)]
        torch.save(content, folder / f"step_{step}.pth")
    return place.adopt([folder / f"step_{step}.pth" for step in steps], family="toy.sum")[0]


def facts(variant: BoundVariant) -> Any:
    return variant.workspace.store.variant_record(variant.name).facts


def content(variant: BoundVariant) -> dict[str, bytes]:
    folder = variant.workspace.store.layout.variant(variant.name)
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.suffix != ".lock"}


def trained(variant: BoundVariant, **options: Any) -> None:
    for _ in variant.train(threads=1, **options):
        pass


def refused(do: Callable[[], object]) -> str:
    with pytest.raises(BadValue) as raised:
        do()
    return str(raised.value)


def test_nothing_is_imported_into_what_was_trained_here(place: BoundWorkspace, tmp_path: Path):
    variant = place.variant("toy.sum")
    trained(variant, steps=10)
    before = content(variant)
    save_file(tensors(place), tmp_path / "step_10.safetensors")
    assert refused(lambda: place.adopt(tmp_path / "step_10.safetensors", family="toy.sum")) == (
        f"{NAME} was trained here, so nothing is imported into it.\n"
        "It has 2 checkpoints, the last at step 10; step_10.safetensors would add to them or replace them.\n"
        f"To keep them apart:  miscope import ... --as NAME --workspace {place.root}; "
        "or give the parameter in which they differ (--param)."
    )
    assert content(variant) == before
    assert facts(variant)["origin"] == Origin.TRAINED == "trained here"


def test_an_import_under_a_name_of_its_own_leaves_the_trained_one_alone(place: BoundWorkspace, tmp_path: Path):
    variant = place.variant("toy.sum")
    trained(variant, steps=10)
    before = content(variant)
    save_file(tensors(place), tmp_path / "step_10.safetensors")
    (other,) = place.adopt(tmp_path / "step_10.safetensors", family="toy.sum", name="theirs")
    assert (other.name, other.steps) == (f"{NAME}@theirs", [10])
    assert content(variant) == before


def test_a_training_does_not_restart_what_was_imported(place: BoundWorkspace, tmp_path: Path):
    variant = brought(place, tmp_path, 100, 300)
    before = content(variant)
    assert refused(variant.train) == (
        f"{NAME} was imported: a training would begin anew at step 0 and replace what was brought here.\n"
        "It has 2 checkpoints, the last at step 300, and no optimizer state to go on with.\n"
        "To go on from step 300 with a fresh optimizer:  "
        f"miscope train {NAME} --warm --steps N --workspace {place.root}\n"
        f"To train one beside it:  miscope train {NAME} --as NAME --workspace {place.root}"
    )
    assert refused(lambda: variant.train(resume=False)) == (
        f"{NAME} cannot begin again at step 0: it was imported.\n"
        "It has 2 checkpoints, the last at step 300, which would be replaced.\n"
        f"To train one beside it:  miscope train {NAME} --as NAME --workspace {place.root}"
    )
    assert content(variant) == before
    assert facts(variant)["origin"] == "imported"


def test_an_import_goes_on_warm_from_its_last_weights_and_says_so(place: BoundWorkspace, tmp_path: Path):
    variant = brought(place, tmp_path, 100, 300, losses=300)
    trained(variant, warm=True, steps=320)
    assert variant.steps == [100, 300, 310, 320]
    assert torch.equal(variant.at(300).checkpoint.weights["W_E"], tensors(place, 300)["W_E"])
    assert variant.metric("train_loss")[0].tolist() == [*range(300), *range(301, 321)]
    assert facts(variant)["warm"] == {"from": NAME, "step": 300, "optimizer": "fresh"}
    assert facts(variant)["origin"] == "imported"
    trained(variant, steps=330)
    assert variant.steps == [100, 300, 310, 320, 330]


def test_the_first_update_of_a_warm_training_is_that_of_a_fresh_optimizer_on_those_weights(
    place: BoundWorkspace, tmp_path: Path
):
    variant = brought(place, tmp_path, 300)
    trained(variant, warm=True, steps=301)
    before, after = (variant.at(step).checkpoint.weights["W_E"] for step in (300, 301))
    # Adam's first step is the learning rate in every entry with a gradient; AdamW shrinks the weights by lr * wd first.
    moved = after - before * (1 - 1e-2)
    assert torch.allclose(moved.abs(), torch.full_like(moved, 1e-2), rtol=1e-3)


def test_a_resumed_warm_training_equals_one_in_one_go(place: BoundWorkspace, tmp_path: Path):
    variant = brought(place, tmp_path, 300, losses=300)
    one, two = variant.labelled("one"), variant.labelled("two")
    trained(one, warm=True, steps=320)
    trained(two, warm=True, steps=307)
    trained(two, warm=True, steps=320)
    assert torch.equal(one.at(320).checkpoint.weights["W_U"], two.at(320).checkpoint.weights["W_U"])


def test_a_labelled_variant_branches_off_warm_and_the_other_stays(place: BoundWorkspace, tmp_path: Path):
    variant = brought(place, tmp_path, 300, losses=400)
    before = content(variant)
    assert refused(lambda: variant.train(warm=True, steps=320)) == (
        f"{NAME} cannot go on from its last checkpoint, at step 300.\n"
        "It has metrics up to step 399, which would be replaced.\n"
        f"To go on beside it:  miscope train {NAME} --warm --as NAME --workspace {place.root}"
    )
    branch = variant.labelled("branch")
    trained(branch, warm=True, steps=310)
    assert branch.steps == [300, 310]
    assert facts(branch)["warm"] == {"from": NAME, "step": 300, "optimizer": "fresh"}
    assert content(variant) == before
    assert refused(lambda: branch.train(resume=False)) == (
        f"{NAME}@branch cannot begin again at step 0: its training goes on from step 300 of {NAME}.\n"
        "It has 2 checkpoints, the last at step 310, which would be replaced.\n"
        f"To train one beside it:  miscope train {NAME}@branch --as NAME --workspace {place.root}"
    )


def test_what_was_trained_here_goes_on_with_its_own_optimizer_and_branches_off_warm(place: BoundWorkspace):
    variant = place.variant("toy.sum")
    trained(variant, steps=10)
    assert refused(lambda: variant.train(warm=True, steps=20)) == (
        f"{NAME} was trained here, and goes on with its own optimizer.\n"
        "It has 2 checkpoints, the last at step 10.\n"
        "Leave --warm out; or branch off with a fresh optimizer:  "
        f"miscope train {NAME} --warm --as NAME --workspace {place.root}"
    )
    branch = variant.labelled("fresh-optimizer")
    trained(branch, warm=True, steps=20)
    assert branch.steps == [10, 20]


def test_a_warm_training_says_where_it_would_begin_and_end(place: BoundWorkspace, tmp_path: Path):
    variant = brought(place, tmp_path, 300)
    assert refused(lambda: list(variant.train(warm=True))) == (
        f"{NAME} is at step 300 already.\n"
        "This training would go to step 300.\n"
        f"Say how far:  miscope train {NAME} --warm --steps 600 --workspace {place.root}"
    )
    assert refused(lambda: list(place.variant("toy.sum", seed=3).train(warm=True))) == (
        "toy.sum/v5-seed3-width16 cannot be trained warm: there are no weights to begin with.\n"
        "toy.sum/v5-seed3-width16 has no checkpoint.\n"
        "Leave --warm out to begin with the initialisation."
    )
    trained(place.variant("toy.sum", seed=4), steps=10)
    branch = place.variant("toy.sum", seed=4).labelled("b")
    assert refused(lambda: list(branch.train(warm=True, steps=5))) == (
        "toy.sum/v5-seed4-width16 is at step 10 already.\n"
        "This training would go to step 5.\n"
        f"Say how far:  miscope train toy.sum/v5-seed4-width16 --warm --as b --steps 20 --workspace {place.root}"
    )


def test_two_files_for_one_step_are_refused_and_neither_is_written(place: BoundWorkspace, tmp_path: Path):
    for seed in (0, 1):
        save_file(tensors(place, seed), tmp_path / f"seed{seed}_step_300.safetensors")
    assert refused(lambda: place.adopt(tmp_path, family="toy.sum")) == (
        "seed0_step_300.safetensors and seed1_step_300.safetensors are not of one training, "
        f"and both would be {NAME}.\n"
        "Both hold step 300, with other weights: W_E, blocks.0.mlp.W_in, blocks.0.mlp.W_out, W_U.\n"
        "Import one of them with the parameter in which they differ (--param), or under another name (--as NAME)."
    )
    assert place.names() == []


def test_a_checkpoint_that_is_there_is_never_replaced(place: BoundWorkspace, tmp_path: Path):
    variant = brought(place, tmp_path, 100)
    before = content(variant)
    (tmp_path / "others").mkdir()
    save_file(tensors(place, 7), tmp_path / "others" / "step_100.safetensors")
    assert refused(lambda: place.adopt(tmp_path / "others", family="toy.sum")).startswith(
        f"{NAME} and step_100.safetensors are not of one training, and both would be {NAME}.\n"
    )
    assert content(variant) == before


def test_files_of_one_name_from_two_folders_are_both_remembered(place: BoundWorkspace, tmp_path: Path):
    for step in (1, 2):
        (tmp_path / f"at{step}").mkdir()
        torch.save({"model": tensors(place, step), "step": step}, tmp_path / f"at{step}" / "model.pth")
    (variant,) = place.adopt([tmp_path / "at1", tmp_path / "at2"], family="toy.sum")
    assert {name: about["steps"] for name, about in facts(variant)["imported"].items()} == {
        "model.pth": [1],
        "at2/model.pth": [2],
    }


def test_an_earlier_step_brought_later_does_not_shorten_the_training(place: BoundWorkspace, tmp_path: Path):
    brought(place, tmp_path, 300)
    variant = brought(place, tmp_path, 100)
    assert variant.steps == [100, 300]
    assert variant.value.training is not None
    assert variant.value.training.steps == 300


@pytest.mark.parametrize(
    ("record", "origin"),
    [
        ({"versions": {}}, None),
        ({"device": "cpu"}, Origin.TRAINED),
        ({"imported": {}}, Origin.IMPORTED),
        ({"imported": {}, "device": "cpu"}, Origin.TRAINED),
        ({"origin": "metrics only", "imported": {}}, Origin.METRICS),
    ],
)
def test_records_from_before_origins_were_written_down_have_one(record: dict[str, object], origin: Origin | None):
    assert origin_of(record) == origin


def test_a_training_begins_again_only_if_it_goes_as_far(place: BoundWorkspace):
    variant = place.variant("toy.sum")
    trained(variant, steps=30)
    before = content(variant)
    assert refused(lambda: variant.train(resume=False, steps=20)) == (
        f"{NAME} cannot begin again up to step 20: later checkpoints would stay beside it.\n"
        "It has 4 checkpoints, the last at step 30.\n"
        "Train it as far:  --steps 30; delete its folder; or train one beside it:  --as NAME"
    )
    assert content(variant) == before


def test_a_training_that_begins_again_writes_every_checkpoint_anew(place: BoundWorkspace):
    """Those its own schedule leaves out too, and those left when it was stopped on the way."""
    variant = place.variant("toy.sum", checkpoints="every:10")
    trained(variant, steps=30)
    folder = place.store.layout.variant(variant.name)
    written = {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*.safetensors")) if "000" in path.name}
    other = place.variant("toy.sum", checkpoints="every:30")
    assert other.name == variant.name
    for progress in other.train(threads=1, resume=False, steps=30):
        if progress.step >= 10:
            break
    trained(other, steps=30)
    assert other.steps == [0, 10, 20, 30]
    assert len(written) == 4
    assert all(path.stat().st_mtime_ns > before for path, before in written.items())


@pytest.mark.parametrize(
    ("origin", "cure"),
    [
        (Origin.TRAINED, "train with save_optimizer=true, or watch it while it trains."),
        (Origin.RECORDED, "give `optimizer=` to recorder.checkpoint."),
        (Origin.IMPORTED, "checkpoints from elsewhere come without it."),
        (Origin.ELSEWHERE, "checkpoints from elsewhere come without it."),
    ],
)
def test_who_lacks_the_optimizers_state_is_told_what_keeps_it(place: BoundWorkspace, origin: Origin, cure: str) -> None:
    variant = place.variant("toy.sum")
    place.store.save_variant(variant.value, origin=origin.value)
    assert keeps_optimizer(place.store, variant.name) == cure
