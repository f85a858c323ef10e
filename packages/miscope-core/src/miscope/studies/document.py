"""A YAML file as plain values, and on which line each of them stands. Reads YAML 1.2, and makes no objects of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, final

from miscope.studies.bad_study import BadStudy

if TYPE_CHECKING:
    from ruamel.yaml.nodes import MappingNode, Node

__all__ = ["Document", "KeyPath", "Place", "parsed", "read_file"]

KeyPath = tuple[str | int, ...]
"""('matrix', 'prime', 0): keys and numbers of items, from the top."""

_MOST_VALUES = 400_000
"""Values in a file; aliases of aliases could stand for more than any memory holds."""
_MOST_BYTES = 2**24


class Place(NamedTuple):
    """Where something is written."""

    file: str
    line: int
    """Counted from 1; 0 for what was written in no file."""

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}" if self.line else self.file


@final
@dataclass(frozen=True, kw_only=True)
class Document:
    """What a file says, and where."""

    file: str
    """As whoever asked for it named it."""
    values: Mapping[str, Any]
    places: Mapping[KeyPath, Place] = field(default_factory=dict)
    """Of every value; {} where it was written in no file."""

    @classmethod
    def of_values(cls, values: Mapping[str, Any], named: str) -> Document:
        """The document of values that were written in no file; the place of each is its path: 'study.matrix.width.0'.

        named: what to call the whole.
        """
        return cls(file=named, values=values, places={(): Place(named, 0), **_paths(values, named, ())})

    def place(self, *path: str | int) -> Place:
        """Where that value is written, or the nearest one that holds it; the file's first line for none."""
        known = (path[:end] for end in range(len(path), 0, -1) if path[:end] in self.places)
        return self.places.get(next(known, ()), Place(self.file, 1 if self.places else 0))

    def with_values(self, **values: Any) -> Document:
        """The same with these keys, and without those that are None."""
        both = {**self.values, **values}
        return replace(
            self, values={key: value for key, value in both.items() if value is not None or key not in values}
        )


def read_file(path: Path) -> Document:
    """The document in a file. Raises BadStudy where there is none, or it is no YAML."""
    try:
        size = path.stat().st_size
        text = path.read_text(encoding="utf-8") if size <= _MOST_BYTES else None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise BadStudy(str(path), f"It cannot be read: {reason}.", "A study is a file in YAML.", _NAME_ONE) from None
    if text is None:
        raise BadStudy(str(path), f"It has {size} bytes.", f"A study has at most {_MOST_BYTES}.", _NAME_ONE)
    return parsed(text, str(path))


def _paths(value: Any, named: str, path: KeyPath) -> dict[KeyPath, Place]:
    entries = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    places: dict[KeyPath, Place] = {}
    for key, item in entries:
        places[(*path, key)] = Place(f"{named}.{key}", 0)
        places |= _paths(item, f"{named}.{key}", (*path, key))
    return places


_NAME_ONE = "Name a file that is one; docs/studies.md shows some."


def parsed(text: str, file: str) -> Document:
    """The document of this text, which is a mapping with text as keys; BadStudy for anything else."""
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import SafeConstructor
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    @final
    class Constructor(SafeConstructor):
        """Plain values; a date stays the text that it is, since no setting is a date."""

    Constructor.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = Constructor
    try:
        root: Any = yaml.compose(text)
        places = _places(root, file)
        values = yaml.constructor.construct_document(root)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadStudy(str(Place(file, line)), f"This is no YAML: {error.problem}.", _AS_YAML, _CORRECT) from None
    except RecursionError:
        raise BadStudy(file, "It is nested too deeply.", _AS_YAML, _CORRECT) from None
    except (YAMLError, ValueError) as error:
        raise BadStudy(file, f"This is no YAML: {str(error).splitlines()[0]}.", _AS_YAML, _CORRECT) from None
    return Document(file=file, values=values, places=places)


_AS_YAML = "A study is a mapping in YAML 1.2: `key: value`, with lists in brackets or after dashes."
_CORRECT = "Correct it there; nothing was run."


def _places(root: Any, file: str) -> dict[KeyPath, Place]:
    """The places of all values; BadStudy where the top is no mapping, or a mapping is not of names, each once."""
    from ruamel.yaml.nodes import MappingNode

    if not isinstance(root, MappingNode):
        raise BadStudy(str(Place(file, 1)), "There is no mapping at the top.", _AS_YAML, _CORRECT)
    places: dict[KeyPath, Place] = {}
    for path, line, _ in _walk(root, file, (), ()):
        places[path] = Place(file, line)
        if len(places) > _MOST_VALUES:
            raise BadStudy(file, f"It holds more than {_MOST_VALUES} values.", "Aliases count as often.", _CORRECT)
    return places


def _walk(node: Node, file: str, path: KeyPath, above: tuple[Node, ...]) -> Iterator[tuple[KeyPath, int, Node]]:
    """Every value below, with its path and line. above: what holds the node, itself not among them."""
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    if any(node is each for each in above):
        raise BadStudy(str(Place(file, _line(node))), "An alias stands inside of what it names.", _AS_YAML, _CORRECT)
    if isinstance(node, MappingNode):
        for key, line, value in _entries(node, file):
            yield (*path, key), line, value
            yield from _walk(value, file, (*path, key), (*above, node))
    elif isinstance(node, SequenceNode):
        for number, value in enumerate(node.value):
            yield (*path, number), _line(value), value
            yield from _walk(value, file, (*path, number), (*above, node))


_MERGE = "tag:yaml.org,2002:merge"


def _entries(node: MappingNode, file: str) -> Iterator[tuple[str, int, Node]]:
    seen: dict[str, int] = {}
    for key, value in node.value:
        place = Place(file, _line(key))
        if key.tag not in ("tag:yaml.org,2002:str", _MERGE):
            known = "The keys of a study are names."
            raise BadStudy(str(place), f"{key.value!r} is no name.", known, "Put it between quotes, if it is one.")
        if key.value in seen:
            known = f"It has a value on line {seen[key.value]} already."
            raise BadStudy(str(place), f"The key {key.value!r} is there twice.", known, "Leave one of them out.")
        seen[key.value] = place.line
        yield key.value, place.line, value


def _line(node: Node) -> int:
    return node.start_mark.line + 1
