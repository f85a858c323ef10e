"""What can be asked of a workspace, read back from where it was stored: a queue, or a line of the ledger."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field, TypeAdapter, ValidationError

from miscope.analyze_request import AnalyzeRequest
from miscope.errors import BadValue
from miscope.field_text import why_refused
from miscope.train_request import TrainRequest

__all__ = ["Request", "read_request"]

Request: TypeAlias = TrainRequest | AnalyzeRequest

_ANY: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="kind")])


def read_request(stored: object) -> Request:
    """The request of this JSON: text, or as a line of the ledger holds it; BadValue where it is none."""
    try:
        return _ANY.validate_json(stored) if isinstance(stored, str | bytes) else _ANY.validate_python(stored)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "it"
        raise BadValue(
            f"This is no request: {where}: {why_refused(first)}.",
            "A request is the JSON of a TrainRequest or an AnalyzeRequest, and `kind` says of which.",
            "Write it anew with `model_dump_json()`, with the version of miscope that is to read it.",
        ) from None
