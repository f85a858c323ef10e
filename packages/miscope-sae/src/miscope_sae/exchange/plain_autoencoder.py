"""A sparse autoencoder or transcoder as other libraries have it: raw activations in, raw activations out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, final, get_args

from miscope.errors import BadValue
from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Architecture", "Normalisation", "PlainAutoencoder", "latents", "reconstruction", "tensor_shapes"]

Architecture = Literal[
    "standard",
    "jumprelu",
    "topk",
    "gated",
    "transcoder",
    "skip_transcoder",
    "jumprelu_transcoder",
    "jumprelu_skip_transcoder",
]
Normalisation = Literal["none", "layer_norm", "constant_norm_rescale"]

_LAYER_NORM = 1e-5
_LEAST_NORM = 1e-8
_DECODER = {"W_enc": ("d_in", "d_sae"), "W_dec": ("d_sae", "d_out"), "b_dec": ("d_out",)}
_RELU = {**_DECODER, "b_enc": ("d_sae",)}
_JUMP = {**_RELU, "threshold": ("d_sae",)}
_SKIP = {"W_skip": ("d_out", "d_in")}
_AXES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "standard": _RELU,
    "jumprelu": _JUMP,
    "topk": _RELU,
    "gated": {**_DECODER, "b_gate": ("d_sae",), "b_mag": ("d_sae",), "r_mag": ("d_sae",)},
    "transcoder": _RELU,
    "skip_transcoder": {**_RELU, **_SKIP},
    "jumprelu_transcoder": _JUMP,
    "jumprelu_skip_transcoder": {**_JUMP, **_SKIP},
}


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class PlainAutoencoder:
    """Weights by SAELens' names and orientation, and the few choices that its arithmetic needs besides.

    BadValue where tensors are missing, too many or of other shapes, or where a choice does not go with them.
    """

    architecture: Architecture
    tensors: Mapping[str, Tensor]
    """W_enc (d_in, d_sae), b_enc (d_sae), W_dec (d_sae, d_out), b_dec (d_out); threshold, b_gate, b_mag, r_mag (d_sae);
    W_skip (d_out, d_in): those of the architecture, no others. Kept as contiguous float32 of the CPU; what is
    computed is so on the device of the rows."""
    apply_b_dec_to_input: bool
    """Whether b_dec is subtracted before encoding; of a transcoder never."""
    k: int | None = None
    """How many latents a row keeps: of 'topk'. A transcoder without thresholds may have it, which SAELens cannot."""
    normalize_activations: Normalisation = "none"
    """What is done to each row before encoding, and undone after decoding; of a transcoder it is not undone."""
    metadata: Mapping[str, object] = field(default_factory=dict)
    """What is known of it, by SAELens' names: hook_name, model_name; of JSON's types."""

    def __post_init__(self) -> None:
        _check_names(self)
        kept = {name: tensor.detach().to("cpu", torch.float32).contiguous() for name, tensor in self.tensors.items()}
        object.__setattr__(self, "tensors", kept)
        _check_shapes(self)
        _check_choices(self)

    @property
    def d_in(self) -> int:
        return self.tensors["W_enc"].shape[0]

    @property
    def d_sae(self) -> int:
        return self.tensors["W_dec"].shape[0]

    @property
    def d_out(self) -> int:
        return self.tensors["W_dec"].shape[1]

    @property
    def is_transcoder(self) -> bool:
        return self.architecture.endswith("transcoder")


def tensor_shapes(architecture: Architecture, *, d_in: int, d_sae: int, d_out: int) -> dict[str, tuple[int, ...]]:
    """The tensors of an architecture, by name, with their shapes."""
    sizes = {"d_in": d_in, "d_sae": d_sae, "d_out": d_out}
    return {name: tuple(sizes[axis] for axis in axes) for name, axes in _AXES[architecture].items()}


def latents(coder: PlainAutoencoder, x: Tensor) -> Tensor:
    """(..., d_sae) activations of the latents, of x (..., d_in) and in its dtype; as `encode` of SAELens 6."""
    weights = {name: tensor.to(x) for name, tensor in coder.tensors.items()}
    inputs = _normalised(coder, x)[0]
    if coder.apply_b_dec_to_input:
        inputs = inputs - weights["b_dec"]
    encoded = inputs @ weights["W_enc"]
    if coder.architecture == "gated":
        magnitude = encoded * weights["r_mag"].exp() + weights["b_mag"]
        return magnitude.relu() * (encoded + weights["b_gate"] > 0)
    before = encoded + weights["b_enc"]
    if "threshold" in weights:
        return before.relu() * (before > weights["threshold"])
    if coder.k is None:
        return before.relu()
    kept = before.topk(coder.k, dim=-1)
    return torch.zeros_like(before).scatter(-1, kept.indices, kept.values.relu())


def reconstruction(coder: PlainAutoencoder, x: Tensor) -> Tensor:
    """(..., d_out) what comes out, of x (..., d_in) and in its dtype; as `forward` of SAELens 6."""
    weights = {name: tensor.to(x) for name, tensor in coder.tensors.items()}
    out = latents(coder, x) @ weights["W_dec"] + weights["b_dec"]
    if not coder.is_transcoder:
        _, factor, shift = _normalised(coder, x)
        out = out * factor + shift
    return out + x @ weights["W_skip"].T if "W_skip" in weights else out


def _normalised(coder: PlainAutoencoder, x: Tensor) -> tuple[Tensor, Tensor | float, Tensor | float]:
    """The rows to encode, and by what and to where a decoded row is brought back."""
    if coder.normalize_activations == "layer_norm":
        mean = x.mean(-1, keepdim=True)
        deviation = (x - mean).std(-1, keepdim=True)
        # Brought back without the small term, as SAELens does.
        return (x - mean) / (deviation + _LAYER_NORM), deviation, mean
    if coder.normalize_activations == "constant_norm_rescale":
        factor = x.norm(dim=-1, keepdim=True).clamp(min=_LEAST_NORM) / coder.d_in**0.5
        return x / factor, factor, 0.0
    return x, 1.0, 0.0


def _check_names(coder: PlainAutoencoder) -> None:
    if coder.architecture not in _AXES:
        raise BadValue(
            f"There is no architecture {coder.architecture!r} of plain autoencoders.",
            f"The architectures are: {', '.join(_AXES)}.",
            "Give one of these; thresholds make a BatchTopK or Matryoshka autoencoder 'jumprelu'.",
            field="architecture",
        )
    wanted = _AXES[coder.architecture]
    missing = [name for name in wanted if name not in coder.tensors]
    extra = sorted(coder.tensors.keys() - wanted.keys())
    if missing or extra:
        wrong = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"has {', '.join(extra)} besides"] * bool(extra)
        raise BadValue(
            f"An autoencoder of architecture {coder.architecture!r} {' and '.join(wrong)}.",
            f"Its tensors are {', '.join(wanted)}, and no others.",
            "Give these, or the architecture that the tensors are of.",
            field="tensors",
        )


def _check_shapes(coder: PlainAutoencoder) -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in coder.tensors.items()}
    flat = [name for name in ("W_enc", "W_dec") if len(shapes[name]) != 2]
    wanted = {name: () for name in flat}
    if not flat:
        wanted = tensor_shapes(coder.architecture, d_in=coder.d_in, d_sae=coder.d_sae, d_out=coder.d_out)
    for name in (name for name in wanted if shapes[name] != wanted[name] or name in flat):
        axes = f"({', '.join(_AXES[coder.architecture][name])})"
        by_others = f"W_enc (d_in, d_sae) and W_dec (d_sae, d_out) make it {axes} = {wanted[name]}."
        raise BadValue(
            f"{name} has the shape {shapes[name]}.",
            f"It is {axes}." if flat else by_others,
            "Transpose or correct it; linear layers of PyTorch hold their weights transposed.",
            field="tensors",
        )
    if not coder.is_transcoder and coder.d_in != coder.d_out:
        raise BadValue(
            f"{coder.architecture!r} takes rows of {coder.d_in} and gives rows of {coder.d_out}.",
            "An autoencoder gives what it takes.",
            "Give it as one of the transcoders.",
            field="architecture",
        )


def _check_choices(coder: PlainAutoencoder) -> None:
    may_have_k = coder.architecture in ("topk", "transcoder", "skip_transcoder")
    if (coder.k is None and coder.architecture == "topk") or (coder.k is not None and not may_have_k):
        given = "no k" if coder.k is None else f"k={coder.k}"
        raise BadValue(
            f"An autoencoder of architecture {coder.architecture!r} was given {given}.",
            "k is how many latents a row keeps: 'topk' has it, and transcoders without thresholds may.",
            "Give k, or leave it out.",
            field="k",
        )
    if coder.k is not None and not 1 <= coder.k <= coder.d_sae:
        known = f"A row keeps at least one latent, and there are {coder.d_sae}."
        raise BadValue(f"k={coder.k} is out of range.", known, f"Give one from 1 to {coder.d_sae}.", field="k")
    if coder.is_transcoder and coder.apply_b_dec_to_input:
        raise BadValue(
            "A transcoder was to subtract b_dec from its input.",
            "b_dec lies in the space of its output.",
            "Move a bias of the input into b_enc: `without_input_bias`; then apply_b_dec_to_input=False.",
            field="apply_b_dec_to_input",
        )
    if coder.normalize_activations not in get_args(Normalisation):
        raise BadValue(
            f"There is no normalisation {coder.normalize_activations!r} of plain autoencoders.",
            f"They are: {', '.join(get_args(Normalisation))}.",
            "Fold one scalar for all rows into the weights: `scaled`; then 'none'.",
            field="normalize_activations",
        )
