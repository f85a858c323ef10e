"""What miscope says when it cannot go on: what happened, what is known, what to do."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from miscope.commands import in_workspace

__all__ = [
    "BadFile",
    "BadValue",
    "Busy",
    "CannotWrite",
    "Diverged",
    "DoesNotApply",
    "Ended",
    "MiscopeError",
    "Misplaced",
    "NoArtifact",
    "NoCheckpoint",
    "NotDeclared",
    "UnknownHook",
    "UnknownName",
    "UnmarkedHook",
    "WroteIntoShown",
]

_PLURAL = {"family": "families"}
_FEW = 12
"""Names a reader will go through."""


class MiscopeError(Exception):
    """An error a user can act on; its text is the whole message, without a traceback."""

    def __init__(self, *sentences: str) -> None:
        super().__init__("\n".join(sentence for sentence in sentences if sentence))


class UnknownName(MiscopeError):
    """A name that no installed record carries."""

    def __init__(
        self, kind: str, name: str | int, known: Iterable[str], *, listing: str | None = None, meant: str | None = None
    ) -> None:
        """name: a number where they are numbered. listing: where they are to be found. meant: what it stands for."""
        self.kind, self.name, self.known = kind, str(name), tuple(sorted(known))
        close = [meant] if meant else difflib.get_close_matches(str(name), self.known, n=1, cutoff=0.6)
        plural = _PLURAL.get(kind, f"{kind}s")
        unlike = "None that is known here is spelt like it."
        if listing is None and 0 < len(self.known) <= _FEW:
            unlike = f"The {plural} are: {', '.join(self.known)}."
        if numbered := isinstance(name, int) and all(map(str.isdecimal, self.known)):
            last = f"the last is {max(map(int, self.known))}" if self.known else "none was asked for yet"
            close, unlike = [], f"They are numbered; {last}."
        super().__init__(
            f"There is no {kind} {name if numbered else f'named {name!r}'}{', nor any other' * (not self.known)}.",
            f"Did you mean {close[0]!r}?" if close else unlike,
            listing or f"`miscope {plural}` lists the {len(self.known)} that are installed.",
        )


class UnknownHook(MiscopeError):
    """A function that looks like a hook and is none."""

    def __init__(self, provider: str, hook: str, known: Iterable[str]) -> None:
        close = difflib.get_close_matches(hook, list(known), n=1, cutoff=0.5)
        super().__init__(
            f"{provider} implements the hook {hook!r}, which does not exist.",
            f"Did you mean {close[0]!r}?" if close else f"The hooks are: {', '.join(sorted(known))}.",
            "Rename the function; nothing would ever call it.",
        )


class UnmarkedHook(MiscopeError):
    """A module of a plug-in without the mark that makes a function a hook."""

    def __init__(self, provider: str, hook: str | None) -> None:
        problem = "has no function marked with @hookimpl" if hook is None else f"defines {hook} without @hookimpl"
        super().__init__(
            f"{provider} {problem}.",
            "The mark makes a function a hook; nothing would ever call another.",
            "Write `@miscope.hookimpl` above it.",
        )


class NotDeclared(MiscopeError):
    """An analyzer or a view that reads what it did not declare."""

    def __init__(self, reader: str, what: str, name: str, declared: Sequence[str], *, field: str) -> None:
        listed = ", ".join(repr(item) for item in declared)
        super().__init__(
            f"{reader!r} read the {what} {name!r} without declaring it.",
            f"It declares {field}=({listed}{',' if len(declared) == 1 else ''}); add {name!r} there, "
            "so that miscope provides it and notices when it changes.",
            "`miscope where " + reader + "` shows the file.",
        )


class WroteIntoShown(MiscopeError):
    """An analyzer or a view that changed what it was shown, and what others are shown too."""

    def __init__(self, name: str, what: Sequence[str]) -> None:
        self.name, self.what = name, tuple(what)
        super().__init__(
            f"{name!r} changed what it was shown: {', '.join(what)}.",
            "Others are shown the same: it was put back as it was for them, and this result was not kept.",
            "Run the model on weights and hooks given to `model.run`, or change a copy: `copy.deepcopy(model.module)`."
            if any(whose in each for each in what for whose in ("the model", "the source model"))
            else "Copy before writing: `.clone()` of a tensor, `.copy()` of an array, no `*_` methods and no `out=`.",
        )


class Ended(MiscopeError):
    """A view that called `sys.exit`, which would end whatever was showing it."""

    def __init__(self, view: str, code: object) -> None:
        self.view, self.code = view, code
        super().__init__(
            f"{view!r} was not drawn: it asked the program to end.",
            f"It raised SystemExit: {code}. Every other view works.",
            f"Raise DoesNotApply with the reason there instead; `miscope where {view}` says in which file.",
        )


class NoArtifact(MiscopeError):
    """An artifact that a view or an analyzer needs and nobody has computed."""

    def __init__(  # noqa: PLR0913 - what one sentence each is said of
        self,
        analyzer: str,
        variant: str,
        step: int | None,
        have: Sequence[int],
        *,
        known: str = "",
        options: Sequence[str] = (),
        root: Path | None = None,
    ) -> None:
        """have: other steps at which it exists. known: what else is known of it. options: those asked for, as typed.

        root: the workspace, named in the command where it is not the default one.
        """
        self.analyzer, self.variant, self.step, self.have = analyzer, variant, step, tuple(have)
        self.known = known or _elsewhere(have) or "It was never computed."
        words = ["miscope analyze", variant, "--only", analyzer, *(f"-o {option}" for option in options)]
        self.command = in_workspace(root, " ".join(words))
        at = "" if step is None else f" at step {step}"
        under = f" with {', '.join(options)}" if options else ""
        super().__init__(f"No {analyzer!r} for {variant}{at}{under}.", self.known, f"To compute it:  {self.command}")


def _elsewhere(have: Sequence[int]) -> str:
    if len(have) < 2:
        return f"It exists at one other step, {have[0]}." if have else ""
    return f"It exists at {len(have)} other steps, {min(have)} to {max(have)}."


class NoCheckpoint(MiscopeError):
    """A variant without the checkpoint that was asked for."""

    def __init__(
        self, variant: str, step: int | None, have: Sequence[int], *, origin: str = "", root: Path | None = None
    ) -> None:
        """origin: who made what there is: 'trained here', 'recorded', 'imported', 'metrics only'; "" for nobody."""
        self.variant, self.step = variant, step
        if not have:
            self.known, todo = _without_weights(variant, origin, root)
            super().__init__(f"{variant} has no checkpoints.", self.known, todo)
            return
        near = sorted(have, key=lambda s: abs(s - (step or 0)))[:3]
        nearest = ", ".join(map(str, sorted(near)))
        self.known = f"It has {len(have)}, from {min(have)} to {max(have)}; nearest: {nearest}."
        super().__init__(f"{variant} has no checkpoint at step {step}.", self.known, "Ask for one of these steps.")


def _without_weights(variant: str, origin: str, root: Path | None) -> tuple[str, str]:
    """What is known of a variant without checkpoints, and what to do."""
    again = in_workspace(root, "miscope import FILE")
    by_origin = {
        "metrics only": (
            "It was imported as a curve: there are its metrics, and no weights.",
            f"To add weights of the same run:  {again}",
        ),
        "imported": ("It was imported, and its checkpoints are no longer there.", f"To bring them again:  {again}"),
        "trained here": (
            "It was trained here, and its checkpoints are no longer there.",
            f"To train it anew:  {in_workspace(root, f'miscope train {variant}')}",
        ),
        "recorded": ("It was recorded, and has no checkpoint.", "Keep one:  recorder.checkpoint(step, model)"),
    }
    family = variant.partition("/")[0]
    line = in_workspace(root, f"miscope train {family} KEY=VALUE ...  (in Python: `variant.train()`)")
    return by_origin.get(origin, ("It was never trained here.", f"To train it:  {line}"))


class DoesNotApply(MiscopeError):
    """An instrument or a figure that a family, a probe or a variant gives nothing to; raised with the reason alone."""

    def __init__(
        self,
        reason: str,
        *,
        name: str = "",
        variant: str = "",
        kind: Literal["analyzer", "view"] = "analyzer",
        cure: tuple[str, str] | None = None,
    ) -> None:
        """reason: a clause. miscope adds the rest. cure: what is known and what to do, where something can be done."""
        self.name, self.variant, self.reason = name, variant, reason
        known, todo = cure or (
            "Computing cannot bring it: the instrument needs something that the variant or its family does not have.",
            f"`miscope {kind}s{' ' * bool(name)}{name}` says what it needs.",
        )
        who = f"{name!r} does not apply to {variant}" if name else "It does not apply"
        super().__init__(f"{who}: {reason}.", known, todo)


class BadValue(MiscopeError):
    """Input of the wrong kind, refused at the door."""

    def __init__(self, what: str, known: str, todo: str, *, field: str = "") -> None:
        super().__init__(what, known, todo)
        self.field = field  # whose value is refused; "" where that is none, or not one alone


class BadFile(MiscopeError):
    """A file that is not what its place says: truncated, foreign, or of another shape."""

    def __init__(self, path: object, problem: str, todo: str) -> None:
        self.path, self.problem = str(path), problem
        super().__init__(f"{path} cannot be read.", problem, todo)


class Misplaced(MiscopeError):
    """A variant's folder under the name of another: copied, or renamed."""

    def __init__(self, folder: object, name: str, whose: str) -> None:
        self.name, self.whose = name, whose
        super().__init__(
            f"{name} is not the variant that lies in its folder: that is {whose}.",
            f"{folder} was copied or renamed, and what is in it was computed for {whose}.",
            f"Move it back to variants/{whose}; or delete it, where that variant is there too.",
        )


