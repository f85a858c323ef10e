"""What cannot be imported says why, the true reason first; nothing is run, waited for, or left behind."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from miscope.bound import BoundWorkspace
from miscope.errors import BadFile, MiscopeError

SUFFIXES = ".safetensors, .pth, .pt, .ckpt, .bin"
FILES = "Give checkpoint files, or a folder of them."
AGAIN = "Copy it again from its source; it may have been cut off."
WEIGHTS = (
    "Where it was made, save the weights alone: torch.save(model.state_dict(), path), or as safetensors; "
    "losses as lists of floats, configurations as dicts."
)
DENSE = "Where the file was made, save the weights as dense float32 tensors on the CPU."


@pytest.fixture
def place(workspace: Callable[..., BoundWorkspace]) -> BoundWorkspace:
    return workspace()


def state(dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = {"W_E": (5, 8), "blocks.0.mlp.W_in": (8, 16), "blocks.0.mlp.W_out": (16, 8), "W_U": (8, 5)}
    return {name: torch.randn(shape, generator=generator).to(dtype) for name, shape in shapes.items()}


def saved(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def refusal(place: BoundWorkspace, path: Path, family: str | None = "toy.sum", **fields: Any) -> str:
    """The message; nothing may have been written."""
    with pytest.raises(MiscopeError) as raised:
        place.adopt(path, family=family, params=fields)
    assert place.names() == []
    return str(raised.value)


def test_what_is_no_regular_file_is_refused_without_waiting_for_it(place: BoundWorkspace, tmp_path: Path):
    pipe, folder, device = tmp_path / "step_1.pt", tmp_path / "run", tmp_path / "step_2.pt"
    os.mkfifo(pipe)
    folder.mkdir()
    (folder / "step_3.pt").symlink_to(pipe)
    device.symlink_to("/dev/zero")
    assert refusal(place, pipe) == f"{pipe} cannot be read.\nIt is a pipe, not a regular file.\n{FILES}"
    assert refusal(place, device) == f"{device} cannot be read.\nIt is a device, not a regular file.\n{FILES}"
    inside = folder / "step_3.pt"
    assert refusal(place, folder) == f"{inside} cannot be read.\nIt is a pipe, not a regular file.\n{FILES}"


def test_what_is_not_there_or_not_a_checkpoint_is_named(place: BoundWorkspace, tmp_path: Path):
    loop, long, notes = tmp_path / "loop.pt", tmp_path / ("x" * 300 + ".pt"), tmp_path / "notes.txt"
    loop.symlink_to(loop)
    notes.touch()
    assert refusal(place, tmp_path / "no.pt") == f"{tmp_path / 'no.pt'} cannot be read.\nIt is not there.\n{FILES}"
    loops = "It cannot be reached: Too many levels of symbolic links."
    assert refusal(place, loop) == f"{loop} cannot be read.\n{loops}\n{FILES}"
    assert refusal(place, long) == f"{long} cannot be read.\nIt cannot be reached: File name too long.\n{FILES}"
    ends = f"Its name ends in none of {SUFFIXES}."
    assert refusal(place, notes) == f"{notes} cannot be read.\n{ends}\nGive checkpoint files."
    (tmp_path / "empty").mkdir()
    none = f"It holds no {SUFFIXES} file."
    assert refusal(place, tmp_path / "empty") == f"{tmp_path / 'empty'} cannot be read.\n{none}\n{FILES}"


class Net(torch.nn.Linear):
    """A model somebody saved whole."""


class Runs:
    """Pickles into a call."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("exit 1",)


@pytest.mark.parametrize(
    ("content", "offender"),
    [
        (Net(2, 2), "an object of test_importing_files.Net"),
        ({"model": state(), "run": Runs()}, "an object of posix.system"),
        ({"model": state(), "folder": Path("runs")}, "an object of pathlib.PosixPath"),
    ],
)
def test_a_file_that_would_need_code_names_the_class(
    place: BoundWorkspace, tmp_path: Path, content: Any, offender: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Net, "__module__", "test_importing_files")
    monkeypatch.setitem(__import__("sys").modules, "test_importing_files", __import__("sys").modules[__name__])
    path = saved(tmp_path / "step_1.pt", content)
    reason = f"It holds {offender}, which only its own code could make again; code is never run."
    assert refusal(place, path) == f"{path} cannot be read.\n{reason}\n{WEIGHTS}"


def test_torchscript_is_refused_as_code(place: BoundWorkspace, tmp_path: Path):
    path = tmp_path / "step_1.pt"
    path.write_bytes(torchscript())
    reason = "It holds an object of torch.jit.ScriptModule, which only its own code could make again"
    assert refusal(place, path) == f"{path} cannot be read.\n{reason}; code is never run.\n{WEIGHTS}"


def torchscript() -> bytes:
    """An archive that PyTorch takes for TorchScript: one with constants beside its data."""
    held = io.BytesIO()
    torch.save(state(), held)
    with zipfile.ZipFile(held, "a") as archive:
        top = archive.namelist()[0].partition("/")[0]
        archive.writestr(f"{top}/constants.pkl", pickle.dumps((), protocol=2))
    return held.getvalue()


def repacked(content: bytes, pickled: bytes) -> bytes:
    """The archive with another pickle in the place of its own."""
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as whole, zipfile.ZipFile(held, "w") as archive:
        for name in whole.namelist():
            archive.writestr(name, pickled if name.endswith("data.pkl") else whole.read(name))
    return held.getvalue()


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda content: content[:200],
    "empty": lambda content: b"",
    "no such file": lambda content: b"\x93NUMPY" + bytes(100),
    "a text": lambda content: b"loss 0.3\n",
    "a pickle": lambda content: pickle.dumps({"W": [1.0]}),
    "a word cut off": lambda content: repacked(content, b"\x80\x02X\x01"),
    "a number cut off": lambda content: repacked(content, b"\x80\x02G\x01"),
    "no values": lambda content: repacked(content, b"\x80\x02e."),
    "flipped": lambda content: content[:60] + bytes(b ^ 255 for b in content[60:400]) + content[400:],
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_a_damaged_file_is_three_sentences(place: BoundWorkspace, tmp_path: Path, damage: str, suffix: str):
    whole = saved(tmp_path / "whole.pt", state()).read_bytes()
    path = tmp_path / f"step_1{suffix}"
    path.write_bytes(DAMAGE[damage](whole))
    first, problem, todo = refusal(place, path).split("\n")
    assert first == f"{path} cannot be read."
    torn = "It is damaged: its record 'whole/data.pkl' is not what its checksum says."
    assert problem == torn if (damage, suffix) == ("flipped", ".pt") else problem.startswith("It is no complete ")
    assert problem.endswith(".")
    assert "\x1b" not in problem
    assert "weights_only" not in problem
    assert todo == AGAIN


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_read_as_float32_and_said(place: BoundWorkspace, tmp_path: Path, dtype: torch.dtype):
    (variant,) = place.adopt(saved(tmp_path / "step_1.pt", state(dtype)), family="toy.sum")
    weights = variant.at(1).checkpoint.weights
    assert {name: tensor.dtype for name, tensor in weights.items()} == dict.fromkeys(state(), torch.float32)
    assert torch.equal(weights["W_E"], state(dtype)["W_E"].float())
    facts: Any = place.store.variant_record(variant.name).facts
    note = f"Weights in {str(dtype).removeprefix('torch.')} were read as float32."
    assert facts["imported"]["step_1.pt"]["notes"] == [note]


def test_weights_of_several_precisions_get_the_widest(place: BoundWorkspace, tmp_path: Path):
    mixed = {**state(), "W_E": state()["W_E"].double()}
    (variant,) = place.adopt(saved(tmp_path / "step_1.pt", mixed), family="toy.sum")
    assert {tensor.dtype for tensor in variant.at(1).checkpoint.weights.values()} == {torch.float64}


def quantized() -> torch.Tensor:
    return torch.quantize_per_tensor(state()["W_E"], 0.1, 0, torch.qint8)


ODD: dict[str, tuple[Callable[[], torch.Tensor], str]] = {
    "int8": (
        lambda: state()["W_E"].to(torch.int8),
        "Its weight 'W_E' is of int8 numbers, which no model here runs on.",
    ),
    "bool": (lambda: state()["W_E"] > 0, "Its weight 'W_E' is of bool numbers, which no model here runs on."),
    "complex": (
        lambda: state()["W_E"].to(torch.complex64),
        "Its weight 'W_E' is of complex64 numbers, which no model here runs on.",
    ),
    "8-bit floats": (
        lambda: state()["W_E"].to(torch.float8_e4m3fn),
        "Its weight 'W_E' is of float8_e4m3fn numbers, which no model here runs on.",
    ),
    "sparse": (lambda: state()["W_E"].to_sparse(), "Its tensor 'W_E' is sparse (sparse_coo)."),
    "meta": (lambda: state()["W_E"].to("meta"), "Its tensor 'W_E' is a meta tensor, a shape without numbers."),
    "nested": (
        lambda: torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)], layout=torch.jagged),
        "Its tensor 'W_E' is nested, of several shapes.",
    ),
    "expanded": (
        lambda: torch.zeros(1).expand(10**7, 10**8),
        "Its tensor 'W_E' is expanded: 1 numbers repeated to 1000000000000000.",
    ),
}


@pytest.mark.parametrize("family", ["toy.sum", None])
@pytest.mark.parametrize("kind", ODD)
def test_weights_no_instrument_reads_are_refused(place: BoundWorkspace, tmp_path: Path, kind: str, family: str | None):
    make, reason = ODD[kind]
    path = saved(tmp_path / "step_1.pt", {**state(), "W_E": make()})
    assert refusal(place, path, family) == f"{path} cannot be read.\n{reason}\n{DENSE}"


