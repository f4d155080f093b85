"""What the console answers a call that fails with: one document, and the HTTP status that goes with its E-code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from shared import errors
from shared.errors import ErrorBody, ErrorKind, TallyError

_SECTIONS = {"E-1": 422, "E-2": 422, "E-3": 502, "E-4": 409, "E-5": 500}
_CODES: dict[ErrorKind, int] = {
    errors.REQUEST_ID_REUSED: 409,
    errors.BUS_UNREACHABLE: 503,
    errors.PUBLISH_FAILED: 503,
    errors.BUS_TIMEOUT: 504,
    errors.JOB_NOT_FOUND: 404,
    errors.ROW_NOT_FOUND: 404,
    errors.NO_BACKUP: 404,
    errors.LABEL_GONE: 404,
    errors.NO_LABELS: 404,
    errors.PURGED: 410,
    errors.WRITE_FAILED: 503,
    errors.LABEL_NOT_STORED: 503,
    errors.LABEL_UNREADABLE: 503,
    errors.NOT_LOGGED_IN: 401,
    errors.FOREIGN_CALL: 403,
}
# What every route may answer with besides its own document.
ERRORS: dict[int | str, dict[str, Any]] = {
    422: {"model": ErrorBody, "description": "The call, the request or its source is not as it has to be."},
    "default": {"model": ErrorBody, "description": "What went wrong, by its E-code, and what to do."},
}
_BY_CODE = {kind.code: status for kind, status in _CODES.items()}


def http_status(error: ErrorBody) -> int:
    """The HTTP status of an answer that is `error`: its code's own, else its section's."""
    return _BY_CODE.get(error.code) or _SECTIONS.get(error.code[:3], 500)


def failure(error: ErrorBody, status: int | None = None, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The answer to a call that ended with `error`."""
    return JSONResponse(error.model_dump(mode="json"), status or http_status(error), headers)


def handle_failures(app: FastAPI) -> None:
    """Have every failure of `app` answered with the one error document."""

    async def refused(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, TallyError)
        challenge = {"WWW-Authenticate": "Bearer"} if error.kind is errors.NOT_LOGGED_IN else None
        return failure(error.body, headers=challenge)

    async def malformed(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        content_type = request.headers.get("content-type", "application/json")
        if not is_json(content_type):
            return await unroutable(request, HTTPException(415, f"its body is {content_type}, not application/json"))
        return failure(TallyError(errors.REQUEST_MALFORMED, reason=_first_fault(error)).body)

    async def unroutable(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        call = f"{request.method} {request.url.path}"
        body = TallyError(errors.HTTP_REFUSED, call=call, reason=str(error.detail).lower()).body
        return failure(body, error.status_code, error.headers)

    async def unforeseen(_: Request, error: Exception) -> JSONResponse:
        return failure(TallyError(errors.UNEXPECTED, what=type(error).__name__).body)

    app.add_exception_handler(TallyError, refused)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(HTTPException, unroutable)
    app.add_exception_handler(Exception, unforeseen)


def is_json(content_type: str) -> bool:
    """Whether a Content-Type header says JSON."""
    return content_type.partition(";")[0].strip().lower() == "application/json"


def _first_fault(error: RequestValidationError) -> str:
    """Where the first fault is and what it is; never the value, which may be a recipient's."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:])
    return f"{place}: {first['msg']}" if place else str(first["msg"])
