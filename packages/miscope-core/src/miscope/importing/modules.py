"""Checkpoint files of a module of one's own become a variant, with the function that makes it and a probe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miscope.basis import Basis
from miscope.errors import BadValue
from miscope.importing.adopt import of_curves, write_adopted
from miscope.importing.foreign.probe import read_probe
from miscope.importing.foreign_file import read_foreign
from miscope.importing.recognising import ImportChoices, recognised
from miscope.model import NoNetwork
from miscope.modules.any_module import AnyModule
from miscope.modules.building import build as built
from miscope.modules.describing import Given, checked_build, described
from miscope.modules.naming import Names
from miscope.probe import Probe
from miscope.variant import Variant

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.workspace import Workspace

__all__ = ["adopt_module"]


def adopt_module(  # noqa: PLR0913 - what one knows of a module, keyword-only
    workspace: Workspace,
    paths: str | Path | Iterable[str | Path],
    *,
    name: str,
    build: str,
    probe: Probe | Tensor | str | Path,
    options: Mapping[str, Any] | None = None,
    names: Names | None = None,
    bases: Mapping[str, Basis] | None = None,
    metrics: Iterable[str | Path] = (),
    ignore: Sequence[str] = (),
) -> Variant:
    """Adopt state dicts of a module, each of a step, as the variant 'pytorch.module/NAME' (docs/importing.md).

    build: 'package.module:function' that makes the module, called with `options`. probe: one, or a file of one. names,
    bases: as `workspace.record` takes them. metrics: files of losses beside the weights. ignore: patterns of tensors to
    leave out. Raises BadFile or BadValue before anything is written; nothing that is there is ever replaced.
    """
    wanted = checked_build(build, options)
    assert wanted is not None, "a function is given"
    network = built(wanted)
    if isinstance(network, NoNetwork):
        raise BadValue(f"{network.reason[:1].upper()}{network.reason[1:]}.", network.known, network.todo)
    shown = read_probe(probe) if isinstance(probe, str | Path) else probe
    description = described(network, Given(probe=shown, names=names or {}, bases=bases or {}, build=wanted))
    kept = {weight.parameter for weight in description.network.weights}
    # What the module makes by itself, and the other names of tied weights.
    made = [pattern for key in network.state_dict() if key not in kept for pattern in (key, f"*.{key}")]
    choices = ImportChoices(
        fields={"run": name, "contents": description.contents},
        ignore=(*ignore, *made),
        description=replace(description, module=None),
    )
    family = AnyModule().of(description)
    adopted = [recognised(file, [family], choices) for file in read_foreign(paths)]
    adopted += [one for path in metrics for one in of_curves(Path(path), [family], choices)]
    (variant,) = write_adopted(workspace, adopted, choices)
    return variant
