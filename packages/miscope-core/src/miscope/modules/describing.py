"""From somebody's module and probe to their description, once the module runs and can be known again."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, final

from miscope.basis import Basis
from miscope.description import Build, Description, NetworkDescription
from miscope.errors import BadValue
from miscope.model import NoNetwork
from miscope.modules.building import build, output_on_set_weights, rebuilt
from miscope.modules.given_probe import given_probe
from miscope.modules.module_model import copied, model_of, recordable, unwrapped
from miscope.modules.naming import Names, named_sites, named_weights
from miscope.probe import Probe

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["Given", "checked_build", "described"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Given:
    """What is said of a module beside itself."""

    probe: Probe | Tensor
    names: Names = field(default_factory=dict)
    bases: Mapping[str, Basis] = field(default_factory=dict)
    build: Build | None = None


def described(model: nn.Module, given: Given) -> Description:
    """The description of the module as it is. Raises BadValue where a part of it does not fit, or does not run.

    Where it says how it is built, what that makes is compared with it; the module itself is never run.
    """
    plain, probe = unwrapped(model), given_probe(given.probe)
    weights = named_weights(plain, given.names)
    network = copied(plain)
    if network is None and given.build is not None:
        network = _made(given.build)
    sites, double = ([], True) if network is None else recordable(network, probe.inputs)
    network_description = NetworkDescription(
        kind=f"{type(plain).__module__}.{type(plain).__qualname__}",
        weights=weights,
        sites=named_sites(plain, sites, given.names),
        single=not double,
        build=given.build,
    )
    description = Description(network=network_description, probe=probe, bases=dict(given.bases), module=network)
    if network is None:
        return description
    model_of_it = model_of(copy.deepcopy(network), network_description)
    description = replace(description, output=output_on_set_weights(model_of_it, probe, network_description.weights))
    if given.build is not None and isinstance(none := rebuilt(description), NoNetwork):
        raise _refused(none)
    return description


def checked_build(target: str | None, options: Mapping[str, object] | None) -> Build | None:
    """What is given as `build=` and `options=`; BadValue for options that JSON cannot hold, or without a function."""
    if target is None and not options:
        return None
    try:
        plain = json.loads(json.dumps(dict(options or {}), allow_nan=False))
    except (TypeError, ValueError) as error:
        known = f"They are kept as JSON: {error}."
        raise BadValue("These options cannot be kept.", known, "Give numbers, text, lists and the like.") from None
    if target is None:
        raise BadValue(
            f"The options {', '.join(plain)} are of no function.",
            "They are what the function that makes the network is called with.",
            'Name it:  build="package.module:function"',
        )
    return Build(target=target, options=plain)


def _made(wanted: Build) -> nn.Module:
    made = build(wanted)
    if isinstance(made, NoNetwork):
        raise _refused(made)
    return made


def _refused(missing: NoNetwork) -> BadValue:
    return BadValue(f"{missing.reason[:1].upper()}{missing.reason[1:]}.", missing.known, missing.todo)
