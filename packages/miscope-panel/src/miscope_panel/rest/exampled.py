"""How a body's or an answer's example is written beside its fields."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict

__all__ = ["exampled"]


def exampled(**values: Any) -> ConfigDict:
    """The configuration of a model with these values as its example in OpenAPI."""
    return ConfigDict(json_schema_extra={"examples": [values]})
