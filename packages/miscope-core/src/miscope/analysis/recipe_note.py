"""What a recipe's digest stands for, beside the artifacts that carry it: options apart from the defaults, and steps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

from miscope.artifact import ArtifactKey
from miscope.store.atomic import write_whole
from miscope.store.layout import Layout

__all__ = ["RecipeNote", "noted", "write_note"]


@final
@dataclass(frozen=True, kw_only=True)
class RecipeNote:
    """How artifacts under one recipe were computed, as far as a reader may choose otherwise."""

    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By analyzer, of the one that made them and of all it reads: what is not at its default."""
    steps: tuple[int, ...] | None = None
    """The checkpoints spanned; None of checkpoint grain, and of several variants together."""


def write_note(layout: Layout, key: ArtifactKey, note: RecipeNote) -> None:
    """Keep the note beside the artifact, once a recipe; nothing where it says nothing."""
    path = layout.recipe_note(key.variant, key.analyzer, key.recipe)
    if note == RecipeNote() or path.exists():
        return
    content = json.dumps({"options": note.options, "steps": note.steps}, sort_keys=True).encode()
    write_whole(path, lambda file: file.write(content))


def noted(layout: Layout, variant: str, analyzer: str) -> dict[str, RecipeNote]:
    """The notes on an analyzer's artifacts of a variant, by recipe; one that cannot be read is as good as none."""
    notes: dict[str, RecipeNote] = {}
    for path in sorted(layout.recipes(variant, analyzer).glob("*/recipe.json")):
        try:
            content = json.loads(path.read_bytes())
            steps = content["steps"]
            notes[path.parent.name] = RecipeNote(
                options={name: dict(values) for name, values in content["options"].items()},
                steps=None if steps is None else tuple(map(int, steps)),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return notes
