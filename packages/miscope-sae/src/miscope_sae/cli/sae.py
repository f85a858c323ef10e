"""`miscope sae`: train autoencoders of a variant's checkpoints, one or all of them; write one for SAELens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from miscope.cli.dropped import refuse_dropped
from miscope.cli.options import WorkspaceOption, assignments, folder, opened
from miscope.cli.printing import note
from miscope.cli.queueing import PriorityOption, QueueOption, enqueue_chains, following, only_with_queue

if TYPE_CHECKING:
    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["add_to"]


def add_to(cli: typer.Typer) -> None:
    """The commands of `sae`."""
    group = typer.Typer(
        rich_markup_mode=None, no_args_is_help=True, help="Sparse autoencoders of a trained variant's activations."
    )
    group.command()(train)
    group.command()(export)
    group.command("import")(import_folder)
    group.command()(certify)
    group.command()(presets)
    cli.add_typer(group, name="sae", rich_help_panel="Make")


def train(
    variant: Annotated[str, typer.Argument(metavar="VARIANT", help="Whose activations: a trained variant's name.")],
    site: Annotated[
        list[str], typer.Option(help="Where in its network: blocks.0.mlp.hook_post; a pattern, or several times.")
    ],
    fields: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Of the architecture: k=8 latents=2x seed=1.")
    ] = None,
    step: Annotated[
        str, typer.Option(metavar="STEP", help="Which of its checkpoints: last, first, best, all, 100, every:100.")
    ] = "last",
    architecture: Annotated[
        str | None,
        typer.Option(
            help="standard, topk, batchtopk, jumprelu, gated, matryoshka, skip, transcoder, crosscoder, or a "
            "plug-in's.  (default: topk)"
        ),
    ] = None,
    target_site: Annotated[
        str | None, typer.Option(help="Of a transcoder: which site it reconstructs from --site.  blocks.0.hook_mlp_out")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="`miscope sae presets` lists them; what is given here goes first."),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Updates of each.  (default: the family's)")] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="How to train: learning_rate=3e-4.")
    ] = None,
    warm: Annotated[
        bool, typer.Option("--warm", help="Begin each with the weights of that of the checkpoint before.")
    ] = False,
    backward: Annotated[
        bool, typer.Option("--backward", help="With --warm: begin with the last checkpoint and go to the first.")
    ] = False,
    warm_steps: Annotated[
        int | None,
        typer.Option(min=1, help="With --warm: updates of all but the first.  (default: a share of that one's)"),
    ] = None,
    untrained: Annotated[
        bool,
        typer.Option("--untrained/--no-untrained", help="One of the first checkpoint too, to compare with."),
    ] = True,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, mps.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; 1 makes runs repeat bit by bit.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it will take and what its fields come to, and train nothing.")
    ] = False,
    queued: QueueOption = False,
    then: Annotated[
        str | None, typer.Option(metavar="analyze[:NAME,...]", help="With --queue: what follows each training.")
    ] = None,
    priority: PriorityOption = 0,
    workspace: WorkspaceOption = None,
) -> None:
    """Train an autoencoder of a site at a checkpoint, one of each of several, or a crosscoder of several checkpoints.

    Each is a variant of its own: `miscope analyze`, `miscope show` and the page take it like any other. Ctrl-C stops;
    the same command goes on from there.
    """
    from miscope.train_options import TrainOptions
    from miscope.train_request import train_request
    from miscope_sae.cli.beforehand import tell, tell_all
    from miscope_sae.series.autoencoders import autoencoder_variants, chosen_checkpoints, chosen_sites, with_untrained
    from miscope_sae.series.given_apart import refuse_apart

    place = opened(workspace)
    only_with_queue(queued, then=then, priority=priority)
    known = "It says how a series goes in which each begins with the weights of the one before."
    todo = "Add --warm, or leave it out."
    refuse_dropped(not warm, "without --warm", known, todo, backward=backward, warm_steps=warm_steps)
    source = _one(place, variant)
    given = assignments([*(fields or ()), *(setting or ())]) | ({} if steps is None else {"steps": steps})
    refuse_apart(given)
    given |= {} if target_site is None else {"target_site": target_site}
    given |= {"architecture": architecture, "preset": preset}
    given |= {"warm": "backward" if backward else "forward", "warm_steps": warm_steps} if warm else {}
    sites, chosen = chosen_sites(place, source, site), chosen_checkpoints(place, source.name, step)
    variants = (with_untrained if untrained else autoencoder_variants)(place, source, sites, chosen, given)
    if dry_run:
        raise typer.Exit(tell_all(place, variants, threads))
    note(f"{len(variants)} of {variants[0].family} at {', '.join(sites)} of {source.name}  in {place.root}")
    tell(place, variants, threads)
    requests = [train_request(one, TrainOptions(device=device, threads=threads)) for one in variants]
    if queued:
        chains = [[request, *following(then, one.name)] for request, one in zip(requests, variants, strict=True)]
        enqueue_chains(place, chains, priority=priority, after=(), as_json=False)
        return
    from miscope_sae.cli.training import train_all

    raise typer.Exit(train_all(place, requests, variants))


def export(
    variant: Annotated[str, typer.Argument(metavar="VARIANT", help="A trained autoencoder's name.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", parser=folder, help="Where the files go.")],
    step: Annotated[
        str, typer.Option(metavar="STEP", help="Which of its checkpoints: last, first, best, 100.")
    ] = "last",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="In the place of the one that is there.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write an autoencoder as files that `sae_lens.SAE.load_from_disk` loads, and compare what comes out of them."""
    from miscope.cli.targets import step_meant
    from miscope_sae.exchange.exporting import export_autoencoder

    place = opened(workspace)
    meant = _one(place, variant)
    distance = export_autoencoder(place, meant, step_meant(place, [meant], step), out, overwrite=overwrite)
    print(f"{out}: reconstructions differ by {distance:.1g}, relative to the largest")


