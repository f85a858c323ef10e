"""A refusal of one field by a validator that has to see several."""

from __future__ import annotations

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

__all__ = ["refusal"]


def refusal(model: BaseModel, field: str, reason: str) -> ValidationError:
    """What such a validator raises, so that whoever asked is told which field it is: reason is a clause."""
    error = PydanticCustomError("refused", "{reason}", {"reason": reason})
    details = InitErrorDetails(type=error, loc=(field,), input=getattr(model, field))
    return ValidationError.from_exception_data(type(model).__name__, [details])
