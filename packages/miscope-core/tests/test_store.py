"""Files appear whole or not at all, are read back as they were, and a bad one is an error that names it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from miscope.artifact import ArtifactKey
from miscope.checkpoint import Checkpoint
from miscope.errors import BadFile, BadValue, NoArtifact, NoCheckpoint, UnknownName
from miscope.family import make_variant
from miscope.store import memory
from miscope.store.record_file import sealed
from miscope.store.store import Store
from miscope.store.training_state import TrainingState
from miscope.testing.toy import ToyFamily
from miscope.variant import Variant


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def variant(store: Store) -> Variant:
    made = make_variant(ToyFamily(), {"seed": 3})
    store.save_variant(made)
    return made


def key(variant: Variant, step: int | None, recipe: str = "abc") -> ArtifactKey:
    return ArtifactKey(variant=variant.name, analyzer="toy.norm", recipe=recipe, probe="grid@1", step=step)


def weights() -> dict[str, torch.Tensor]:
    return {"W_E": torch.arange(6.0).reshape(2, 3), "half": torch.ones(2, dtype=torch.bfloat16)}


def test_a_checkpoint_is_read_back_bit_for_bit_with_its_metrics(store: Store, variant: Variant):
    store.save_checkpoint(variant.name, Checkpoint(step=5, weights=weights(), metrics={"test_loss": 0.1}))
    loaded = store.load_checkpoint(variant.name, 5)
    assert loaded.step == 5
    assert loaded.metrics == {"test_loss": 0.1}
    assert {name: t.dtype for name, t in loaded.weights.items()} == {n: t.dtype for n, t in weights().items()}
    assert all(torch.equal(loaded.weights[name], tensor) for name, tensor in weights().items())


def test_single_roles_can_be_loaded_and_an_unknown_one_is_named(store: Store, variant: Variant):
    store.save_checkpoint(variant.name, Checkpoint(step=0, weights=weights()))
    assert list(store.load_checkpoint(variant.name, 0, ["W_E"]).weights) == ["W_E"]
    with pytest.raises(BadFile, match="It holds no 'W_U', but: W_E, half"):
        store.load_checkpoint(variant.name, 0, ["W_U"])


def test_equal_checkpoints_are_equal_files(store: Store, variant: Variant):
    one = store.save_checkpoint(variant.name, Checkpoint(step=0, weights=weights(), metrics={"a": 1.0})).read_bytes()
    two = store.save_checkpoint(variant.name, Checkpoint(step=0, weights=weights(), metrics={"a": 1.0})).read_bytes()
    assert one == two


def test_tensors_that_share_memory_are_saved_all_the_same(store: Store, variant: Variant):
    base = torch.randn(4, 4)
    store.save_checkpoint(variant.name, Checkpoint(step=0, weights={"W_E": base, "W_U": base.T}))
    assert torch.equal(store.load_checkpoint(variant.name, 0).weights["W_U"], base.T)


def test_steps_sort_as_numbers_and_pass_over_what_is_no_step(store: Store, variant: Variant):
    for step in (1000, 20, 3_000_000_000):
        store.save_checkpoint(variant.name, Checkpoint(step=step, weights=weights()))
    folder = store.layout.checkpoints(variant.name)
    for name in (".step_000000007.safetensors.123.abcd", "step_x.safetensors", "notes.txt"):
        (folder / name).touch()
    assert store.steps(variant.name) == [20, 1000, 3_000_000_000]


def test_steps_that_come_and_go_are_seen_at_the_next_look(
    store: Store, variant: Variant, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(memory, "time_ns", lambda: time.time_ns() + 10**10)  # so that the folders are at rest
    seen = []
    for step in (5, 10, 15):
        store.save_checkpoint(variant.name, Checkpoint(step=step, weights=weights()))
        store.save_arrays(key(variant, step), {"a": np.ones(2)})
        if step == 10:
            store.note_unfinite(variant.name, step, "'w' is NaN")
        seen.append((store.steps(variant.name), store.finite_steps(variant.name)))
        assert store.artifact_steps(variant.name, "toy.norm", "abc") == store.steps(variant.name)
        time.sleep(0.1)  # more than the grain of a disk's clock
    store.layout.checkpoint(variant.name, 5).unlink()
    seen.append((store.steps(variant.name), store.finite_steps(variant.name)))
    assert seen == [([5], [5]), ([5, 10], [5]), ([5, 10, 15], [5, 15]), ([10, 15], [15])]


def test_a_folder_at_rest_is_listed_once_and_one_that_changed_this_moment_each_time(
    store: Store, variant: Variant, monkeypatch: pytest.MonkeyPatch
):
    listed, listdir = [], os.listdir
    monkeypatch.setattr(os, "listdir", lambda folder: listed.append(str(folder)) or listdir(folder))
    store.save_checkpoint(variant.name, Checkpoint(step=5, weights=weights()))
    monkeypatch.setattr(memory, "time_ns", lambda: os.stat(store.layout.checkpoints(variant.name)).st_ctime_ns)
    listed.clear()
    assert store.steps(variant.name) == store.steps(variant.name) == [5]
    assert len(listed) == 2
    monkeypatch.setattr(memory, "time_ns", lambda: time.time_ns() + 10**10)
    store.steps(variant.name).append(7)
    assert store.finite_steps(variant.name) == store.steps(variant.name) == [5]
    assert len(listed) == 3


def test_files_at_rest_are_looked_at_once_for_a_record_and_for_arrays_over_steps_and_again_once_they_changed(
    store: Store, variant: Variant, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(memory, "time_ns", lambda: time.time_ns() + 10**10)
    for step in (5, 10):
        store.save_arrays(key(variant, step), {"a": np.full(2, step)})

    def stacked() -> list[int]:
        return store.stacked(variant.name, "toy.norm", "abc")["a"][:, 0].tolist()

    # The stack is written into the folder, which is then another.
    assert stacked() == stacked() == [5, 10]
    looked, scandir = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: looked.append(folder) or scandir(folder))
    assert stacked() == [5, 10]
    assert looked == []
    time.sleep(0.1)  # more than the grain of a disk's clock
    store.save_arrays(key(variant, 10), {"a": np.full(2, 11)})
    assert stacked() == [5, 11]
    record = store.variant_record(variant.name)
    assert store.variant_record(variant.name) is record
    store.save_variant(variant, device="cpu")
    assert store.variant_record(variant.name).facts["device"] == "cpu"


def test_a_missing_step_is_answered_with_the_nearest(store: Store, variant: Variant):
    for step in (0, 10, 20, 30):
        store.save_checkpoint(variant.name, Checkpoint(step=step, weights=weights()))
    with pytest.raises(NoCheckpoint) as raised:
        store.load_checkpoint(variant.name, 12)
    assert str(raised.value) == (
        "toy.sum/v5-seed3-width16 has no checkpoint at step 12.\n"
        "It has 4, from 0 to 30; nearest: 0, 10, 20.\n"
        "Ask for one of these steps."
    )


@pytest.mark.parametrize("damage", ["truncated", "empty", "foreign", "renamed"])
def test_a_damaged_checkpoint_is_an_error_that_names_it_and_the_others_load(
    store: Store, variant: Variant, damage: str
):
    for step in (0, 10):
        store.save_checkpoint(variant.name, Checkpoint(step=step, weights=weights()))
    bad = store.layout.checkpoint(variant.name, 10)
    content = {
        "truncated": bad.read_bytes()[:-10],
        "empty": b"",
        "foreign": b"PK\x03\x04 something else",
        "renamed": store.layout.checkpoint(variant.name, 0).read_bytes(),
    }
    bad.write_bytes(content[damage])
    assert store.steps(variant.name) == [0, 10]
    assert store.load_checkpoint(variant.name, 0).step == 0
    with pytest.raises(BadFile) as raised:
        store.load_checkpoint(variant.name, 10)
    assert raised.value.path == str(bad)


def test_a_training_state_is_read_back_whole(store: Store, variant: Variant):
    state = TrainingState(
        step=7,
        optimizer_state={
            "blocks.0.mlp.W_in": {"exp_avg": torch.ones(2), "exp_avg_sq": torch.zeros(2, dtype=torch.float64)}
        },
        weights={"W_E": torch.ones(1)},
        generators={"cpu": torch.get_rng_state()},
        facts={"param_groups": [{"lr": 0.1}]},
    )
    store.save_training_state(variant.name, state)
    store.save_training_state(variant.name, TrainingState(step=5), step=5)
    loaded = store.load_training_state(variant.name)
    assert loaded is not None
    assert (loaded.step, loaded.facts) == (7, {"param_groups": [{"lr": 0.1}]})
    assert torch.equal(loaded.generators["cpu"], torch.get_rng_state())
    assert loaded.optimizer_state["blocks.0.mlp.W_in"]["exp_avg_sq"].dtype == torch.float64
    assert store.load_training_state(variant.name, step=6) is None


@settings(max_examples=25, deadline=None)
@given(
    arrays=st.dictionaries(
        st.text("abW_./0", min_size=1, max_size=8),
        npst.arrays(
            st.sampled_from([np.float16, np.float32, np.float64, np.int64, np.bool_, np.dtype("U3")]),
            npst.array_shapes(min_dims=0, max_dims=3, max_side=3),
        ).filter(lambda array: array.ndim > 0 or array.dtype.kind != "U"),
        max_size=4,
    )
)
def test_arrays_are_read_back_as_they_were_whatever_their_type_and_name(tmp_path_factory, arrays):
    store, made = Store(tmp_path_factory.mktemp("store")), make_variant(ToyFamily(), {})
    store.save_arrays(key(made, 1), arrays)
    loaded = store.load_arrays(key(made, 1))
    assert list(loaded) == list(arrays)
    for name, array in arrays.items():
        assert loaded[name].dtype == array.dtype
        np.testing.assert_array_equal(loaded[name], array)


def test_an_artifact_nobody_computed_says_where_it_exists(store: Store, variant: Variant):
    store.save_arrays(key(variant, 10), {"a": np.zeros(1)})
    with pytest.raises(NoArtifact) as raised:
        store.load_arrays(key(variant, 20))
    assert str(raised.value) == (
        "No 'toy.norm' for toy.sum/v5-seed3-width16 at step 20.\n"
        "It exists at one other step, 10.\n"
        f"To compute it:  miscope analyze toy.sum/v5-seed3-width16 --only toy.norm --workspace {store.root}"
    )


def test_python_objects_are_refused_before_anything_is_written(store: Store, variant: Variant):
    with pytest.raises(BadValue, match=r"'toy\.norm' returned 'names' as an array of Python objects"):
        store.save_arrays(key(variant, 0), {"names": np.array([{}, None], dtype=object)})
    assert not store.layout.artifact(key(variant, 0)).parent.exists()


def test_a_pickle_in_an_npz_is_not_opened(store: Store, variant: Variant):
    path = store.save_arrays(key(variant, 0), {"a": np.zeros(1)})
    np.savez(path, a=np.array([print], dtype=object), allow_pickle=True)
    with pytest.raises(BadFile, match="no complete npz file of plain arrays"):
        store.load_arrays(key(variant, 0))


def test_a_file_replaced_by_another_is_read_anew(store: Store, variant: Variant):
    store.save_arrays(key(variant, 0), {"a": np.zeros(1)})
    assert store.load_arrays(key(variant, 0))["a"][0] == 0
    store.save_arrays(key(variant, 0), {"a": np.ones(2)})
    assert store.load_arrays(key(variant, 0))["a"].tolist() == [1, 1]


def test_what_is_read_cannot_be_changed_behind_other_readers(store: Store, variant: Variant):
    store.save_arrays(key(variant, 0), {"a": np.zeros(1)})
    with pytest.raises(ValueError, match="read-only"):
        store.load_arrays(key(variant, 0))["a"][0] = 1
    with pytest.raises(ValueError, match="cannot set WRITEABLE flag"):
        store.load_arrays(key(variant, 0))["a"].flags.writeable = True
    with pytest.raises(ValueError, match="cannot set WRITEABLE flag"):
        store.stacked(variant.name, "toy.norm", "abc")["a"].flags.writeable = True


def test_a_stack_is_the_steps_together_in_order(store: Store, variant: Variant):
    for step in (20, 0, 100):
        store.save_arrays(key(variant, step), {"a": np.full((2, 3), step, np.float16), "scalar": np.float64(step)})
    stack = store.stacked(variant.name, "toy.norm", "abc")
    assert stack["step"].tolist() == [0, 20, 100]
    assert stack["a"].shape == (3, 2, 3)
    assert stack["a"].dtype == np.float16
    assert stack["scalar"].tolist() == [0.0, 20.0, 100.0]
    assert list(store.stacked(variant.name, "toy.norm", "abc", ["scalar"])) == ["step", "scalar"]


def test_a_stack_follows_its_steps_as_they_come_change_and_go(store: Store, variant: Variant):
    def now() -> tuple[list[int], list[float]]:
        stack = Store(store.root).stacked(variant.name, "toy.norm", "abc")
        return stack["step"].tolist(), stack["a"].tolist()

    store.save_arrays(key(variant, 0), {"a": np.float64(0)})
    assert now() == ([0], [0])
    store.save_arrays(key(variant, 10), {"a": np.float64(1)})
    assert now() == ([0, 10], [0, 1])
    store.save_arrays(key(variant, 0), {"a": np.float64(7)})
    assert now() == ([0, 10], [7, 1])
    store.layout.artifact(key(variant, 10)).unlink()
    assert now() == ([0], [7])
    folder = store.layout.artifacts(variant.name, "toy.norm", "abc")
    assert len([path for path in folder.iterdir() if path.name.startswith(("stack-", "."))]) == 1


def test_an_array_of_changing_shape_cannot_be_stacked_and_the_others_can(store: Store, variant: Variant):
    store.save_arrays(key(variant, 0), {"a": np.zeros(2), "b": np.zeros(1)})
    store.save_arrays(key(variant, 10), {"a": np.zeros(3), "b": np.ones(1)})
    assert store.stacked(variant.name, "toy.norm", "abc", ["b"])["b"].tolist() == [[0], [1]]
    with pytest.raises(BadValue) as raised:
        store.stacked(variant.name, "toy.norm", "abc", ["a"])
    assert str(raised.value) == (
        "'a' of 'toy.norm' cannot be stacked over the steps.\n"
        "Its shape is (2,) at step 0 and (3,) at step 10.\n"
        "Return it with one shape at every checkpoint, or load it step by step."
    )


def test_a_bad_step_stops_the_stack_with_its_name(store: Store, variant: Variant):
    store.save_arrays(key(variant, 0), {"a": np.zeros(2)})
    path = store.save_arrays(key(variant, 10), {"a": np.zeros(2)})
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(BadFile, match=r"step_000000010\.npz"):
        store.stacked(variant.name, "toy.norm", "abc")


def test_a_stack_in_a_folder_one_may_only_read_is_given_from_memory(store: Store, variant: Variant, monkeypatch):
    store.save_arrays(key(variant, 0), {"a": np.zeros(2)})

    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "read-only")

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert store.stacked(variant.name, "toy.norm", "abc")["a"].shape == (1, 2)


def test_a_variant_record_says_everything_and_saving_it_again_changes_nothing(store: Store, variant: Variant):
    store.save_variant(variant, device="cpu")
    path = store.layout.record(variant.name)
    before = path.stat().st_ino
    store.save_variant(variant, device="cpu")
    assert path.stat().st_ino == before
    record = store.variant_record(variant.name)
    assert (record.family, record.slug, record.digest) == ("toy.sum", "v5-seed3-width16", variant.digest)
    assert record.params == {"values": 5, "seed": 3, "width": 16}
    assert record.facts["device"] == "cpu"
    assert store.variants() == [variant.name]


def test_a_longer_training_is_the_same_variant_and_another_digest_is_not(store: Store, variant: Variant):
    store.save_variant(make_variant(ToyFamily(), {"seed": 3}, {"steps": 99}))
    record = store.variant_record(variant.name)
    assert record.training is not None
    assert record.training["steps"] == 99
    path = store.layout.record(variant.name)
    path.write_bytes(sealed({**json.loads(path.read_text()), "digest": "0" * 16}))
    with pytest.raises(BadValue) as raised:
        store.save_variant(variant)
    assert str(raised.value) == (
        f"The folder of {variant.name} holds another variant.\n"
        f"It has digest 0000000000000000, and this one {variant.digest}.\n"
        f"Move {path.parent} away, or choose other parameters."
    )


def test_a_bad_record_is_named_and_listed_with_the_others(store: Store, variant: Variant):
    store.layout.record(variant.name).write_text("{")
    assert store.variants() == [variant.name]
    with pytest.raises(BadFile, match="It is no variant record"):
        store.variant_record(variant.name)
    with pytest.raises(UnknownName, match=r"There is no variant named 'toy\.sum/nope'"):
        store.variant_record("toy.sum/nope")


@pytest.mark.parametrize(
    "name", ["../etc/passwd", "toy.sum/../../x", "toy.sum/a/b", "/abs/olute", "toy.sum/.hidden", "toy"]
)
def test_no_name_leads_out_of_the_workspace(store: Store, name: str):
    with pytest.raises(BadValue):
        store.steps(name)


def test_killed_writers_leave_nothing_half_written_and_lose_nothing_finished(tmp_path: Path):
    """Twenty writers, each killed at a random moment while it saves without pause."""
    script = Path(__file__).parent / "killed_writers.py"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, script, tmp_path, "20"], check=True, env=environment)
    store = Store(tmp_path)
    name = store.variants()[0]
    finished = [line.split() for line in (tmp_path / "finished.log").read_text().splitlines()]
    assert len(finished) >= 20
    steps = store.steps(name)
    for kind, step in finished:
        if kind == "checkpoint":
            assert int(step) in steps
            assert store.load_checkpoint(name, int(step)).weights["W_E"][0, 0] == int(step)
        elif kind == "artifact":
            arrays = store.load_arrays(ArtifactKey(variant=name, analyzer="toy", recipe="r", probe="-", step=int(step)))
            assert arrays["a"][0] == int(step)
    assert all(store.load_checkpoint(name, step).step == step for step in steps)
    metrics = store.metrics(name)["loss"]
    recorded = sorted({int(step) for kind, step in finished if kind == "metrics"})
    assert set(recorded) <= set(metrics.steps.tolist())
    stack = store.stacked(name, "toy", "r", ["a"])
    assert (stack["a"][:, 0] == stack["step"]).all()
