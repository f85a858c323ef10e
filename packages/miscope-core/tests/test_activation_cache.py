"""Activations kept on disk: the same bits, for what decides them alone, within a limit, whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from miscope.asked_activations import AskedActivations
from miscope.bound import BoundVariant, open_bound
from miscope.checkpoint import Checkpoint
from miscope.errors import BadValue
from miscope.store.activation_cache import ActivationCache, CachedSize, size_limit
from miscope.testing import tables
from miscope.testing.toy_autoencoder import ToyAutoencoder

INPUTS = torch.randn(100, 6, generator=torch.Generator().manual_seed(0))
WEIGHT = torch.randn(6, 32, generator=torch.Generator().manual_seed(1))
ONE = 100 * 32 * 4 + 128
"""Bytes of the file that the product is kept in."""


class Network:
    """A product, and on how many inputs it was taken each time."""

    def __init__(self, weight: Tensor = WEIGHT) -> None:
        self.weight, self.runs = weight, list[int]()

    def __call__(self, inputs: Tensor) -> Tensor:
        self.runs.append(len(inputs))
        return inputs @ self.weight

    def of(self, inputs: Tensor = INPUTS, *, network: str = "a", site: str = "hook_out") -> AskedActivations:
        return AskedActivations(network=network, weights={"W": self.weight}, inputs=inputs, site=site, compute=self)


def cache_in(folder: Path, limit: int = 2**20) -> ActivationCache:
    """One that keeps whatever took any time."""
    return ActivationCache(folder, limit, worth=0.0)


def files(cache: ActivationCache) -> list[Path]:
    return sorted(cache.folder.iterdir()) if cache.folder.exists() else []


def test_what_is_kept_is_read_again_bit_for_bit_without_running_the_network(tmp_path: Path) -> None:
    network = Network()
    first = cache_in(tmp_path).of(network.of())
    again = cache_in(tmp_path).of(network.of())
    assert torch.equal(first.view(torch.int32), again.view(torch.int32))
    assert torch.equal(first, INPUTS @ WEIGHT)
    # The second time one input is enough, to see that the network is the same still.
    assert network.runs == [100, 1]
    assert cache_in(tmp_path).size == CachedSize(1, ONE)


def test_another_weight_input_site_position_or_network_is_asked_for_under_another_name() -> None:
    changed = WEIGHT.clone()
    changed[0, 0] = torch.nextafter(changed[0, 0], torch.tensor(9.0))
    other = INPUTS.clone()
    other[99, 5] = -other[99, 5]
    network = Network()
    asked = [
        network.of(),
        Network(changed).of(),
        network.of(other),
        network.of(INPUTS[:99]),
        network.of(INPUTS.reshape(50, 12)),
        replace(network.of(), positions="all"),
        network.of(site="hook_in"),
        network.of(network="b"),
    ]
    assert len({each.digest for each in asked}) == len(asked)
    assert Network(WEIGHT.clone()).of(INPUTS.clone()).digest == asked[0].digest


def test_another_number_of_threads_rounds_otherwise_and_is_another_name() -> None:
    before = torch.get_num_threads()
    one = Network().of().digest
    try:
        torch.set_num_threads(before + 1)
        assert Network().of().digest != one
    finally:
        torch.set_num_threads(before)


def test_what_is_computed_faster_than_read_is_not_kept(tmp_path: Path) -> None:
    for seconds, kept in ((0.9, 0), (1.0, 1)):
        instants = iter((5.0, 5.0 + seconds))
        cache = ActivationCache(tmp_path, 2**20, worth=1.0 / (100 * 32 * 4), clock=lambda: next(instants))  # noqa: B023
        cache.of(Network().of())
        assert cache.size.files == kept


def test_few_inputs_are_neither_looked_for_nor_kept(tmp_path: Path) -> None:
    network = Network()
    cache = cache_in(tmp_path)
    for _ in range(2):
        cache.of(network.of(INPUTS[:63]))
    assert network.runs == [63, 63]
    assert files(cache) == []


def test_those_that_were_used_least_lately_go_first(tmp_path: Path) -> None:
    cache = cache_in(tmp_path, limit=3 * ONE)
    network = Network()
    for age, site in ((4, "a"), (3, "b"), (2, "c")):
        before = set(files(cache))
        cache.of(network.of(site=site))
        (new,) = set(files(cache)) - before
        os.utime(new, ns=(0, 10**18 - age * 10**12))
    cache.of(network.of(site="a"))  # is used again
    cache.of(network.of(site="d"))
    assert cache.size == CachedSize(3, 3 * ONE)
    network.runs.clear()
    for site in "acd":
        cache.of(network.of(site=site))
    assert network.runs == [1, 1, 1]
    cache.of(network.of(site="b"))
    assert network.runs == [1, 1, 1, 100]


def test_what_is_larger_than_the_limit_is_not_kept_and_nothing_is_where_the_limit_is_none(tmp_path: Path) -> None:
    for limit in (0, ONE - 200):
        cache = cache_in(tmp_path, limit)
        assert torch.equal(cache.of(Network().of()), INPUTS @ WEIGHT)
        assert files(cache) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content[:40],
        lambda content: b"",
        lambda content: b"PK" + content,
        lambda content: content[:5000] + bytes([content[5000] ^ 1]) + content[5001:],
        lambda content: content[:1128] + content[2128:3128] + content[1128:2128] + content[3128:],
        lambda content: content.replace(b"(100, 32)", b"(50, 64) "),
        lambda content: content.replace(b"'<f4'", b"'<i4'"),
    ],
    ids=["shorter", "a piece", "empty", "another kind", "one bit", "two blocks swapped", "shape", "type"],
)
def test_a_damaged_file_is_computed_again_and_replaced(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    cache, network = cache_in(tmp_path), Network()
    cache.of(network.of())
    (path,) = files(cache)
    whole = path.read_bytes()
    assert damage(whole) != whole
    path.write_bytes(damage(whole))
    assert torch.equal(cache.of(network.of()), INPUTS @ WEIGHT)
    assert network.runs == [100, 100]
    assert path.read_bytes() == whole


def test_a_network_that_computes_otherwise_under_the_same_name_is_run_again(tmp_path: Path) -> None:
    cache, network = cache_in(tmp_path), Network()
    cache.of(network.of())
    changed = replace(network.of(), compute=lambda inputs: (inputs @ WEIGHT).relu())
    assert torch.equal(cache.of(changed), (INPUTS @ WEIGHT).relu())
    assert torch.equal(cache.of(changed), (INPUTS @ WEIGHT).relu())
    assert cache.size.files == 1


def test_what_is_written_into_an_activation_stays_with_whoever_wrote_it(tmp_path: Path) -> None:
    cache, network = cache_in(tmp_path), Network()
    cache.of(network.of())
    one, other = cache.of(network.of()), cache.of(network.of())
    one.zero_()
    assert torch.equal(other, INPUTS @ WEIGHT)
    assert torch.equal(cache.of(network.of()), INPUTS @ WEIGHT)
    assert network.runs == [100, 1, 1, 1]


def test_a_mapped_activation_outlives_its_file(tmp_path: Path) -> None:
    cache = cache_in(tmp_path)
    cache.of(Network().of())
    mapped = cache.of(Network().of())
    assert cache.clear() == CachedSize(1, ONE)
    assert cache.size == CachedSize(0, 0)
    assert torch.equal(mapped, INPUTS @ WEIGHT)


def test_where_nothing_can_be_written_it_is_computed(tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    cache = cache_in(tmp_path / "a file")
    assert torch.equal(cache.of(Network().of()), INPUTS @ WEIGHT)
    assert cache.size == cache.clear() == CachedSize(0, 0)


SEVERAL = """
import sys
from pathlib import Path
import torch
from miscope.asked_activations import AskedActivations
from miscope.store.activation_cache import ActivationCache

