"""The files of a workspace: variants, checkpoints, metrics, artifacts. Knows no family, runs nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, final

import numpy as np

from miscope.artifact import Arrays, ArtifactKey
from miscope.checkpoint_source import Elsewhere, loaded, nowhere
from miscope.errors import BadFile, BadValue, NoArtifact, UnknownName
from miscope.patterns import matching_metrics
from miscope.snapshot import Series
from miscope.store.atomic import sweep, write_whole
from miscope.store.layout import NOT_APPLICABLE, Layout
from miscope.store.memory import Memory
from miscope.store.no_checkpoint import no_checkpoint
from miscope.store.read_only import read_only
from miscope.store.variant_folders import variant_folders
from miscope.store.variant_record import VariantRecord, unlike
from miscope.variant import Variant

if TYPE_CHECKING:
    from miscope.checkpoint import Checkpoint
    from miscope.store.training_state import TrainingState

__all__ = ["Store"]

NO_RECORD = "Restore it from a copy, or train the variant again: its checkpoints stay."


@final
class Store:
    """Reads and writes the files under one root; everything appears whole or not at all."""

    def __init__(self, root: Path, *, memory: int = 512 * 2**20, elsewhere: Elsewhere = nowhere) -> None:
        """memory: bytes of arrays and metrics kept after reading. elsewhere: what has the checkpoints of a variant."""
        self.root = Path(root)
        self.layout = Layout(self.root)
        self._memory = Memory(memory)
        self._elsewhere = elsewhere

    def variants(self) -> list[str]:
        """Names 'family/slug' of all that lies here as a variant, sorted; `variant_record` says which are none."""
        return sorted(folder.name for folder in variant_folders(self.layout.variants))

    def save_variant(self, variant: Variant, **facts: object) -> None:
        """Write variant.json with these facts beside those it has; nothing if it says all that already.

        Raises BadValue if the folder belongs to another variant, BadFile for a record that cannot be read.
        """
        from miscope.store.record_file import record_content

        path = self.layout.record(variant.name)
        before = self.refuse_another(variant)
        content = record_content(variant, {**(before.facts if before else {}), **facts})
        if not path.exists() or path.read_bytes() != content:
            write_whole(path, lambda file: file.write(content))

    def holds(self, variant: Variant) -> bool:
        """Whether the folder of that name is this very variant's."""
        path = self.layout.record(variant.name)
        return path.exists() and self.variant_record(variant.name).digest == variant.digest

    def placed(self, variant: Variant) -> Variant:
        """The variant under the slug of the folder it has here, which may be from before slugs told values apart."""
        former = variant.former
        return former if former is not variant and not self.holds(variant) and self.holds(former) else variant

    def refuse_another(self, variant: Variant) -> VariantRecord | None:
        """What its folder says of the variant, None where there is none; BadValue where that is of another variant."""
        path = self.layout.record(variant.name)
        if not path.exists():
            return None
        record = self.variant_record(variant.name)
        if record.digest != variant.digest:
            raise BadValue(
                f"The folder of {variant.name} holds another variant.",
                unlike(record, variant),
                f"Move {path.parent} away, or choose other parameters.",
            )
        return record

    @contextmanager
    def writing(self, variant: str) -> Iterator[None]:
        """The variant's files for one trainer or importer at a time, without what killed ones left; else Busy."""
        from miscope.store.variant_lock import variant_lock

        with variant_lock(self.layout.lock(variant), variant):
            self.sweep(variant)
            yield

    def sweep(self, variant: str) -> list[Path]:
        """Remove what killed processes of this machine left half-written; what was found."""
        return sweep(self.layout.variant(variant))

    def variant_record(self, name: str) -> VariantRecord:
        """What variant.json says; UnknownName if there is none, BadFile if it cannot be believed."""
        from miscope.store.record_file import read_record

        path = self.layout.record(name)
        try:
            return self._memory.at_rest(f"record {name}", path, lambda: read_record(path, name))
        except (FileNotFoundError, NotADirectoryError):
            if self.layout.checkpoints(name).is_dir():
                raise BadFile(path, "It is not there, though checkpoints are.", NO_RECORD) from None
            known = self.variants()
            listing = f"{self.root} holds {len(known)} variants" + (f": {', '.join(known[:5])}." if known else ".")
            raise UnknownName("variant", name, known, listing=listing) from None

    def steps(self, variant: str) -> list[int]:
        """Steps with a checkpoint, ascending."""
        own, other = self._steps_in(self.layout.checkpoints(variant), ".safetensors"), self._elsewhere(variant)
        return own if other is None else sorted({*own, *other.steps()})

    def finite_steps(self, variant: str) -> list[int]:
        """Steps with a checkpoint that instruments can look at: none of its weights is known to be NaN or infinite."""
        marked = [s for s in self._steps_in(self.layout.checkpoints(variant), ".unfinite") if self.unfinite(variant, s)]
        return [step for step in self.steps(variant) if step not in marked]

    def unfinite(self, variant: str, step: int) -> str | None:
        """Which weights of a checkpoint are known to be NaN or infinite, as a clause; None where none is."""
        path = self.layout.unfinite(variant, step)
        try:
            # A checkpoint that was put there since is another.
            newer = path.stat().st_mtime_ns >= self.layout.checkpoint(variant, step).stat().st_mtime_ns
            return path.read_text(encoding="utf-8") if newer else None
        except FileNotFoundError:
            return None

    def note_unfinite(self, variant: str, step: int, what: str) -> None:
        """Write down which weights of a checkpoint are NaN or infinite."""
        write_whole(self.layout.unfinite(variant, step), lambda file: file.write(what.encode()))

    def save_checkpoint(self, variant: str, checkpoint: Checkpoint) -> Path:
        """Write the weights with their step, metrics and the variant's digest; return where."""
        from miscope.finiteness import not_finite
        from miscope.store.checkpoint_file import write_checkpoint

        digest = self.variant_record(variant).digest
        path = write_checkpoint(self.layout.checkpoint(variant, checkpoint.step), checkpoint, digest=digest)
        if what := not_finite(checkpoint.weights):
            self.note_unfinite(variant, checkpoint.step, what)
        else:
            self.layout.unfinite(variant, checkpoint.step).unlink(missing_ok=True)
        return path

    def load_checkpoint(self, variant: str, step: int, roles: Collection[str] | None = None) -> Checkpoint:
        """Weights at a step, all roles or only those; NoCheckpoint, or BadFile if damaged or of another variant."""
        from miscope.store.checkpoint_file import read_checkpoint

        path = self.layout.checkpoint(variant, step)
        if not path.exists():
            other = self._elsewhere(variant)
            if other is None or step not in other.steps():
                raise no_checkpoint(self.layout, variant, step, self.steps(variant))
            return loaded(other, step, roles)
        checkpoint = read_checkpoint(path, roles, digest=self._digest(variant))
        if checkpoint.step != step:
            raise BadFile(path, f"It holds step {checkpoint.step}.", "Rename it, or delete it and train again.")
        return checkpoint

    def save_training_state(self, variant: str, state: TrainingState, *, step: int | None = None) -> None:
        """Keep what resuming needs, in place of the last; with a step, beside that checkpoint for good."""
        from miscope.store.checkpoint_file import write_state

        write_state(self.layout.training_state(variant, step), state, digest=self._digest(variant))

    def load_training_state(self, variant: str, *, step: int | None = None) -> TrainingState | None:
        """The latest state, or the one kept beside a checkpoint; None where there is none."""
        from miscope.store.checkpoint_file import read_training_state

        path = self.layout.training_state(variant, step)
        return read_training_state(path, digest=self._digest(variant)) if path.exists() else None

    def _digest(self, variant: str) -> str | None:
        """The variant's, by which its files are told from another's; None where its record does not say."""
        path = self.layout.record(variant)
        try:
            found = path.stat()
            state = (found.st_ino, found.st_mtime_ns, found.st_size)
            return self._memory.of(("digest", str(path), state), lambda: self.variant_record(variant).digest)
        except (BadFile, UnknownName, OSError):
            return None

    def append_metrics(self, variant: str, rows: Sequence[tuple[int, str, float]]) -> None:
        """Add (step, name, value) rows as one small file."""
        from miscope.store.metrics_file import append

        append(self.layout.metrics(variant), rows)

    def metrics(self, variant: str, patterns: Sequence[str] = ("*",)) -> dict[str, Series]:
        """Every metric that matches a shell pattern, steps ascending, each step once: the row written last."""
        series = self._all_metrics(variant)
        return {name: series[name] for name in matching_metrics(patterns, series)}

    def truncate_metrics(self, variant: str, after: int) -> None:
        """Drop rows of steps beyond `after`: a training that resumes there writes them anew."""
        from miscope.store.metrics_file import truncate

        truncate(self.layout.metrics(variant), after)

    def compact_metrics(self, variant: str) -> None:
        """Merge the files of a finished training into one."""
        from miscope.store.metrics_file import compact

        compact(self.layout.metrics(variant))

    def _all_metrics(self, variant: str) -> Mapping[str, Series]:
        from miscope.store.metrics_file import read_series, state_of

        folder = self.layout.metrics(variant)
        state = state_of(folder)
        return self._memory.of(("metrics", str(folder), state), lambda: read_series(folder)) if state else {}

    def save_arrays(self, key: ArtifactKey, arrays: Arrays) -> Path:
        """Write an artifact; return where."""
        from miscope.store.array_file import write_arrays

        path = write_arrays(self.layout.artifact(key), arrays, key)
        # What did not apply once and is computed after all, by force, must not stop what reads it.
        self.layout.kept_not_applicable(key).unlink(missing_ok=True)
        self.layout.failure(key).unlink(missing_ok=True)
        return path

    def load_arrays(self, key: ArtifactKey, names: Collection[str] | None = None) -> Arrays:
        """An artifact's arrays, all or only those; NoArtifact or BadFile."""
        from miscope.store.array_file import read_arrays

        path = self.layout.artifact(key)
        try:
            stat = path.stat()
            state = (stat.st_mtime_ns, stat.st_size, None if names is None else tuple(sorted(names)))
            return self._memory.of((str(path), state), lambda: _frozen(read_arrays(path, names)))
        except FileNotFoundError:
            have = self.artifact_steps(key.variant, key.analyzer, key.recipe)
            raise NoArtifact(key.analyzer, key.variant, key.step, have, root=self.root) from None

    def artifact_steps(self, variant: str, analyzer: str, recipe: str) -> list[int]:
        """Steps at which the artifact exists, ascending; [] for one over the whole of training."""
        return self._steps_in(self.layout.artifacts(variant, analyzer, recipe), ".npz")

    def has(self, key: ArtifactKey) -> bool:
        """Whether the artifact is done."""
        return self.layout.artifact(key).exists()

    def save_not_applicable(self, key: ArtifactKey, reason: str) -> None:
        """Write down why there is no artifact under this key, and will be none: the instrument does not apply."""
        write_whole(self.layout.not_applicable(key), lambda file: file.write(reason.encode()))

    def not_applicable(self, key: ArtifactKey) -> str | None:
        """Why the instrument did not apply; None where it was not tried, or where it did."""
        path = self.layout.kept_not_applicable(key)
        return path.read_text(encoding="utf-8") if path.exists() else None

    def save_failure(self, key: ArtifactKey, reason: str) -> None:
        """Write down why the artifact could not be computed; the next analysis tries it again."""
        write_whole(self.layout.failure(key), lambda file: file.write(reason.encode()))

    def failure(self, key: ArtifactKey) -> str | None:
        """Why the last computation of this key failed; None where it was not tried, or did not fail."""
        path = self.layout.failure(key)
        return path.read_text(encoding="utf-8") if path.exists() else None

    def settled(self, key: ArtifactKey) -> bool:
        """Whether nothing is left to try: the artifact is there, or the instrument did not apply."""
        return self.has(key) or self.not_applicable(key) is not None

    def not_applicable_steps(self, variant: str, analyzer: str, recipe: str) -> list[int]:
        """Steps at which a checkpoint analyzer did not apply, ascending."""
        folder = self.layout.artifacts(variant, analyzer, recipe)
        return sorted({step for suffix in NOT_APPLICABLE for step in self._steps_in(folder, suffix)})

    def _steps_in(self, folder: Path, suffix: str) -> list[int]:
        from miscope.store.stack import steps_in

        return steps_in(folder, suffix, self._memory)

    def stacked(self, variant: str, analyzer: str, recipe: str, names: Collection[str] | None = None) -> Arrays:
        """A checkpoint analyzer's arrays over its steps, each (T, ...), with those steps under 'step'; read-only.

        Kept as derived files beside the steps, so that reading takes milliseconds. Raises NoArtifact where there is
        no step, BadValue for an array whose shape differs between steps.
        """
        from miscope.store.stack import read_stack

        if not self.artifact_steps(variant, analyzer, recipe):
            raise NoArtifact(analyzer, variant, None, (), root=self.root)
        return read_stack(self.layout.artifacts(variant, analyzer, recipe), self._memory, names)


def _frozen(arrays: dict[str, np.ndarray]) -> Arrays:
    return MappingProxyType({name: read_only(array) for name, array in arrays.items()})
