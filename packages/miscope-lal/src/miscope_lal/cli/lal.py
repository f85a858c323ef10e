"""`miscope lal`: trainings and sweeps in the words of Least Action Learning's own commands and files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from miscope.cli.options import JsonOption, WorkspaceOption, assignments, folder, opened
from miscope.cli.printing import note

if TYPE_CHECKING:
    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["add_to"]

_PANEL = "Least Action Learning"
ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="A configuration in YAML.", parser=folder)
]


def add_to(cli: typer.Typer) -> None:
    """The commands of `lal`."""
    group = typer.Typer(
        rich_markup_mode=None, no_args_is_help=True, help="Trainings in the words of Least Action Learning's files."
    )
    group.command()(train)
    group.command()(sweep)
    group.command()(presets)
    cli.add_typer(group, name="lal", rich_help_panel="Make")


def train(
    config: ConfigOption = None,
    p: Annotated[int | None, typer.Option(help="The modulus.")] = None,
    operation: Annotated[str | None, typer.Option(help="add, multiply, subtract, divide, both.")] = None,
    train_frac: Annotated[float | None, typer.Option(help="Share of the pairs trained on.")] = None,
    model_type: Annotated[
        str | None, typer.Option(help="baseline, routed, single_head, transformer, routed_transformer.")
    ] = None,
    hidden_dim: Annotated[int | None, typer.Option(help="Width.")] = None,
    n_layers: Annotated[int | None, typer.Option(help="Layers.")] = None,
    n_heads: Annotated[int | None, typer.Option(help="Heads.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Updates in all.")] = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate.")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Of the weights that decay.")] = None,
    beta1: Annotated[float | None, typer.Option(help="Adam's first.")] = None,
    beta2: Annotated[float | None, typer.Option(help="Adam's second.")] = None,
    eps: Annotated[float | None, typer.Option(help="Adam's.")] = None,
    warmup_epochs: Annotated[int | None, typer.Option(help="Updates over which the rate rises.")] = None,
    routing_reg: Annotated[
        str | None, typer.Option(help="entropy, sparsity, gini, consistency, none: penalty on routing.")
    ] = None,
    lambda_routing: Annotated[float | None, typer.Option(help="Its coefficient.")] = None,
    lambda_spectral: Annotated[float | None, typer.Option(help="Of the penalty on rough answers.")] = None,
    log_every: Annotated[int | None, typer.Option(help="Epochs from one line to the next.")] = None,
    save_routing_every: Annotated[
        int | None, typer.Option(help="Means nothing: routing is computed of every checkpoint.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the first weights.")] = None,
    name: Annotated[str | None, typer.Option(help="What the run is called in what is printed.")] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any other key of a configuration.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it stopped, as it does without, too.")] = False,
    extra_epochs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Train so many epochs beyond what was reached.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, mps.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; 1 makes runs repeat bit by bit.")] = None,
    output_dir: Annotated[
        Path | None,
        typer.Option(metavar="<path>", parser=folder, help="Where history.parquet and config.json are written too."),
    ] = None,
    queued: Annotated[bool, typer.Option("--queue", help="Put it into the queue and return.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Train as a configuration says; what is given here stands over the file, and the file over the defaults.

    A line of the log is printed at every `log_every` epochs. What is there already is gone on with, never overwritten.
    """
    from miscope_lal.seed.config_file import read_config

    options = {
        "p": p, "operation": operation, "train_frac": train_frac, "model_type": model_type, "hidden_dim": hidden_dim,
        "n_layers": n_layers, "n_heads": n_heads, "epochs": epochs, "lr": lr, "weight_decay": weight_decay,
        "beta1": beta1, "beta2": beta2, "eps": eps, "warmup_epochs": warmup_epochs, "routing_regularizer": routing_reg,
        "lambda_routing": lambda_routing, "lambda_spectral": lambda_spectral, "log_every": log_every,
        "save_routing_every": save_routing_every, "seed": seed, "name": name,
    }  # fmt: skip
    given = {key: value for key, value in options.items() if value is not None} | assignments(setting or ())
    asked = read_config(config, given)
    place = opened(workspace)
    variant = place.variant(asked.family, **asked.fields)
    total = _reached(place, variant) + extra_epochs if extra_epochs else None
    from miscope_lal.seed.training_run import TrainingRun

    run = TrainingRun(config=asked, variant=variant, steps=total, device=device, threads=threads, output=output_dir)
    raise typer.Exit(run.queue(place) if queued else run.train(place))


def _reached(place: Workspace, variant: Variant) -> int:
    """The last step that there is of it; 0 where there is none."""
    from miscope.store.standing import standing_of

    standing = standing_of(place.store, variant.name)
    return 0 if standing is None else max(standing.steps, default=0)


def sweep(
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="A sweep in YAML.", parser=folder)],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show every run with all its settings, and run none.")
    ] = False,
    experiment: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only the one of this name (repeatable).")
    ] = None,
    start_from: Annotated[int, typer.Option(min=0, metavar="I", help="Leave out the first I of these.")] = 0,
    jobs: Annotated[int | None, typer.Option(min=1, metavar="N", help="So many at a time.")] = None,
    queued: Annotated[bool, typer.Option("--queue", help="Put them into the queue and return.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the experiments of a sweep: finished ones are skipped, shorter ones extended, failed ones retried."""
    from ruamel.yaml import YAML

    from miscope.cli.sweep import sweep as run_study
    from miscope_lal.seed.config_file import read_sweep, study_values

    values = study_values(read_sweep(config), config)
    with tempfile.TemporaryDirectory() as scratch:
        study = Path(scratch) / f"{config.stem}.yaml"
        with study.open("w", encoding="utf-8") as file:
            YAML(typ="safe").dump(values, file)
        asked: dict[str, Any] = {"executor": "processes" if jobs else "inline", "jobs": jobs, "queued": queued}
        run_study(str(study), dry_run, experiment, start_from, None, workspace=workspace, as_json=as_json, **asked)


def presets(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Print this one, as a study's file.")] = None,
    save: Annotated[bool, typer.Option("--save", help="Keep them as templates of the workspace; NAME alone.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """List the studies that come with this package; `miscope sweep` runs one once it is saved, or written to a file."""
    from miscope_lal.seed.presets import PRESETS

    if save:
        for line in PRESETS.save(opened(workspace), only=name):
            note(line)
        return
    if name is not None:
        print(PRESETS.text(name), end="")
        return
    from miscope.cli.printing import print_table

    print_table(("study", "for"), PRESETS.titles().items())
