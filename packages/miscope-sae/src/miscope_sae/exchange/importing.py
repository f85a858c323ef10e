"""Autoencoders that another library trained become variants, each of one checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from miscope.commands import in_workspace
from miscope.errors import BadFile, BadValue
from miscope.finiteness import not_finite
from miscope.importing.adopt import write_adopted
from miscope.importing.foreign_file import ForeignFile
from miscope.importing.recognising import Adopted, ImportChoices
from miscope.jsonable import jsonable
from miscope_sae.exchange.foreign_autoencoder import ForeignAutoencoder, read_folder
from miscope_sae.exchange.foreign_file import refusing
from miscope_sae.exchange.matching_family import MatchingFamily, matching_family
from miscope_sae.rows.source_rows import SourceRows
from miscope_sae.series.autoencoders import check_sites, one_checkpoint

if TYPE_CHECKING:
    from miscope import SourceCheckpoint, Variant
    from miscope.bound import BoundVariant
    from miscope.workspace import Workspace
    from miscope_sae.params import Positions

__all__ = ["import_autoencoder", "imported"]

_DIGITS = 12


def imported(  # noqa: PLR0913 - where it is from, keyword-only
    run: BoundVariant,
    folder: str | Path,
    *,
    step: str | int = "last",
    site: str | None = None,
    target_site: str | None = None,
    positions: Positions = "answer",
) -> BoundVariant:
    """The autoencoder in a folder of SAELens, dictionary_learning or sparsify, as a variant built on this run.

    step: of the run's checkpoint it is of. site: None for the one that its files name. target_site: of a transcoder.
    positions: 'all' to look at it at every position of an input.
    Raises BadFile, BadValue and UnknownName, before it is written: where its widths are not those of the site, where
    there are no such rows of the site, and where a weight is no number. Nothing that is there is replaced.
    """
    from miscope.bound import BoundVariant

    place = run.workspace
    fields = {"step": step, "site": site, "target_site": target_site, "positions": positions}
    return BoundVariant(place, import_autoencoder(place.value, run.value, Path(folder), fields))


def import_autoencoder(
    workspace: Workspace, source: Variant, folder: Path, fields: Mapping[str, str | int | None]
) -> Variant:
    """The variant that an autoencoder in a folder becomes; fields: 'step', 'site', 'target_site', 'positions'; see
    `imported`."""
    found = read_folder(folder.expanduser())
    _check_numbers(found)
    with refusing(found.weights, todo=None):
        matching = matching_family(found.coder)
    where = _where(workspace, source, found, fields)
    workspace.keep_record(source)
    given = {**matching.params, **where, "imported": found.sha256[:_DIGITS]}
    variant = workspace.variant(matching.family, **given)
    context = workspace.context(variant)
    _check_widths(found, context.sources)
    context.probe()  # What instruments will be shown: BadValue where there are no such rows.
    adopted = _adopted(found, matching, variant, str(where["site"]))
    again = in_workspace(workspace.root, f"miscope delete {variant.name}")
    apart = f"Import the folder as it was the first time; or delete what came of that:  {again}"
    (written,) = write_adopted(workspace, [adopted], ImportChoices(apart=apart))
    return written


def _where(
    workspace: Workspace, source: Variant, found: ForeignAutoencoder, fields: Mapping[str, str | int | None]
) -> dict[str, object]:
    """The parameters that say what it is built on; BadValue where one is missing, UnknownName where it is not there."""
    said = found.coder.metadata.get("hook_name")
    site = fields.get("site") or said
    if not isinstance(site, str):
        raise BadValue(
            f"{found.weights.parent} does not say of which site it is.",
            f"{source.name} has: {', '.join(sorted(workspace.context(source).model.sites))}.",
            "Name it:  --site SITE",
            field="site",
        )
    step = fields.get("step")
    chosen = one_checkpoint(workspace, source.name, "last" if step is None else step)
    targets = _target(found, fields.get("target_site"))
    check_sites(workspace, source, (site, *targets.values()))
    positions = fields.get("positions") or "answer"
    return {"variant": source.name, "step": chosen, "site": site, "positions": positions, **targets}


def _target(found: ForeignAutoencoder, asked: str | int | None) -> dict[str, str]:
    """{'target_site': ...} of a transcoder, else {}."""
    said = found.coder.metadata.get("hook_name_out")
    if not found.coder.is_transcoder:
        if asked is None:
            return {}
        raise BadValue(
            f"{found.weights.parent} holds an autoencoder, and was given the target site {asked!r}.",
            "What an autoencoder reconstructs is the site that it reads.",
            "Leave it out.",
            field="target_site",
        )
    target = asked or said
    if not isinstance(target, str):
        raise BadValue(
            f"{found.weights.parent} holds a transcoder, and does not say which site it reconstructs.",
            "A transcoder reads one site and reconstructs another.",
            "Name it:  --target-site SITE",
            field="target_site",
        )
    return {"target_site": target}


def _check_numbers(found: ForeignAutoencoder) -> None:
    """BadFile where a weight is NaN or infinite: of such a checkpoint, its only one, no instrument says anything."""
    if what := not_finite(found.coder.tensors):
        raise BadFile(found.weights, f"{what}.", "Take one that was written before its training diverged.")


def _check_widths(found: ForeignAutoencoder, sources: tuple[SourceCheckpoint, ...]) -> None:
    """BadFile where rows of what it is built on are of other widths than the coder's."""
    for source, width, does in zip(sources, (found.coder.d_in, found.coder.d_out), ("takes", "gives"), strict=False):
        if (there := SourceRows(source).width) != width:
            raise BadFile(
                found.weights,
                f"It {does} rows of {width}, and those at {source.source} have {there}.",
                "Name the variant and the site that it was trained on.",
            )


def _adopted(found: ForeignAutoencoder, matching: MatchingFamily, variant: Variant, site: str) -> Adopted:
    """As a file with one state: what is known of it is kept with the variant."""
    about = jsonable(found.coder.metadata)
    assert isinstance(about, dict)
    known = about.get("miscope")
    told = known.get("step") if isinstance(known, dict) else None
    step = told if isinstance(told, int) and not isinstance(told, bool) and told >= 0 else None
    said = about.get("hook_name")
    other = (f"Its files say that it is of {said}.",) if isinstance(said, str) and said != site else ()
    file = ForeignFile(
        path=found.weights,
        sha256=found.sha256,
        states=((step or 0, matching.weights),),
        steps_from="nothing: it says of no update" if step is None else "what miscope wrote beside it",
        config=about,
        notes=(f"Read as {found.library} has it, of the architecture {found.coder.architecture!r}.", *other),
    )
    return Adopted(file=file, variant=variant, weights=tuple((at, dict(kept)) for at, kept in file.states))
