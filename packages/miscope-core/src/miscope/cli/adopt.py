"""`miscope import`: checkpoints made elsewhere become a variant, and bundles bring theirs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from miscope.cli.bundle import with_bar
from miscope.cli.dropped import refuse_dropped
from miscope.cli.options import LabelOption, WorkspaceOption, assignments, opened
from miscope.cli.printing import note
from miscope.cli.sources import line_on_assumed, lines_on_files
from miscope.commands import in_workspace
from miscope.errors import BadValue
from miscope.store.origin import Standing, imported_files
from miscope.store.standing import standing_of

if TYPE_CHECKING:
    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["add_to"]


def add_to(cli: typer.Typer) -> None:
    """The command `import`."""
    cli.command("import", rich_help_panel="Make")(adopt)


def _held(standing: Standing) -> str:
    count = len(standing.steps)
    return f"{count} checkpoint{'s' * (count != 1)}" if count else str(standing)


def _module(place: Workspace, path: Sequence[Path], name: str | None, **module: Any) -> Variant:
    from miscope.importing.modules import adopt_module

    given = {"--as": name, "--build": module["build"], "--probe": module["probe"]}
    if lacking := [option for option, value in given.items() if value is None]:
        raise BadValue(
            f"The checkpoints of a module of your own need {' and '.join(lacking)}.",
            "A name, the function that makes the module, and a file with the inputs it is shown.",
            "Give all three:  --as NAME --build package.module:function --probe FILE",
        )
    return adopt_module(place, path, name=str(name), **module)


def _take_in(place: Workspace, archives: Sequence[Path]) -> None:
    """Import bundles, and say of each variant what there is of it."""
    from miscope.importing.bundle import import_bundle, read_bundle

    for archive in archives:
        bundle = read_bundle(archive)
        names = [variant.name for variant in bundle.manifest.variants]
        known = {name for name in names if place.store.layout.record(name).exists()}
        with_bar(import_bundle(place, bundle))
        for name in names:
            standing = standing_of(place.store, name)
            assert standing is not None, "it is there now"
            print(f"{name}: {_held(standing)}{', here already' * (name in known)}")


def adopt(
    path: Annotated[
        list[Path] | None,
        typer.Argument(help="Checkpoint files, or a folder of them; or a bundle.", show_default=False),
    ] = None,
    metrics: Annotated[
        list[Path] | None,
        typer.Option("--metrics", metavar="FILE", help="Losses without weights: CSV, JSON, Parquet."),
    ] = None,
    family: Annotated[str | None, typer.Option(help="The family they are of.  (default: the one that fits)")] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", metavar="KEY=VALUE", help="A parameter, or how it was trained.")
    ] = None,
    label: LabelOption = None,
    build: Annotated[
        str | None,
        typer.Option(metavar="MODULE:FUNCTION", help="What makes a module of your own; with --as and --probe."),
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", metavar="KEY=VALUE", help="What that function is called with.")
    ] = None,
    probe: Annotated[Path | None, typer.Option(metavar="FILE", help="Its inputs: .npz or .safetensors.")] = None,
    named: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="OWN=NAME", help="What its parameter or submodule OWN is called here."),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="PATTERN", help="Tensors to leave out, or words of a configuration."),
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Adopt checkpoints made elsewhere, weights only, or losses alone; nothing in the files is executed.

    An archive that `miscope bundle` made brings its variants as they are.
    """
    from miscope.importing import adopt as importing
    from miscope.importing.bundle import bundles
    from miscope.importing.foreign.paths import checkpoint_files

    place = opened(workspace)
    others = (metrics, family, param, label, build, option, probe, named, ignore)
    if archives := bundles(path or (), *others):
        _take_in(place, archives)
        return
    words = {"options": assignments(option or ()), "names": assignments(named or ())}
    module: dict[str, Any] = {"build": build, "probe": probe, **words}
    if any(module.values()):
        known = "The function that makes it says what it is; --option gives it its values."
        todo = "Leave it out, or --build and what goes with it."
        refuse_dropped(True, "for a module of your own", known, todo, family=family, param=param)
        adopted = [_module(place, path or (), label, metrics=metrics or (), ignore=ignore or (), **module)]
    else:
        options = {"family": family, "params": assignments(param or ()), "name": label, "ignore": ignore or ()}
        adopted = importing.adopt(place, path or (), metrics=metrics or (), **options)
    given = [*(checkpoint_files(path) if path else ()), *(metrics or ())]
    for variant in adopted:
        standing = standing_of(place.store, variant.name)
        assert standing is not None, "it was imported just now"
        print(f"{variant.name}: {_held(standing)}")
        for line in lines_on_files(imported_files(standing.facts), {file.name for file in given}):
            note(line)
        if assumed := standing.facts.get("assumed"):
            note(line_on_assumed(assumed))
        for step in standing.steps:
            if unfinite := place.store.unfinite(variant.name, step):
                note(f"At step {step}, {unfinite}: no instrument looks at it.")
        note(f"To look at it:  {in_workspace(place.root, f'miscope analyze {variant.name}')}")