def import_folder(
    path: Annotated[Path, typer.Argument(metavar="FOLDER", parser=folder, help="What the other library wrote.")],
    of: Annotated[str, typer.Option(metavar="VARIANT", help="Whose activations it was trained on.")],
    step: Annotated[
        str, typer.Option(metavar="STEP", help="At which of its checkpoints: last, first, best, 100.")
    ] = "last",
    site: Annotated[str | None, typer.Option(help="Where in its network.  (default: what the files say)")] = None,
    target_site: Annotated[str | None, typer.Option(help="Of a transcoder: which site it reconstructs.")] = None,
    positions: Annotated[
        str, typer.Option(help="Where it is looked at: answer, the last position of an input, or all of them.")
    ] = "answer",
    workspace: WorkspaceOption = None,
) -> None:
    """Import an autoencoder of SAELens, dictionary_learning or sparsify as a variant with one checkpoint.

    Instruments and views take it like one that was trained here. Which inputs it was trained on nobody knows, so
    nothing counts as held out.
    """
    from miscope_sae.exchange.importing import import_autoencoder

    place = opened(workspace)
    fields = {"step": step, "site": site, "target_site": target_site, "positions": positions}
    print(import_autoencoder(place, _one(place, of), path, fields).name)


def certify(
    variant: Annotated[str, typer.Argument(metavar="VARIANT", help="A trained crosscoder's name.")],
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; 1 makes runs repeat bit by bit.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it will take and what is drawn, and train nothing.")
    ] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Say how many births a crosscoder finds where they are known: one of its configuration is trained on them.

    The activations are drawn as wide and as noisy as those it is built on, at as many checkpoints and inputs, with as
    many features on as it has latents active, an eighth of all at most. The trial is a variant of its own.
    """
    from miscope_sae.cli.certifying import certified

    place = opened(workspace)
    raise typer.Exit(certified(place, _one(place, variant, no_trials=True), threads=threads, dry_run=dry_run))


def presets(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Print this one, as a study's file; with --save: keep it."),
    ] = None,
    save: Annotated[bool, typer.Option("--save", help="Keep them as templates of the workspace.")] = False,
    variant: Annotated[
        str | None, typer.Option(metavar="VARIANT", help="With --save: whose activations they are of, if of one alone.")
    ] = None,
    site: Annotated[str | None, typer.Option(help="With --save: where in its network, if at one alone.")] = None,
    step: Annotated[
        str | None, typer.Option(metavar="STEP", help="With --save: at which checkpoint of --variant.  (default: last)")
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """List the hyperparameters that come with this package; `miscope sae train --preset NAME` takes them."""
    from miscope.cli.printing import print_table
    from miscope_sae.series.preset import PRESETS

    if save:
        place = opened(workspace)
        for line in PRESETS.save(place, _built_on(place, variant, site, step), only=name):
            note(line)
        return
    for option, given in (("--variant", variant), ("--site", site), ("--step", step)):
        if given is not None:
            raise typer.BadParameter(f"{option} means something with --save only.")
    if name is not None:
        print(PRESETS.text(name), end="")
    else:
        rows = [(each, PRESETS.study(each).values["family"], title) for each, title in PRESETS.titles().items()]
        print_table(("preset", "family", "for"), rows)


def _built_on(place: Workspace, variant: str | None, site: str | None, step: str | None) -> dict[str, object]:
    """The fields that say so, of what is given; BadValue where one names several."""
    from miscope.errors import BadValue
    from miscope_sae.series.autoencoders import check_sites, one_checkpoint

    found: dict[str, object] = {} if site is None else {"site": site}
    if variant is None:
        if step is not None:
            raise BadValue(
                f"Of which variant is the checkpoint {step!r}?",
                "A template that names none is of any.",
                "Give the variant too:  --variant VARIANT",
            )
        return found
    source = _one(place, variant)
    if site is not None:
        check_sites(place, source, (site,))
    return {**found, "variant": source.name, "step": one_checkpoint(place, source.name, step or "last")}


def _one(place: Workspace, name: str, *, no_trials: bool = False) -> Variant:
    """The variant of that name; BadValue where it names several, of which trials of crosscoders may be left out."""
    from miscope.cli.targets import variants_meant
    from miscope.errors import BadValue

    meant = variants_meant(place, [name])
    if no_trials:
        from miscope_sae.known.certifying import is_trial

        meant = [one for one in meant if not is_trial(one)] or meant
    if len(meant) != 1:
        raise BadValue(
            f"{name!r} names {len(meant)} variants.",
            f"They are: {', '.join(one.name for one in meant)}.",
            "Give the name of one.",
        )
    return meant[0]
