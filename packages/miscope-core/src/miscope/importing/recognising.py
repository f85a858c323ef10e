"""Of which family and variant a foreign file is: every tensor has its place, and nothing in it says otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, final

from pydantic import ValidationError

from miscope.errors import BadFile, BadValue, MiscopeError
from miscope.family import Family, make_variant
from miscope.importing.configuration import contradictions, params_in_config, training_in_file, worded, words_of
from miscope.importing.foreign.misfit import refused_by_all, unrecognised
from miscope.importing.foreign.names import idle
from miscope.importing.foreign.roles import by_role
from miscope.importing.foreign.sizes import at_another_value, sizes_of
from miscope.importing.foreign.split import notes_on_split
from miscope.importing.foreign_file import ForeignFile
from miscope.patterns import matches
from miscope.store.leftovers import unused
from miscope.training_config import TrainingConfig
from miscope.validation import checked_variant, split_fields
from miscope.variant import Variant

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.description import Description
    from miscope.importing.foreign.curves import Curve

__all__ = ["Adopted", "ImportChoices", "recognised", "recognised_curve"]

_FEW = 6
_NOTHING_EXTRA = ("no_decay", "clip_norm", "warmup_steps", "momentum")
"""Fields of the training that say nothing where they are empty or 0."""


@final
@dataclass(frozen=True, kw_only=True)
class ImportChoices:
    """What whoever imports says of files, beside what they say themselves."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    """Parameters and training fields."""
    ignore: tuple[str, ...] = ()
    """Patterns of tensors and of words of a configuration that are left out."""

    description: Description | None = None
    """Of a described family: what it makes of the one variant that the files are of."""
    apart: str | None = None
    """What to do about files that are of another training than what is there; None: what `miscope import` offers."""

    def ignores(self, name: str) -> bool:
        return any(matches(name, pattern) for pattern in self.ignore)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Adopted:
    """One file, the variant it belongs to, and its weights by role."""

    file: ForeignFile
    variant: Variant
    weights: tuple[tuple[int, dict[str, Tensor]], ...] = ()
    assumed: Mapping[str, object] = field(default_factory=dict)
    """Fields at the family's default that neither the file nor the choices say."""
    overruled: tuple[str, ...] = ()
    """Words of the configuration that the choices contradict."""
    notes: tuple[str, ...] = ()


def recognised(file: ForeignFile, families: Sequence[Family], choices: ImportChoices) -> Adopted:
    """The file as of the one family that takes all its tensors and that it does not contradict; BadFile or BadValue.

    Where none takes them at the parameters that are given, said or default, sizes are taken from the tensors.
    """
    tried = [_tried(file, family, choices) for family in families]
    if not any(one.adopted or one.other for one in tried):
        sized = [_tried(file, one.family, _sized(file, one, choices)) for one in tried if one.params is not None]
        tried = sized if any(one.adopted or one.other for one in sized) else tried
    fitting = [one.adopted for one in tried if one.adopted is not None]
    if len(fitting) == 1:
        return fitting[0]
    known = [(one.family, one.params) for one in tried if one.params is not None]
    if not known:
        raise refused_by_all(families, [one.refusal for one in tried if one.refusal is not None])
    if fitting:
        names = ", ".join(one.variant.family for one in fitting)
        problem = f"It fits {len(fitting)} families: {names}."
        raise BadFile(file.path, problem, "Name one:  --family " + names.split(",")[0])
    others = [one.other for one in tried if one.other is not None]
    raise others[0] if others else unrecognised(file.path, file.states[0][1], known)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Tried:
    """What became of a file as one of a family."""

    family: Family
    params: Any = None
    """None where the family refuses the fields, which is the refusal."""
    refusal: MiscopeError | None = None
    adopted: Adopted | None = None
    other: BadValue | None = None
    """Why it is of another model though its weights are found."""


def _tried(file: ForeignFile, family: Family, choices: ImportChoices) -> _Tried:
    try:
        worded_file = worded(family, file, choices.fields, choices.ignores)
        variant = _variant(family, worded_file, choices)
    except MiscopeError as error:
        return _Tried(family=family, refusal=error)
    by_roles = [by_role(file.path, family, state, variant.params) for _, state in file.states]
    states = [one for one in by_roles if one is not None]
    if not by_roles or len(states) < len(by_roles):
        return _Tried(family=family, params=variant.params)
    try:
        return _Tried(
            family=family, params=variant.params, adopted=_fitted(worded_file, family, variant, choices, states)
        )
    except BadValue as error:
        return _Tried(family=family, params=variant.params, other=error)


def _sized(file: ForeignFile, tried: _Tried, choices: ImportChoices) -> ImportChoices:
    """The choices with the parameters that the shapes of the tensors decide."""
    given = {*choices.fields, *params_in_config(tried.family, file.config)}
    sizes = sizes_of(tried.family, file.states[0][1], tried.params, given)
    return replace(choices, fields={**sizes, **choices.fields})


def recognised_curve(curve: Curve, family: Family, choices: ImportChoices) -> Adopted:
    """A curve as of the variant that it and the choices say; BadValue where its configuration says another model."""
    held = {"metrics": curve.metrics, "config": curve.fields, "words": curve.words, "notes": curve.notes}
    file = ForeignFile(path=curve.path, sha256=curve.sha256, states=(), steps_from="", **held)
    file = worded(family, file, choices.fields, choices.ignores)
    variant = _variant(family, file, choices)
    overruled = tuple(word for name in choices.fields for word in words_of(family, name))
    _refuse_contradictions(file, family, variant, choices, overruled)
    assumed = _assumed(family, variant, file, choices)
    return Adopted(file=file, variant=variant, assumed=assumed, overruled=overruled)


