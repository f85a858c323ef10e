"""The published induction-head checkpoints of Nanda et al. 2023: what head-role instruments are calibrated on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, final

import numpy as np
from pydantic import Field

from miscope import Basis, Family, Params, Probe, Variant
from miscope.sampling import seed_of_draw

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.model import Model
    from miscope_toys.attention_only import Architecture

__all__ = ["NandaInductionFamily", "NandaInductionParams", "adopt_paper"]

VOCABULARY, CONTEXT = 128, 85
PERIODS = (16, 28, 42)
_ROWS, _SEED = 64, 0


class NandaInductionParams(Params):
    """Which of the two published runs: trained on fresh sequences at every step, or on a fixed set of them."""

    data: Annotated[Literal["infinite", "finite"], Field(json_schema_extra={"slug": ""})] = "infinite"
    """Fresh sequences at every step, or a fixed set of them."""


@final
class NandaInductionFamily(Family):
    """Two layers, four heads, d_model 48, no normalisation, no MLP; 128 tokens, 85 positions.

    `saved_runs/induction_head_*.pth` beside Nanda et al. 2023, "Progress measures for grokking via mechanistic
    interpretability"; there is nothing to train, its checkpoints are adopted (`miscope import`).
    """

    name = "toys.nanda-induction"
    title = "Induction: the published checkpoints of Nanda et al. 2023"
    params = NandaInductionParams

    def model(self, params: Any) -> Model:
        from miscope_toys.attention_only import build_model

        return build_model(_architecture())

    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        return {probe.name: probe for probe in _probes()}

    def training(self, params: Any) -> None:
        return None

    def task(self, variant: Variant) -> None:
        return None

    def bases(self, params: Any) -> Mapping[str, Basis]:
        return {}

    def sampled(self, variant: Variant, seed: int, step: int, count: int) -> Tensor:
        """Random blocks of the first probe's period, repeated as often."""
        import torch

        generator = torch.Generator().manual_seed(seed_of_draw(seed, step))
        block = torch.randint(VOCABULARY, (count, PERIODS[0]), generator=generator)
        return block.repeat(1, CONTEXT // PERIODS[0])

    def read_config(self, config: Mapping[str, object]) -> Mapping[str, Any]:
        finite = config.get("is_finite")
        return {"data": "finite" if finite else "infinite"} if isinstance(finite, bool) else {}

    def adopt(self, state: Mapping[str, Tensor], params: Any) -> dict[str, Tensor] | None:
        from miscope_toys.attention_only import adopt_roles

        return adopt_roles(_architecture(), adopt_paper(state) or state)


def adopt_paper(state: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """Tensors by the paper's names and in its orientation, as roles; None where one is missing or of other axes.

    Its masks are no weights. W_K, W_Q and W_V are [head, d_head, d_model] there, W_O is [d_model, head * d_head].
    """
    blocks = [f"attn_blocks.{layer}.attn.W_" for layer in range(_architecture().layers)]
    names = ["embed.W_E", "pos_embed.W_pos", "unembed.W_U", *(block + letter for block in blocks for letter in "QKVO")]
    if any(name not in state or state[name].ndim != (3 if name[-1] in "QKV" else 2) for name in names):
        return None
    roles = {"W_E": state["embed.W_E"].T, "W_pos": state["pos_embed.W_pos"], "W_U": state["unembed.W_U"]}
    for layer, block in enumerate(blocks):
        heads, d_head, _ = state[f"{block}Q"].shape
        if state[f"{block}O"].shape[1] != heads * d_head:
            return None
        role = f"blocks.{layer}.attn.W_"
        roles |= {role + letter: state[block + letter].transpose(1, 2) for letter in "QKV"}
        roles[f"{role}O"] = state[f"{block}O"].unflatten(1, (heads, d_head)).permute(1, 2, 0)
    return {name: tensor.contiguous() for name, tensor in roles.items()}


def _architecture() -> Architecture:
    from miscope_toys.attention_only import Architecture

    return Architecture(vocabulary=VOCABULARY, context=CONTEXT, d_model=48, layer_norm=False)


def _probes() -> list[Probe]:
    """Random blocks repeated as often as they fit, at three periods, and random tokens without any repeat.

    Drawn one after the other from one generator, as the published calibration numbers are.
    """
    import torch

    generator = torch.Generator().manual_seed(_SEED)
    probes = []
    for period in (*PERIODS, CONTEXT):
        copies = CONTEXT // period
        block = torch.randint(VOCABULARY, (_ROWS, period), generator=generator)
        inputs = block.repeat(1, copies)
        if copies == 1:
            probes.append(Probe(name="random", inputs=inputs, columns={"current": inputs[:, -1].numpy()}))
            continue
        columns = {
            "current": inputs[:, -1].numpy(),
            "next": inputs[:, 0].numpy(),
            "period": np.full(_ROWS, period),
            "offset": np.zeros(_ROWS, dtype=np.int64),
        }
        probes.append(Probe(name=f"period-{period}", inputs=inputs, labels=inputs[:, 0], columns=columns))
    return probes
