"""Of which steps foreign states are: one rule, the same for a list in a file, a key, a name and a folder.

docs/importing.md states it for users. A step is the number of updates behind the weights; an epoch may be that number
or one less of it, and of mini-batches it is many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import final

from miscope.errors import BadFile
from miscope.importing.foreign.file_name import Named, numbers_in_name
from miscope.importing.foreign.layout import EPOCH_KEYS, EPOCH_LISTS, OWN_KEYS, Content
from miscope.importing.foreign.numbers import whole
from miscope.importing.foreign.words import Words

__all__ = ["Count", "Evidence", "settled"]

STEP_KEYS = ("step", "global_step", "iteration", "iter", "num_updates")
_TODO = "Name it step_<N>, N the updates made so far."


@final
@dataclass(frozen=True, kw_only=True)
class Count:
    """What a file says of when its states were saved."""

    numbers: tuple[int, ...]
    source: str
    """Where the numbers are from: "its key 'epoch'"."""
    open: bool = False
    """Whether they are epochs of which nothing says if they count from 0."""


def settled(counts: Sequence[Count]) -> list[tuple[tuple[int, ...], str]]:
    """Steps and where they are from, for files given together.

    Epochs of which nothing else says whether they count from 0 do so if each, but 0 itself, is one short of a multiple
    of ten: 99, 199, 299 were saved after updates 100, 200, 300.
    """
    numbers = {number for count in counts if count.open for number in count.numbers if number}
    later = bool(numbers) and all((number + 1) % 10 == 0 for number in numbers)
    return [_shifted(count) if count.open and later else (count.numbers, count.source) for count in counts]


def _shifted(count: Count) -> tuple[tuple[int, ...], str]:
    steps = tuple(number + 1 if number else 0 for number in count.numbers)
    return steps, f"{count.source}, counting from 0: {count.numbers[-1]} is after {steps[-1]} updates"


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """All that may say when the states of one file were saved."""

    path: Path
    content: Content
    words: Words
    losses: int
    """How many training losses it records, one after the other."""

    @cached_property
    def named(self) -> Named:
        return numbers_in_name(self.path)

    @cached_property
    def made(self) -> int | None:
        """Updates by the optimizer's own count, the most of any parameter; 0 for an empty state, None without one."""
        states = self.content.optimizer.get("state")
        if not isinstance(states, Mapping):
            return None
        counted = [s["step"] for s in states.values() if isinstance(s, Mapping) and s.get("step") is not None]
        if states and not counted:
            return None
        return max((whole(self.path, "its optimizer's count", count) for count in counted), default=0)

    def count(self) -> Count:
        """By the first there is of: a list beside the states, a key that counts updates, the name, an epoch, a count.

        Raises BadFile where nothing says it, or two things contradict each other.
        """
        if self.content.listed is not None:
            return self._of_list(*self.content.listed)
        header = self.content.header
        if counts := {
            key: whole(self.path, f"its key {key!r}", header[key]) for key in STEP_KEYS if _is_one(header.get(key))
        }:
            return self._of_keys(counts)
        if self.named.problem:
            return self._of_unclear_name()
        if self.named.step is not None:
            return self._of_updates(self.named.step, "its name")
        if header.get("epoch") is not None:
            epoch = whole(self.path, "its key 'epoch'", header["epoch"])
            # Names often count epochs from 1.
            if self.named.epoch is not None and abs(self.named.epoch - epoch) > 1:
                raise self._contradicted(f"epoch {self.named.epoch}", "its key 'epoch'", epoch)
            return self._of_epoch(epoch, "its key 'epoch'")
        if self.named.epoch is not None:
            return self._of_epoch(self.named.epoch, "'epoch' in its name")
        if self.made or self.losses:
            source = "its optimizer's count" if self.made else f"its {self.losses} training losses"
            return Count(numbers=(self.made or self.losses,), source=source)
        problem = "Neither its content nor its name says how many updates are behind the weights."
        raise BadFile(self.path, problem, _TODO)

    def _of_list(self, key: str, numbers: tuple[int, ...]) -> Count:
        source = f"{key!r} of its entries" if key in OWN_KEYS else f"its list {key!r}" if key else "its keys"
        if key not in (*EPOCH_LISTS, *EPOCH_KEYS):
            return Count(numbers=numbers, source=source)
        last = max(numbers)
        if self.made is not None and self.made in (last, last + 1):
            steps = tuple(number + self.made - last for number in numbers)
            return Count(numbers=steps, source=f"{source} and its optimizer's count, {self.made}")
        self._refuse_batches(source)
        return Count(numbers=numbers, source=source, open=True)

    def _of_keys(self, counts: Mapping[str, int]) -> Count:
        """Keys that count updates, which must not differ; where they do, the optimizer knows which of them does."""
        key = next((key for key, number in counts.items() if number == self.made), next(iter(counts)))
        other = next((other for other, number in counts.items() if number != counts[key]), None)
        if other is not None and counts[key] != self.made:
            problem = f"Its key {key!r} says {counts[key]}, and its key {other!r} says {counts[other]}."
            raise BadFile(self.path, problem, "Leave out the one that does not count updates.")
        return self._of_updates(counts[key], f"its key {key!r}")

    def _of_updates(self, step: int, source: str) -> Count:
        """A number that counts updates, against the name and the optimizer's own count."""
        if self.named.step not in (None, step):
            raise self._contradicted(f"step {self.named.step}", source, step)
        if self.made in (None, 0, step):
            return Count(numbers=(step,), source=source)
        assert self.made is not None
        if self.made < step:
            # An optimizer made anew on the way counts from there.
            return Count(numbers=(step,), source=f"{source}; its optimizer counted {self.made}")
        if self.made == step + 1 and source != "its name":
            return Count(numbers=(self.made,), source=f"its optimizer's count; {source} is {step}")
        problem = f"{_upper(source)} says step {step}, and its optimizer has made {self.made} updates."
        todo = f"Name it step_{self.made} and leave such a key out, or save it without its optimizer."
        raise BadFile(self.path, problem, todo)

    def _contradicted(self, named: str, source: str, number: int) -> BadFile:
        problem = f"Its name says {named}, and {source} says {number}."
        return BadFile(self.path, problem, "Rename the file, or correct its key.")

    def _of_unclear_name(self) -> Count:
        if self.made not in self.named.numbers or self.made is None:
            raise BadFile(self.path, self.named.problem, _TODO)
        return Count(numbers=(self.made,), source="its name and its optimizer's count")

    def _of_epoch(self, epoch: int, source: str) -> Count:
        if self.made and self.made >= epoch:
            return Count(numbers=(self.made,), source=f"its optimizer's count; {source} is {epoch}")
        if self.made == epoch == 0:
            return Count(numbers=(0,), source=f"{source} and an optimizer that has counted nothing")
        self._refuse_batches(source)
        if self.losses == epoch + 1:
            return Count(numbers=(self.losses,), source=f"{source}, {epoch}, and its {self.losses} training losses")
        reset = f"; its optimizer counted {self.made}" if self.made else ""
        return Count(numbers=(epoch,), source=source + reset, open=self.losses != epoch)

    def _refuse_batches(self, source: str) -> None:
        """An epoch of mini-batches is many updates, and nothing says how many."""
        size = self.words.beside.get("batch_size", self.words.config.get("batch_size"))
        if isinstance(size, int) and not isinstance(size, bool):
            problem = f"{_upper(source)} counts epochs, and with batch_size {size} an epoch may be many updates."
            todo = "Say the updates made so far: by a key 'step', a list 'steps', or the name step_<N>."
            raise BadFile(self.path, problem, todo)


def _is_one(value: object) -> bool:
    """Whether a value stands for one number, right or wrong; lists are of something else."""
    return value is not None and not isinstance(value, list | tuple | Mapping) and getattr(value, "ndim", 0) == 0


def _upper(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
