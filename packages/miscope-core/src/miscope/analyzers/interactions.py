"""What heads do alone, and what two of them do that neither does without the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal, final

import numpy as np

from miscope.analyzer import Analyzer, Count, Grain
from miscope.analyzers.ablation_context import AblationContext, AblationOptions, ablation_context, parts_of
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.lazily import torch
from miscope.maths.ablation import ablate_to, donors, replacement
from miscope.maths.paired_effects import Answers, changes, interaction, levels
from miscope.needs import Needs
from miscope.snapshot import Snapshot

if TYPE_CHECKING:
    from torch import Tensor


class InteractionOptions(AblationOptions):
    """Beside what is answered, what replaces a head."""

    mode: Literal["mean", "zero", "resample"] = "mean"
    """A head's output becomes its mean over the inputs, zero, or that of another input."""
    most: Count = 12
    """Heads: those whose loss to the answers is greatest, where there are more."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Heads:
    """Heads that can be ablated in any combination; what replaces them is of the network as it is."""

    context: AblationContext
    place: tuple[tuple[str, int], ...]
    """Site and number of each."""
    level: dict[str, Tensor]

    def without(self, chosen: Iterable[int]) -> Answers:
        by_site: dict[str, list[int]] = {}
        for h in chosen:
            site, head = self.place[h]
            by_site.setdefault(site, []).append(head)
        return self.context.answers(
            [(site, ablate_to(self.level[site], torch.tensor(h))) for site, h in by_site.items()]
        )


def interactions(snapshot: Snapshot[InteractionOptions]) -> Arrays:
    """Loss and accuracy with one head ablated, with all others ablated, and what ablating two does beyond the sum.

    Interaction: [both ablated] - [one ablated] - [the other ablated] + [as it is]; positive where each stands in for
    the other, negative where either alone breaks what they do together. Input by input, with the standard error over
    inputs. What replaces a head is taken from the network as it is, also behind a head that is ablated.
    """
    options = snapshot.options
    context = ablation_context(snapshot, most=256)
    named = [
        (name, site, head) for name, kind, site, head in parts_of(context.model, context.weights) if kind == "head"
    ]
    if len(named) < 2:
        reason = f"an interaction takes two attention heads, and its model shows {len(named)}"
        raise DoesNotApply(reason)
    heads = _heads(context, [(site, int(head or 0)) for _, site, head in named], options)
    parts, clean = context.sample.parts, context.answers(())
    single = [heads.without([h]) for h in range(len(named))]
    chosen = np.sort(np.argsort([-float(np.abs(one.loss - clean.loss).mean()) for one in single])[: options.most])
    changed: dict[str, np.ndarray] = {"head": np.array([named[h][0] for h in chosen])}
    alone = [heads.without(h for h in range(len(named)) if h != kept) for kept in chosen]
    for what, answers in (("ablated", [single[h] for h in chosen]), ("alone", alone)):
        table = [changes(clean, one, parts) for one in answers]
        changed |= {f"{what}/{name}": np.array([each[name] for each in table]) for name in table[0]}
    tables: dict[str, np.ndarray] = {}
    for i, j in combinations(range(len(chosen)), 2):
        both = heads.without(chosen[[i, j]])
        for name, value in interaction(clean, single[chosen[i]], single[chosen[j]], both, parts=parts).items():
            table = tables.setdefault(f"pair/{name}", np.zeros((len(chosen), len(chosen))))
            table[i, j] = table[j, i] = value
    none = levels(heads.without(range(len(named))), parts)
    return {
        **changed,
        **tables,
        "inputs": np.array(len(context.sample.inputs)),
        **{f"clean/{name}": value for name, value in levels(clean, parts).items()},
        **{f"none/{name}": value for name, value in none.items()},
    }


def _heads(context: AblationContext, place: list[tuple[str, int]], options: InteractionOptions) -> _Heads:
    seen = context.model.run(context.weights, context.sample.inputs, sorted({site for site, _ in place}))
    order = donors(len(context.sample.inputs), options.seed)
    level = {site: replacement(activation, options.mode, order) for site, activation in seen.items()}
    return _Heads(context=context, place=tuple(place), level=level)


_PARTS = "{train,test,all}/{loss,accuracy}"

INTERACTIONS = Analyzer(
    name="ablations.interactions",
    version=3,
    grain=Grain.CHECKPOINT,
    compute=interactions,
    needs=Needs(weights=("*", "blocks.*.attn.W_O"), labels=True, model=True),
    options=InteractionOptions,
    question="Which heads stand in for one another, and which work only together?",
    formula="I_gh = mean over inputs of L(g, h ablated) - L(g ablated) - L(h ablated) + L",
    source="Wang et al. 2022 (arXiv 2211.00593), backup heads; McGrath et al. 2023 (arXiv 2307.15771)",
    outputs={
        "head": "(H,) 'L0H1'",
        f"ablated/{_PARTS}": "(H,) change with this head ablated",
        f"alone/{_PARTS}": "(H,) change with every other head ablated",
        f"pair/{_PARTS}": "(H, H) change with both ablated, less those with either ablated; 0 on the diagonal",
        "{ablated,alone,pair}/{train,test,all}/{loss_sem,accuracy_sem}": "its standard error, input by input",
        "inputs": "() inputs drawn",
        "clean/{train,test,all}_{loss,accuracy}": "() as it is",
        "none/{train,test,all}_{loss,accuracy}": "() with every head ablated",
    },
)
