"""What is written under the fields of a class, put where Python's `help` looks for it."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import TypeVar

__all__ = ["documented", "field_docs"]

T = TypeVar("T")

_ELSEWHERE = {"abc", "builtins", "pydantic", "typing"}
"""Packages of bases whose fields are no field of a record."""


def documented(kind: type[T]) -> type[T]:
    """The class, with what is written under each of its fields at the end of its docstring."""
    own = inspect.cleandoc(vars(kind).get("__doc__") or "")
    lines = [f"  {name}: {text}" for name, text in field_docs(kind).items()]
    kind.__doc__ = "\n".join([own, "", "Fields:", *lines] if lines else [own])
    return kind


def field_docs(kind: type) -> Mapping[str, str]:
    """Field -> what is written under it, in one line; of its bases first, of classes at the top of a module.

    {} where there is no source to read.
    """
    ours = [base for base in reversed(kind.__mro__) if base.__module__.partition(".")[0] not in _ELSEWHERE]
    return {name: text for base in ours for name, text in _written(base.__module__).get(base.__qualname__, {}).items()}


@cache
def _written(module: str) -> dict[str, dict[str, str]]:
    """The same by the name of every class in the module, whose source is parsed once."""
    try:
        source = inspect.getsource(sys.modules[module])
    except (KeyError, OSError, TypeError):
        return {}
    return {node.name: _under_fields(node) for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}


def _under_fields(described: ast.ClassDef) -> dict[str, str]:
    return {
        field.target.id: " ".join(below.value.value.split())
        for field, below in pairwise(described.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }
