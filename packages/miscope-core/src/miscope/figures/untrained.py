"""The variant that is the same and built on untrained weights, as a view shows it beside the one it is of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from miscope.commands import in_workspace
from miscope.errors import MiscopeError, NoArtifact, NoCheckpoint
from miscope.train_request import changes_of_training, train_request
from miscope.training_command import training_command
from miscope.variant import Variant
from miscope.view import Untrained, ViewData

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["untrained_beside"]


def untrained_beside(workspace: Workspace, variant: Variant, show: Callable[[Variant], ViewData]) -> Untrained | None:
    """What `show` gives of the variant whose parameters the family names as those of untrained weights, or what it
    takes to have it; None where the family names none, or the workspace has not the weights that it is built on.

    It is looked up by its name, which its parameters and training make, so that it is there as soon as somebody
    trained it. Where it cannot be read, that is said in `missing`, and stops no figure of the other.
    """
    family = workspace.plugins.family(variant.family)
    params = family.untrained(variant.params)
    if params is None or not all(each.step in workspace.store.steps(each.variant) for each in family.sources(params)):
        return None
    trains = ""
    try:
        other = workspace.value(family, params.model_dump(mode="json"), changes_of_training(variant))
        trains = in_workspace(workspace.root, training_command(train_request(other)))
        if not workspace.store.holds(other):
            return Untrained(shown=None, missing="not trained", command=trains)
        return Untrained(shown=show(other))
    except NoArtifact as error:
        return Untrained(shown=None, missing="not analyzed", command=error.command)
    except NoCheckpoint:
        return Untrained(shown=None, missing="not trained so far", command=trains)
    except MiscopeError as error:
        return Untrained(shown=None, missing=str(error).splitlines()[0])