_ROOM = "Make room, then give the same command again: what was finished is kept, and it goes on from there."
_PLACE = "Choose a place that you may write to."
_REFUSED = {
    errno.ENOSPC: ("No space is left on its disk.", _ROOM),
    errno.EDQUOT: ("Your share of its disk is used up.", _ROOM),
    errno.EFBIG: ("It would be larger than a file may be here (`ulimit -f`).", _ROOM),
    errno.EROFS: ("Its disk can be read only.", _PLACE),
    **dict.fromkeys((errno.EACCES, errno.EPERM), ("The system does not permit it to you.", _PLACE)),
    errno.EISDIR: ("There is a folder of that name.", _PLACE),
    errno.ENOENT: ("A folder on the way to it does not exist and cannot be made.", _PLACE),
    errno.ENOTDIR: ("Something on the way to it is no folder.", _PLACE),
    errno.EEXIST: ("Something on the way to it is no folder.", _PLACE),
    errno.ELOOP: ("The links on the way to it lead round in a circle.", _PLACE),
    errno.ENAMETOOLONG: ("Its name is longer than a name may be.", _PLACE),
}


class CannotWrite(MiscopeError, OSError):
    """A file that the system will not have written: the disk is full, or may only be read."""

    def __init__(self, path: object, error: OSError) -> None:
        self.path = str(path)
        known, todo = _REFUSED.get(error.errno or 0, (f"{error.strerror or error}.", _PLACE))
        super().__init__(f"{path} cannot be written.", known, todo)
        self.errno = error.errno


class Busy(MiscopeError):
    """A variant that somebody else is training, recording or importing now."""

    def __init__(self, variant: str, holder: str, stop: str, *, elsewhere: bool = False) -> None:
        """holder: 'process 4242 on atlas since ...', elsewhere if not of this machine. stop: ends it: '`kill 4242`'."""
        self.variant, self.holder, self.elsewhere = variant, holder, elsewhere
        super().__init__(
            f"{variant} is being trained or imported already.",
            f"That is the work of {holder}; two at once would overwrite each other's files.",
            f"Wait for it to end, or stop it ({stop}): the same command then goes on from there.",
        )


class Diverged(MiscopeError):
    """Training whose loss is no longer a number; cure: what of it to set otherwise, as an order."""

    def __init__(self, variant: str, step: int, last_good: int, *, cure: str) -> None:
        self.step, self.last_good = step, last_good
        super().__init__(
            f"The loss of {variant} is not finite at step {step}.",
            f"The last checkpoint is at step {last_good}; nothing was written after it.",
            f"{cure}; then train again.",
        )
