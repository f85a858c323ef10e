"""What every autoencoder of one site has in common: its source, its inputs and how they are split, its training."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast, final

from miscope import Basis, Family, Objective, Probe, Remark, Source, Task, Term, Variant
from miscope.errors import BadValue
from miscope_sae.advice.latent_range import check_latents
from miscope_sae.advice.lengths import length_fields
from miscope_sae.advice.usual_fields import USUAL
from miscope_sae.architecture import AXES, check_names
from miscope_sae.params import STREAM, AutoencoderParams, latent_count
from miscope_sae.roles import DECODER, DECODER_BIAS, ENCODER, ENCODER_BIAS
from miscope_sae.training import SparseTraining
from miscope_sae.warm_start import begins_with, weights_begun_with

if TYPE_CHECKING:
    from torch import Tensor

    from miscope import SourceCheckpoint, TrainingSoFar, TranslatedFields
    from miscope_sae.architecture import Architecture
    from miscope_sae.autoencoder_model import AutoencoderModel
    from miscope_sae.params import Positions
    from miscope_sae.rows.normalisation import Scale
    from miscope_sae.rows.source_rows import SourcesRows
    from miscope_sae.rows.training_rows import TrainingRows
    from miscope_sae.setting import Setting
    from miscope_sae.sparse_pass import PassOf
    from miscope_sae.updating import Constraints

__all__ = ["STEPS", "AutoencoderFamily"]

STEPS = 1_500
"""Updates of a training, unless told otherwise: enough for the inputs of a finite task."""


class AutoencoderFamily(Family):
    """An autoencoder of a site of another variant at one of its steps."""

    params = AutoencoderParams
    training_config = SparseTraining
    axes: ClassVar[Mapping[str, tuple[str, ...]]] = AXES
    """What each axis of a weight counts, by name: 'input' or 'latent'; of an architecture with weights of its own. What
    counts latents is drawn anew with them."""
    held: ClassVar[tuple[float, float]] = (2, 4)
    """Arrays of a number for each input and latent that it takes at once: while the loss of all inputs is measured, and
    of those of an update with its gradient. What is told of memory beforehand is by them."""
    settles: ClassVar[bool] = False
    """Whether a batch keeps k latents an input in training, and a running threshold decides once it is trained."""
    later_share: ClassVar[float] = 0.3
    """Updates of each later one of a warm series, over those of the first: with so many it leaves about 1.3
    times what one leaves that begins anew, or less."""
    of_several: ClassVar[bool] = False
    """Whether one is built on several checkpoints together."""

    def __init__(self, sources: Sequence[SourceCheckpoint] = ()) -> None:
        self._sources = tuple(sources)

    @abstractmethod
    def architecture(self, params: Any, setting: Setting | None) -> Architecture:
        """Its functions; setting: of a training, None where it is only run."""

    @abstractmethod
    def terms(self, pass_of: PassOf, setting: Setting) -> tuple[Term, ...]:
        """What is descended, the reconstruction first."""

    def shapes(self, width: int, latents: int) -> Mapping[str, tuple[int, ...]]:
        """Of each weight, in order."""
        return {ENCODER: (width, latents), ENCODER_BIAS: (latents,), DECODER: (latents, width), DECODER_BIAS: (width,)}

    def first_weights(self, setting: Setting) -> dict[str, Tensor]:
        """The weights of step 0, by role."""
        from miscope_sae.architecture import first_weights
        from miscope_sae.updates.first_bias import first_bias

        training = setting.training
        norm = 1.0 if training.decoder_norm == "unit" else training.decoder_init_norm
        bias = first_bias(training.b_dec_init, setting.targets)
        return first_weights((setting.width, setting.latents), norm, bias, setting.seed)

    def constraints(self, setting: Setting) -> Constraints:
        """What its training does beside; by default nothing."""
        from miscope_sae.updating import Constraints

        return Constraints()

    @final
    def sources(self, params: Any) -> Sequence[Source]:
        return (*self.reads(params), *begins_with(params))

    def reads(self, params: Any) -> Sequence[Source]:
        """Whose activations it is trained on."""
        return (Source(variant=params.variant, step=params.step, site=params.site),)

    def built_on(self, steps: Sequence[int]) -> list[dict[str, object]]:
        """The parameters that name the checkpoints of each autoencoder that is meant by these: one of each."""
        return [{"step": step} for step in steps]

    def given(self, sources: Sequence[SourceCheckpoint]) -> Self:
        return type(self)(sources)

    def is_imported(self, params: Any) -> bool:
        """Whether its weights are from a file of another library, so that nothing of its training is known here."""
        return params.imported is not None

    def untrained(self, params: Any) -> Any | None:
        """Of the checkpoint before the first update, where every other is compared with it.

        None for one that is warm: few updates from drawn weights are no match for a series that led to it; and for one
        that is imported.
        """
        alone = params.warm is None and not self.is_imported(params)
        return params.model_copy(update={"step": 0}) if params.step and alone else None

    def length_fields(self, steps: int) -> dict[str, object]:
        """The fields of a training of so many updates that depend on its length."""
        return length_fields(steps)

    def read_hyperparameters(
        self, program: str, architecture: str, given: Mapping[str, Any]
    ) -> TranslatedFields | None:
        from miscope_sae.mistudio import PROGRAM, read_mistudio

        return read_mistudio(self, architecture, given) if program == PROGRAM else None

    @final
    def training(self, params: Any) -> SparseTraining | None:
        return None if self.is_imported(params) else self.usual_training(params)

    def usual_training(self, params: Any) -> SparseTraining:
        """How it is trained here unless told otherwise."""
        return cast("type[SparseTraining]", self.training_config).model_validate({**USUAL, **self.length_fields(STEPS)})

    def model(self, params: Any) -> AutoencoderModel:
        from miscope_sae.autoencoder_model import AutoencoderModel

        shapes = self.shapes_of(params)
        check_names(self.name, shapes, self.axes)
        return AutoencoderModel(
            self.architecture(params, None),
            shapes,
            params.normalize_activations,
            scales=lambda: self.scales_of(params),
            axes=self.axes,
        )

    def scales_of(self, params: Any) -> Sequence[Scale]:
        """What 'constant_norm' multiplies by, of each of what it is built on."""
        return [rows.scale for rows in self.rows_of(params).each]

    def shapes_of(self, params: Any) -> Mapping[str, tuple[int, ...]]:
        """Of each weight, in order, for the widths of what it is built on."""
        width = self.rows_of(params).each[0].width
        return self.shapes(width, latent_count(params.latents, width))

    def probes(self, variant: Variant) -> Mapping[str, Probe]:
        """What the source is shown, as its activations; `train` are the inputs that the autoencoder is trained on, if
        that is known."""
        from miscope_sae.rows.shown_rows import shown_rows

        rows = self.rows_of(variant.params)
        train = None if variant.training is None else self._training_rows(variant).trained_on
        probe = shown_rows(rows.each[0].source.probe, self.inputs_of(variant.params), rows.places, train)
        return {probe.name: probe}

    def bases(self, params: Any) -> Mapping[str, Basis]:
        """Those of the source that belong to columns of its probe."""
        source = self.rows_of(params).each[0].source
        return {name: basis for name, basis in source.bases.items() if name in source.probe.columns}

    def task(self, variant: Variant) -> Task | None:
        if variant.training is None:
            return None
        from miscope_sae.sites import BEFORE
        from miscope_sae.sparse_pass import PassOf
        from miscope_sae.terms import measured
        from miscope_sae.updating import callbacks_of

        model, rows = self.model(variant.params), self._training_rows(variant)
        setting = self._setting(variant, model, rows)
        pass_of = PassOf(self.architecture(variant.params, setting), setting.normalise)
        return Task(
            train=rows.train,
            test=rows.test,
            initial_weights=lambda: self._weights_to_begin_with(setting),
            # FVU is a ratio of sums, and an architecture may keep latents by batch: neither is a mean over parts.
            objective=Objective(
                terms=self.terms(pass_of, setting),
                metrics=measured(model, setting),
                sites=(BEFORE,),
                additive=False,
            ),
            callbacks=callbacks_of(pass_of, setting, self.constraints(setting)),
            stream=None if rows.stream is None else rows.stream.of_task,
        )

    def remarks(self, variant: Variant) -> Sequence[Remark]:
        if variant.training is None:
            return ()
        import psutil

        from miscope_sae.advice.beforehand import Beforehand

        model, rows = self.model(variant.params), self._training_rows(variant)
        known = Beforehand(
            setting=self._setting(variant, model, rows),
            params=variant.params,
            rows=rows,
            held=self.held,
            sources=self.rows_of(variant.params).each,
            free=psutil.virtual_memory().available,
        )
        return tuple(known.remarks())

    def remarks_while_training(self, variant: Variant) -> TrainingSoFar:
        from miscope_sae.advice.under_way import under_way

        params, training = cast("Any", variant.params), variant.training
        assert isinstance(training, SparseTraining), "autoencoders are trained here"
        width = self.rows_of(params).each[0].width
        latents, kept = latent_count(params.latents, width), params.k if self.settles else None
        return under_way(training, latents, kept=kept)

    def _setting(self, variant: Variant, model: AutoencoderModel, shown: TrainingRows) -> Setting:
        from miscope_sae.setting import Setting

        params, training = cast("Any", variant.params), variant.training
        assert isinstance(training, SparseTraining), "autoencoders are trained here"
        rows = self.rows_of(params).each
        width = rows[0].width
        latents = latent_count(params.latents, width)
        if not training.allow_out_of_range:
            check_latents(self.name, latents, width, shown.inputs if shown.stream is None else None)
        return Setting(
            name=variant.name,
            width=width,
            width_out=rows[-1].width,
            latents=latents,
            shapes={name: role.shape for name, role in model.roles.items()},
            axes={name: role.axes for name, role in model.roles.items()},
            training=training,
            seed=params.seed,
            normalise=model.normalised,
            rows=lambda: shown.train.inputs,
        )

    def _weights_to_begin_with(self, setting: Setting) -> dict[str, Tensor]:
        before = [each for each in self._sources if not each.source.site]
        return weights_begun_with(before[0], setting.shapes) if before else self.first_weights(setting)

    def _training_rows(self, variant: Variant) -> TrainingRows:
        from miscope_sae.rows.source_stream import SourceStream
        from miscope_sae.rows.training_rows import TrainingRows

        assert variant.training is not None, "autoencoders are trained here"
        params: Any = variant.params
        rows, arranged = self.rows_of(params), partial(self.arranged, params)
        return TrainingRows(
            inputs=self.inputs_of(params),
            kept=rows.trained_on(variant.training.train_fraction, params.seed),
            stream=SourceStream(rows, params.seed, arranged) if params.data == STREAM else None,
        )

    def inputs_of(self, params: Any) -> Tensor:
        """(R, ...) what it is looked at, a row for each input of the source's probe or for each of their positions."""
        return self.arranged(params, self.rows_of(params).all, params.seed)

    def arranged(self, params: Any, rows: Tensor, seed: int) -> Tensor:
        """(n, ...) rows of what it is built on, as it is given them; seed: of what is drawn for that."""
        return rows

    def rows_of(self, params: Any) -> SourcesRows:
        """The activations of what it is built on."""
        return self._rows[params.positions]

    @cached_property
    def _rows(self) -> Mapping[Positions, SourcesRows]:
        from miscope_sae.rows.source_rows import SourcesRows

        if not self._sources:
            raise BadValue(
                "The autoencoder is built on a checkpoint that it was not given.",
                "A family is given what it is built on by the workspace it is used in.",
                "Take it from there:  workspace.context(variant).family",
            )
        read = [each for each in self._sources if each.source.site]
        return {"answer": SourcesRows(read, "answer"), "all": SourcesRows(read, "all")}