def test_tensors_of_another_size_are_compared_with_the_familys(place: BoundWorkspace, tmp_path: Path):
    path = saved(tmp_path / "step_1.pt", {**state(), "W_E": torch.zeros(7, 9), "W_U": torch.zeros(9, 7)})
    differ = "W_E is (7, 9) and would be (5, 8), W_U is (9, 7) and would be (8, 5)"
    todo = (
        "Give the sizes it was made with (--param NAME=VALUE, of values, width), or the family it is of. "
        "For a network of other sizes than toy.sum has, write a family: docs/write-a-family.md."
    )
    asked = f"The family 'toy.sum' does not recognise its tensors; for it, {differ}."
    assert refusal(place, path) == f"{path} cannot be read.\n{asked}\n{todo}"
    nearest = f"No family recognises its tensors; for the nearest, toy.sum, {differ}."
    assert refusal(place, path, None) == f"{path} cannot be read.\n{nearest}\n{todo}"


def test_a_file_of_something_else_is_not_advised_to_change_parameters(place: BoundWorkspace, tmp_path: Path):
    path = saved(tmp_path / "step_1.pt", {"conv1.weight": torch.zeros(8, 3, 3, 3), "fc.weight": torch.zeros(10, 8)})
    known = "No family recognises its tensors: conv1.weight (8, 3, 3, 3), fc.weight (10, 8)."
    todo = (
        "Give the family it is of (`miscope families` lists them). For a model of your own, write one whose `adopt` "
        "knows these names: docs/write-a-family.md."
    )
    assert refusal(place, path, None) == f"{path} cannot be read.\n{known}\n{todo}"


@pytest.mark.parametrize(
    ("fields", "first"),
    [
        ({"sed": 1}, "There is no field named 'sed'."),
        ({"weight_decay": -1}, "toy.sum refuses weight_decay=-1: it must be 0 or more."),
        ({"values": 2}, "toy.sum refuses values=2: it must be 3 or more."),
    ],
)
def test_without_a_family_a_wrong_field_is_still_the_reason(
    place: BoundWorkspace, tmp_path: Path, fields: Any, first: str
):
    path = saved(tmp_path / "step_1.pt", state())
    assert refusal(place, path, None, **fields).split("\n")[0] == first


def test_a_file_without_weights_is_not_advised_to_be_renamed(place: BoundWorkspace, tmp_path: Path):
    path = saved(tmp_path / "losses.pt", {"train_losses": [1.0, 0.5]})
    with pytest.raises(BadFile, match="It holds no weights, but: train_losses"):
        place.adopt(path, family="toy.sum")


def test_a_flipped_byte_of_a_tensor_is_found_by_its_checksum(place: BoundWorkspace, tmp_path: Path):
    content = bytearray(saved(tmp_path / "step_1.pt", state()).read_bytes())
    first = state()["W_E"].numpy().tobytes()[:16]
    content[content.index(first) + 3] ^= 0x40
    (tmp_path / "step_1.pt").write_bytes(content)
    path = tmp_path / "step_1.pt"
    reason = "It is damaged: its record 'step_1/data/0' is not what its checksum says."
    assert refusal(place, path) == f"{path} cannot be read.\n{reason}\n{AGAIN}"


def test_a_mask_that_prunes_is_no_buffer(place: BoundWorkspace, tmp_path: Path):
    pruned = torch.ones(8, 8)
    pruned[3, 1] = 0
    path = saved(tmp_path / "step_1.pt", {**state(), "blocks.0.mlp.mask": pruned})
    message = refusal(place, path).split("\n")
    assert message[0] == f"{path} is of another model than toy.sum: it holds a tensor that has no place in it."
    assert message[1] == "blocks.0.mlp.mask (8, 8)."


@pytest.mark.parametrize("mask", [torch.ones(4, 4).tril(), torch.zeros(1, 1, 4, 4), torch.ones(4, 4).bool().tril()])
def test_a_causal_mask_is_a_buffer(place: BoundWorkspace, tmp_path: Path, mask: torch.Tensor):
    path = saved(tmp_path / "step_1.pt", {**state(), "blocks.0.attn.mask": mask})
    assert [variant.steps for variant in place.adopt(path, family="toy.sum")] == [[1]]


def test_tensors_without_a_common_beginning_are_left_out_by_name(place: BoundWorkspace, tmp_path: Path):
    path = saved(tmp_path / "step_1.pt", {**state(), "ln_final.w": torch.ones(8), "b_U": torch.ones(5)})
    todo = refusal(place, path).split("\n")[2]
    assert todo == "Give the family it is of (--family); or leave them out on purpose:  --ignore 'ln_final.w|b_U'"
    (variant,) = place.adopt(path, family="toy.sum", ignore=["ln_final.w|b_U"])
    assert variant.steps == [1]


def test_a_counter_beside_wrapped_tensors_hides_nothing(place: BoundWorkspace, tmp_path: Path):
    """As torch.optim.swa_utils.AveragedModel has it."""
    wrapped = {f"module.{name}": tensor for name, tensor in state().items()}
    path = saved(tmp_path / "step_1.pt", {"n_averaged": torch.tensor(3), **wrapped})
    assert [variant.steps for variant in place.adopt(path, family="toy.sum")] == [[1]]
