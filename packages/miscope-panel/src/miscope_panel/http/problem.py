"""What a refused request is told under /api/v1: `{"error": {"code", "message", "fields"}}`, whoever refuses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

from fastapi import Request, Response
from fastapi.exceptions import ValidationException
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from miscope.errors import (
    BadFile,
    BadValue,
    Busy,
    CannotWrite,
    DoesNotApply,
    MiscopeError,
    Misplaced,
    NoArtifact,
    NoCheckpoint,
    UnknownName,
)
from miscope.field_text import why_refused
from miscope.figures.export import NoBrowser
from miscope.runs.run_errors import StillNeeded, WrongState
from miscope.store.annotation import ChangedMeanwhile
from miscope.studies.bad_study import BadStudy

__all__ = [
    "CHANGES_NOTHING",
    "PREFIX",
    "PROBLEMS",
    "FieldProblem",
    "Problem",
    "ProblemDetail",
    "of_fault",
    "of_http",
    "of_miscope",
    "of_values",
]

PREFIX = "/api/v1"

CHANGES_NOTHING = frozenset({f"{PREFIX}/trainings/check", f"{PREFIX}/trainings/estimate"})
"""What is sent a body, and only answers."""

_STATUS: Mapping[type[MiscopeError], int] = {
    UnknownName: 404,
    NoArtifact: 404,
    NoCheckpoint: 404,
    DoesNotApply: 409,
    BadFile: 409,
    Misplaced: 409,
    Busy: 409,
    WrongState: 409,
    StillNeeded: 409,
    ChangedMeanwhile: 412,
    BadValue: 422,
    BadStudy: 422,
    NoBrowser: 501,
    CannotWrite: 507,
}
"""The first that fits counts."""


@final
class FieldProblem(BaseModel):
    """One value that was refused."""

    name: str
    """Where it stands in the request: 'steps', 'params.prime'."""
    message: str


@final
class ProblemDetail(BaseModel):
    """Why a request was refused."""

    model_config = ConfigDict(populate_by_name=True)

    code: str
    """The name of the error in docs/errors.md, or of what HTTP refuses: 'WrongState', 'NotFound'."""
    message: str
    """What happened, what is known, what to do; as `miscope` prints it."""
    fields: Sequence[FieldProblem] = ()
    state: str | None = Field(default=None, alias="from")
    """Of a run whose state does not allow what was asked: the state."""
    action: str | None = None
    """What was asked of it."""
    allowed: Sequence[str] | None = None
    """What may be asked of it."""


@final
class Problem(BaseModel):
    """The body of every refusal."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "error": {
                        "code": "WrongState",
                        "message": "Run 3 is completed, which does not allow 'stop'.\n"
                        "It is for runs that are running.\nWhat may be asked of this one: extend, delete.",
                        "fields": [],
                        "from": "completed",
                        "action": "stop",
                        "allowed": ["extend", "delete"],
                    }
                }
            ]
        }
    )

    error: ProblemDetail

    @classmethod
    def of(cls, code: str, message: str, fields: Sequence[FieldProblem] = ()) -> Problem:
        """The problem of that code, of no run's state."""
        return cls(error=ProblemDetail(code=code, message=message, fields=fields))

    def content(self) -> bytes:
        """As it is sent."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()

    def response(self, status: int, headers: Mapping[str, str] | None = None) -> Response:
        """As an answer of that status."""
        return Response(self.content(), status, headers, media_type="application/json")


PROBLEMS: Mapping[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such run, variant or name."},
    422: {"model": Problem, "description": "A value is refused; `fields` says which."},
}
"""What every route may answer, for OpenAPI."""


async def of_miscope(request: HTTPConnection, error: Exception) -> Response:
    """A MiscopeError: its kind, and its whole text as `miscope` prints it."""
    field, message = _field(error), str(error)
    fields = [FieldProblem(name=field, message=message.partition("\n")[0])] if field else []
    detail = ProblemDetail(code=type(error).__name__, message=message, fields=fields)
    if isinstance(error, WrongState):
        detail = detail.model_copy(update={"state": error.state, "action": error.action, "allowed": error.allowed})
    status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)
    return Problem(error=detail).response(status)


def _field(error: Exception) -> str:
    """Which value it refuses; "" where it says none."""
    return error.place if isinstance(error, BadStudy) else getattr(error, "field", "")


async def of_values(request: HTTPConnection, error: Exception) -> Response:
    """What pydantic refuses of a path, a query or a body; nothing of it is repeated."""
    assert isinstance(error, ValidationException)
    if any(each["type"] == "json_invalid" for each in error.errors()):
        message = "The body is no JSON.\nIt ends too early, or has a character where none may be.\nSend a JSON object."
        return Problem.of("MalformedJson", message).response(400)
    fields = [
        FieldProblem(
            name=".".join(str(part) for part in each["loc"][1:]) or str(each["loc"][0]), message=why_refused(each)
        )
        for each in error.errors()
    ]
    told = "; ".join(f"{field.name}: {field.message}" for field in fields)
    listing = f"{PREFIX}/openapi.json says what each may be."
    return Problem.of("BadRequest", f"The request is refused: {told}.\n{listing}", fields).response(422)


async def of_http(request: Request, error: Exception) -> Response:
    """What the routing refuses: no such path, no such method; in plain words for a page."""
    assert isinstance(error, HTTPException)
    if not request.url.path.startswith(f"{PREFIX}/"):
        return Response(error.detail, error.status_code, error.headers, media_type="text/plain")
    codes = {400: "MalformedJson", 404: "NotFound", 405: "MethodNotAllowed", 503: "NotNow"}
    code = codes.get(error.status_code, "Refused")
    listing = f"{PREFIX}/openapi.json lists every path and what may be asked there."
    advice = "Ask again in some seconds." if code == "NotNow" else listing
    message = f"{error.detail}.\n{advice}"
    return Problem.of(code, message).response(error.status_code, error.headers)


async def of_fault(request: Request, error: Exception) -> Response:
    """What nobody foresaw; the server's log has the rest of it."""
    message = (
        "The server failed.\nIt is a fault of miscope, and its log says where.\nReport it with what was asked for."
    )
    if not request.url.path.startswith(f"{PREFIX}/"):
        return Response(message, 500, media_type="text/plain")
    return Problem.of("Fault", message).response(500)
