"""miscope: how did learning happen? Look at every checkpoint of a training through the same instruments."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from miscope.analyzer import Analyzer as Analyzer
    from miscope.analyzer import Grain as Grain
    from miscope.analyzer import NoOptions as NoOptions
    from miscope.analyzer import Options as Options
    from miscope.artifact import Arrays as Arrays
    from miscope.basis import Basis as Basis
    from miscope.basis import Block as Block
    from miscope.bound import BoundSnapshot as BoundSnapshot
    from miscope.bound import BoundVariant as BoundVariant
    from miscope.bound import BoundWorkspace as BoundWorkspace
    from miscope.bound import open_bound as open  # noqa: F401 - the name users call
    from miscope.bound_queue import BoundQueue as BoundQueue
    from miscope.bound_queue import BoundRun as BoundRun
    from miscope.bound_view import BoundView as BoundView
    from miscope.callbacks import Callbacks as Callbacks
    from miscope.callbacks import Changes as Changes
    from miscope.callbacks import UpdatePoint as UpdatePoint
    from miscope.checkpoint import Checkpoint as Checkpoint
    from miscope.cross_entropy import classification as classification
    from miscope.cross_entropy import next_token as next_token
    from miscope.errors import MiscopeError as MiscopeError
    from miscope.example_stream import ExampleStream as ExampleStream
    from miscope.examples import Examples as Examples
    from miscope.executor import Executor as Executor
    from miscope.family import Family as Family
    from miscope.family import Params as Params
    from miscope.hookspecs import hookimpl as hookimpl
    from miscope.lens import Lens as Lens
    from miscope.lens import LensSection as LensSection
    from miscope.lens import LensView as LensView
    from miscope.lens_file import lenses_in as lenses_in
    from miscope.model import HookedModel as HookedModel
    from miscope.model import Model as Model
    from miscope.model import Role as Role
    from miscope.model import Shortcut as Shortcut
    from miscope.modules.naming import NamedWeight as NamedWeight
    from miscope.needs import Needs as Needs
    from miscope.notebook.comparing import compare as compare
    from miscope.notebook.scrubbing import scrub as scrub
    from miscope.objective import ForwardPass as ForwardPass
    from miscope.objective import Objective as Objective
    from miscope.objective import Term as Term
    from miscope.plugins.plugins import Plugins as Plugins
    from miscope.probe import Probe as Probe
    from miscope.remark import Remark as Remark
    from miscope.remote.remote_workspace import connect as connect
    from miscope.snapshot import Cohort as Cohort
    from miscope.snapshot import Series as Series
    from miscope.snapshot import Snapshot as Snapshot
    from miscope.snapshot import Trajectory as Trajectory
    from miscope.source import Source as Source
    from miscope.source_checkpoint import SourceCheckpoint as SourceCheckpoint
    from miscope.task import Task as Task
    from miscope.training_config import TrainingConfig as TrainingConfig
    from miscope.training_so_far import TrainingSoFar as TrainingSoFar
    from miscope.translated_fields import TranslatedFields as TranslatedFields
    from miscope.variant import Variant as Variant
    from miscope.view import Choice as Choice
    from miscope.view import Number as Number
    from miscope.view import Toggle as Toggle
    from miscope.view import View as View
    from miscope.view import ViewData as ViewData
    from miscope.workspace import Workspace as Workspace

__version__ = "0.2.0"

# Loaded when first used, so that `import miscope` and `miscope --help` bring in neither torch nor a database.
_HOME = {
    "analyzer": ("Analyzer", "Grain", "NoOptions", "Options"),
    "artifact": ("Arrays",),
    "basis": ("Basis", "Block"),
    "bound": ("BoundSnapshot", "BoundVariant", "BoundWorkspace"),
    "bound_queue": ("BoundQueue", "BoundRun"),
    "bound_view": ("BoundView",),
    "callbacks": ("Callbacks", "Changes", "UpdatePoint"),
    "checkpoint": ("Checkpoint",),
    "cross_entropy": ("classification", "next_token"),
    "errors": ("MiscopeError",),
    "example_stream": ("ExampleStream",),
    "examples": ("Examples",),
    "executor": ("Executor", "ExecutorOptions"),
    "family": ("Family", "Params"),
    "hookspecs": ("hookimpl",),
    "lens": ("Lens", "LensSection", "LensView"),
    "lens_file": ("lenses_in",),
    "model": ("HookedModel", "Model", "Role", "Shortcut"),
    "snapshot": ("Cohort", "Series", "Snapshot", "Trajectory"),
    "modules.naming": ("NamedWeight",),
    "objective": ("ForwardPass", "Objective", "Term"),
    "needs": ("Needs",),
    "notebook.comparing": ("compare",),
    "notebook.scrubbing": ("scrub",),
    "observation": ("Observation", "ObservedArtifact"),
    "plugins.plugins": ("Plugins",),
    "probe": ("Probe",),
    "remark": ("Remark",),
    "remote.remote_workspace": ("connect",),
    "source": ("Source",),
    "source_checkpoint": ("SourceCheckpoint",),
    "task": ("Task",),
    "training_config": ("TrainingConfig",),
    "training_so_far": ("TrainingSoFar",),
    "translated_fields": ("TranslatedFields",),
    "variant": ("Variant",),
    "view": ("Choice", "Number", "ViewData", "Toggle", "View"),
    "workspace": ("Workspace",),
}
_WHERE = {name: (f"miscope.{module}", name) for module, names in _HOME.items() for name in names}
_WHERE["open"] = ("miscope.bound", "open_bound")

__all__ = sorted(_WHERE)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'miscope' has no attribute {name!r}")
    module, attribute = _WHERE[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