def _variant(family: Family, file: ForeignFile, choices: ImportChoices) -> Variant:
    given, given_training = split_fields(family, choices.fields)
    config = {word: value for word, value in file.config.items() if not choices.ignores(word)}
    params = {**params_in_config(family, config), **given}
    training = {**training_in_file(family, file), **given_training}
    try:
        trained = make_variant(family, params).training is not None
    except ValidationError:
        trained = True  # checked_variant says what is wrong
    return checked_variant(family, params, training if trained else None)


def _fitted(
    file: ForeignFile,
    family: Family,
    variant: Variant,
    choices: ImportChoices,
    states: Sequence[tuple[dict[str, Tensor], Mapping[str, Tensor]]],
) -> Adopted:
    """The file as of this variant; BadValue where it is of another model."""
    overruled = tuple(word for name in choices.fields for word in words_of(family, name))
    _refuse_contradictions(file, family, variant, choices, overruled)
    left = _left_over(family, variant, [named for _, named in states])
    _refuse_leftovers(file, family, {name: t for name, t in left.items() if not choices.ignores(name)})
    steps = [step for step, _ in file.states]
    ignored = (f"Left out: {_listing(left)}.",) if left else ()
    return Adopted(
        file=file,
        variant=variant,
        weights=tuple((step, weights) for step, (weights, _) in zip(steps, states, strict=True)),
        assumed=_assumed(family, variant, file, choices),
        overruled=overruled,
        notes=(*ignored, *notes_on_split(file.split, family.probes(variant))),
    )


def _refuse_contradictions(
    file: ForeignFile, family: Family, variant: Variant, choices: ImportChoices, overruled: Sequence[str]
) -> None:
    if family.described:
        return  # what was described is the network itself, whatever words it is given
    for word, written, true in contradictions(family, family.model(variant.params), file):
        if word in overruled or choices.ignores(word):
            continue
        raise BadValue(
            f"{file.path} is of another model than {family.name}.",
            f"It says {word}={written!r}, and of {variant.name} it is {true}.",
            f"Give the family it is of (--family); or, if the word is wrong, leave it out of account:  --ignore {word}",
        )


def _left_over(family: Family, variant: Variant, states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors of any state that no weight is made of and that are neither buffers nor biases of zeros."""
    known: dict[frozenset[str], tuple[str, ...]] = {}
    left: dict[str, Tensor] = {}
    for state in states:
        names = frozenset(state)
        if names not in known:
            known[names] = unused(family, state, variant.params)
        left |= {name: state[name] for name in known[names] if idle(name, state[name]) is None}
    return left


def _refuse_leftovers(file: ForeignFile, family: Family, left: Mapping[str, Tensor]) -> None:
    if not left:
        return
    several = f"{len(left)} tensors that have" if len(left) > 1 else "a tensor that has"
    raise BadValue(
        f"{file.path} is of another model than {family.name}: it holds {several} no place in it.",
        f"{_listing(left)}.",
        f"Give the family it is of (--family); or leave them out on purpose:  --ignore '{_pattern(list(left))}'",
    )


def _listing(tensors: Mapping[str, Tensor]) -> str:
    shown = [f"{name} ({', '.join(map(str, t.shape))})" for name, t in list(tensors.items())[:_FEW]]
    return ", ".join(shown) + (f", and {len(tensors) - _FEW} more" if len(tensors) > _FEW else "")


def _pattern(names: Sequence[str]) -> str:
    """What all begin with up to a dot; the names, parted by bars, where that is nothing."""
    shared = ""
    for letters in zip(*names, strict=False):
        if len(set(letters)) > 1:
            break
        shared += letters[0]
    common = shared[: shared.rfind(".") + 1]
    return f"{common}*" if common and len(names) > 1 else "|".join(names)


def _assumed(family: Family, variant: Variant, file: ForeignFile, choices: ImportChoices) -> dict[str, object]:
    """Fields that are at their default for want of a word; a size that the tensors decide is none of them."""
    given = {*choices.fields, *params_in_config(family, file.config)}
    assumed = {
        name: value
        for name, value in variant.params.model_dump(mode="json").items()
        if name not in given and not _decided(family, variant, name, file)
    }
    if variant.training is not None:
        given |= {*training_in_file(family, file), *variant.training.idle_fields()}
        assumed |= {
            name: value
            for name, value in _chosen(variant.training).items()
            if name not in given and (value or name not in _NOTHING_EXTRA)
        }
    return assumed


def _chosen(training: TrainingConfig) -> dict[str, object]:
    """What decides the weights: fields of the family's own, and core's, without later ones at their default."""
    values = training.model_dump(mode="json", include=set(training.identity_fields()))
    of_family = set(values) - set(TrainingConfig.identity_fields())
    return {name: v for name, v in values.items() if name in of_family or name in training.identity_of(values)}


def _decided(family: Family, variant: Variant, name: str, file: ForeignFile) -> bool:
    """Whether the tensors, if there are any, would not fit with another value of this whole number."""
    other = at_another_value(family, variant.params, name) if file.states else None
    return other is not None and by_role(file.path, family, file.states[0][1], other) is None