torch.set_num_threads(1)
folder, size = Path(sys.argv[1]), int(sys.argv[2])
cache = ActivationCache(folder, size, worth=0.0)
inputs = torch.arange(600.0).reshape(100, 6)
print("ready", flush=True)
sys.stdin.readline()
for turn in range(60):
    factor = float(turn % 4)
    compute = lambda shown: (shown * factor).repeat(1, 5)
    asked = AskedActivations(network="n", weights={"W": torch.tensor(factor)}, inputs=inputs, site="s", compute=compute)
    assert torch.equal(cache.of(asked), compute(inputs))
"""


def test_several_processes_write_read_and_make_room_at_once(tmp_path: Path) -> None:
    room = 2 * (100 * 30 * 4 + 128)  # for two of four
    words = [sys.executable, "-c", SEVERAL, str(tmp_path / "kept"), str(room)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(words, **pipes) for _ in range(2)]
    for each in processes:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    ends = [each.communicate("go\n") for each in processes]
    assert [(each.returncode, end[1]) for each, end in zip(processes, ends, strict=True)] == [(0, "")] * 2
    assert {path.suffix for path in (tmp_path / "kept").iterdir()} == {".npy"}


@pytest.mark.parametrize(("text", "size"), [("", 2 * 2**30), ("0", 0), ("0.5", 2**29), ("16", 2**34)])
def test_the_limit_is_told_in_gib(monkeypatch: pytest.MonkeyPatch, text: str, size: int) -> None:
    monkeypatch.setenv("MISCOPE_ACTIVATION_CACHE", text)
    assert size_limit() == size


@pytest.mark.parametrize("text", ["2 GiB", "-1", "inf", "nan", "1e308"])
def test_a_limit_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("MISCOPE_ACTIVATION_CACHE", text)
    with pytest.raises(BadValue) as error:
        size_limit()
    assert str(error.value) == (
        f"MISCOPE_ACTIVATION_CACHE is {text!r}.\n"
        "It says how many GiB of activations are kept in a workspace.\n"
        "Give a number, or 0 for none."
    )


def child_in(root: Path, *, kept: bool) -> BoundVariant:
    """An autoencoder of 81 activations, in a workspace that keeps all of these or none."""
    place = open_bound(root, tables(ToyAutoencoder()))
    place.value.__dict__["activation_cache"] = cache_in(root / "activations", 2**20 if kept else 0)
    parent = place.variant("toy.sum", values=9)
    if not parent.steps:
        list(parent.train(threads=1))
    return place.variant("toy.autoencoder", variant=parent.name)


def test_trainings_and_instruments_give_the_same_with_and_without_what_is_kept(tmp_path: Path) -> None:
    found = []
    for root, kept in ((tmp_path / "with", True), (tmp_path / "with", True), (tmp_path / "without", False)):
        child = child_in(root, kept=kept)
        list(child.train(threads=1, resume=False, steps=20))
        list(child.analyze("gradients.energy", force=True))
        folder = child.workspace.store.layout.variant(child.name)
        arrays = child.arrays("gradients.energy", 20)
        weights = {path.name: path.read_bytes() for path in (folder / "checkpoints").iterdir()}
        found.append((weights, {name: array.tobytes() for name, array in arrays.items()}))
    assert found[0] == found[1] == found[2]
    assert child_in(tmp_path / "with", kept=True).workspace.value.activation_cache.size.files == 1
    assert child_in(tmp_path / "without", kept=False).workspace.value.activation_cache.size.files == 0


def test_a_checkpoint_that_was_changed_has_other_activations(tmp_path: Path) -> None:
    child = child_in(tmp_path, kept=True)
    source = child.workspace.value.context(child.value).sources[0]
    before = source.activations()
    store, parent = child.workspace.store, source.source.variant
    weights = {role: 2 * weight for role, weight in store.load_checkpoint(parent, 30).weights.items()}
    store.save_checkpoint(parent, Checkpoint(step=30, weights=weights))
    again = child_in(tmp_path, kept=True)
    after = again.workspace.value.context(again.value).sources[0].activations()
    assert not torch.equal(before, after)
    assert again.workspace.value.activation_cache.size.files == 2


def test_the_command_says_how_much_is_kept_and_removes_it(
    tmp_path: Path, command: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISCOPE_ACTIVATION_CACHE", "1")
    cache_in(tmp_path / "activations").of(Network().of())
    words = ("--workspace", str(tmp_path))
    assert command("cache", *words) == (0, "1 activations, 0.0 MB of at most 1,074 MB\n", "")
    told = '{\n  "files": 1,\n  "bytes": 12928,\n  "limit": 1073741824,\n  "removed": true\n}\n'
    assert command("cache", "--empty", "--json", *words) == (0, told, "")
    assert command("cache", "--empty", *words) == (0, "0 activations, 0.0 MB removed\n", "")
