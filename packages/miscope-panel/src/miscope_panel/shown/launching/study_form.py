"""What stands in the form, as a study; and a study, as what stands in the form. Pure."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from miscope.family import Family
from miscope.field_text import read_value, read_values, written_values
from miscope.plugins.plugins import Plugins
from miscope.studies.document import Document, parsed
from miscope.studies.study_fields import study_fields
from miscope_panel.shown.launching.form_field import FAMILY, PARTS, info_of

__all__ = ["ANALYZED", "BY_HAND", "Texts", "document_of", "read_yaml", "study_values", "texts_of", "yaml_of"]

Texts: TypeAlias = Mapping[str, str]
"""Field -> what was typed; fields at their defaults are not there."""

ANALYZED = "study.analyze"
"""'true' where runs are analyzed once they are trained."""
BY_HAND = ("zip", "exclude", "include")
"""What a study may say beside and a form has no field for: kept as JSON."""
_OWN = ("name", "description", "run_name")


def study_values(family: Family, texts: Texts) -> dict[str, Any]:
    """The study as its file says it: of one value `base`, of several `matrix`, in the order of the texts."""
    own = {name: texts[f"study.{name}"] for name in _OWN if texts.get(f"study.{name}")}
    given = {name: read_values(info_of(family, name), text) for name, text in texts.items() if "." not in name and text}
    values: dict[str, Any] = {
        **{key: own[key] for key in ("name", "description") if key in own},
        "family": texts.get(FAMILY, family.name),
        "base": {name: values[0] for name, values in given.items() if len(values) == 1},
        "matrix": {name: values for name, values in given.items() if len(values) > 1},
        **{key: json.loads(texts[f"study.{key}"]) for key in BY_HAND if texts.get(f"study.{key}")},
        "run_name": own.get("run_name", ""),
        "train": _part(family, texts, "train"),
    }
    values = {key: value for key, value in values.items() if value not in ("", {})}
    return {**values, "analyze": _part(family, texts, "analyze")} if texts.get(ANALYZED) == "true" else values


def document_of(family: Family, texts: Texts) -> Document:
    """The same with the place of each value, which is its path: 'study.base.prime'."""
    return Document.of_values({"name": "unnamed", **study_values(family, texts)}, "study")


def texts_of(plugins: Plugins, document: Document) -> dict[str, str]:
    """What stands in the form for the study. Raises BadStudy where it is none, UnknownName where its family is not."""
    fields = study_fields(document.with_values(name=document.values.get("name") or "unnamed"))
    family = plugins.family(fields.family)
    told = {FAMILY: family.name}
    told |= {f"study.{name}": str(document.values[name]) for name in _OWN if document.values.get(name)}
    lists = {**{name: [value] for name, value in fields.base.items()}, **fields.matrix}
    told |= {name: written_values(info_of(family, name), [*values]) for name, values in lists.items()}
    told |= {f"study.{key}": json.dumps(_plain(getattr(fields, key))) for key in BY_HAND if getattr(fields, key)}
    for part in ("train", "analyze"):
        for name, value in (document.values.get(part) or {}).items():
            told[f"{part}.{name}"] = written_values(info_of(family, f"{part}.{name}"), [value])
    return told if fields.analyze is None else {**told, ANALYZED: "true"}


def yaml_of(values: Mapping[str, Any]) -> str:
    """The study in YAML 1.2, lists of values in brackets."""
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap

    yaml, out = YAML(), io.StringIO()
    yaml.width = 120
    yaml.default_flow_style = None
    whole = CommentedMap(values)
    whole.fa.set_block_style()
    yaml.dump(whole, out)
    return out.getvalue()


def read_yaml(text: str) -> Document:
    """What somebody wrote as a study. Raises BadStudy, with the line."""
    return parsed(text, "YAML")


def _part(family: Family, texts: Texts, part: str) -> dict[str, Any]:
    names = {name: f"{part}.{name}" for name in PARTS[part].model_fields}
    return {name: _one(family, field, texts[field]) for name, field in names.items() if texts.get(field)}


def _one(family: Family, name: str, text: str) -> object:
    """The value of a field that makes no sweep."""
    info = info_of(family, name)
    values = read_values(info, text)
    return values[0] if len(values) == 1 else read_value(info, text)


def _plain(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
