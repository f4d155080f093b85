"""One call's way through the sandbox: counted, let in, read, hit by faults, handled, answered."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from services.sandbox.connections import CutConnection, LateAnswer
from services.sandbox.faults import (
    Armed,
    DropAfterCommit,
    EmptyAnswer,
    Error,
    ExpireToken,
    Facts,
    HangAfterCommit,
    Outcome,
    Plan,
    RateLimit,
    decide,
)
from services.sandbox.ledger import LedgerThread
from services.sandbox.load import Load
from services.sandbox.replies import EmptyAnswerError, RefusedError, Reply, empty, refusal, success
from services.sandbox.tokens import Tokens, invalid_token
from services.sandbox.wire import Json, branch, items, text, with_objects_for_arrays
from shared.clock import Clock
from shared.settings import SandboxSettings

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass
class Sandbox:
    """What the sandbox works with.

    `armed` are the faults in force, `calls` how often each path was called, `load` how many calls there were at once.
    """

    settings: SandboxSettings
    clock: Clock
    ledger: LedgerThread
    tokens: Tokens
    stopping: asyncio.Event
    armed: tuple[Armed, ...] = ()
    calls: Counter[str] = field(default_factory=Counter)
    load: Load = field(default_factory=Load)

    def plan(self, facts: Facts) -> Plan:
        """What the faults do to this request."""
        if not self.armed:
            return Plan()
        self.armed, plan = decide(self.armed, facts)
        return plan


@dataclass(frozen=True)
class Call:
    """A request as handlers see it: parameters of path and query, headers, JSON or form body, what faults do to it."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Json
    plan: Plan


Handler = Callable[[Sandbox, Call], Awaitable[Json]]


@dataclass(frozen=True)
class Operation:
    """An API call; `business` calls need a token and take the configured latency, `ships` sells a shipment."""

    handler: Handler
    business: bool = True
    ships: bool = False


def endpoint(sandbox: Sandbox, operation: Operation) -> Endpoint:
    """The operation as a web framework's endpoint."""

    async def answer(request: Request) -> Response:
        if not operation.business:
            return await _answer(request)
        with sandbox.load.call(ships=operation.ships):
            return await _answer(request)

    async def _answer(request: Request) -> Response:
        sandbox.calls[_counted_path(request)] += 1
        body = await request.body()
        token = _bearer(request) if operation.business else ""
        try:
            if operation.business:
                sandbox.tokens.require(token, sandbox.clock())
            document = _document(request, body)
            plan = sandbox.plan(_facts(request, document, operation))
            await _take_time(sandbox.settings.latency_ms * operation.business + plan.latency_ms)
            denial = await _denial(sandbox, plan.outcome, token)
            if denial is not None:
                return _response(denial)
            call = Call(request.path_params, request.query_params, request.headers, document, plan)
            result = await operation.handler(sandbox, call)
        except RefusedError as refused:
            return _response(refusal(refused))
        except EmptyAnswerError:
            return _response(empty(with_error_code=True))
        reply = success(with_objects_for_arrays(result) if plan.object_for_array else result)
        return _spoilt(sandbox, plan.outcome, reply)

    return answer


def _counted_path(request: Request) -> str:
    """The path, with the name of a parameter that differs from call to call in its place."""
    path: str = request.scope["path"]
    for name in ("reference", "shipment_id"):
        if value := request.path_params.get(name):
            path = path.replace(value, f"{{{name}}}")
    return path


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _document(request: Request, body: bytes) -> Json:
    """The body as JSON or form fields; raises RefusedError 10001 where it is neither."""
    if not body:
        return {}
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(body.decode("utf-8", "replace")))
    try:
        # Control characters are let through: UPS has an answer of its own to them.
        document = json.loads(body, strict=False)
    except ValueError as error:
        raise RefusedError("10001", "The request is not well formed") from error
    if not isinstance(document, dict):
        raise RefusedError("10002", "The request is well formed but the request is not valid")
    return document


def _facts(request: Request, document: Json, operation: Operation) -> Facts:
    root = next(iter(document.values()), None)
    shipment = branch(root, "Shipment")
    numbers = items(branch(shipment, "ReferenceNumber")) + items(branch(root, "ReferenceValues", "ReferenceNumber"))
    for package in items(branch(shipment, "Package")):
        numbers += items(branch(package, "ReferenceNumber"))
    references = {text(number, "Value") for number in numbers} | {request.path_params.get("reference", "")}
    return Facts(
        path=request.scope["path"],
        business=operation.business,
        ships=operation.ships,
        references=frozenset(references - {""}),
        recipients=frozenset({text(shipment, "ShipTo", "Name"), text(shipment, "ShipTo", "AttentionName")} - {""}),
    )


async def _take_time(milliseconds: float) -> None:
    if milliseconds:
        await asyncio.sleep(milliseconds / 1000)


async def _denial(sandbox: Sandbox, outcome: Outcome | None, token: str) -> Reply | None:
    """The answer of a fault that keeps the work from being done."""
    match outcome:
        case Error(committed=False):
            return refusal(RefusedError(outcome.code, outcome.message, status=outcome.status))
        case EmptyAnswer(committed=False):
            return empty(with_error_code=True)
        case RateLimit():
            sandbox.load.refused(outcome.retry_after)
            return refusal(RefusedError("10429", "Too Many Requests", status=429), retry_after=outcome.retry_after)
        case ExpireToken():
            await sandbox.tokens.revoke(token)
            return refusal(invalid_token())
    return None


def _spoilt(sandbox: Sandbox, outcome: Outcome | None, reply: Reply) -> Response:
    """The answer, as a fault leaves it that comes after the work was done."""
    match outcome:
        case Error():
            return _response(refusal(RefusedError(outcome.code, outcome.message, status=outcome.status)))
        case EmptyAnswer():
            return _response(empty(with_error_code=False))
        case DropAfterCommit():
            return CutConnection(reset=outcome.reset)
        case HangAfterCommit():
            return LateAnswer(_response(reply), outcome.ms / 1000, sandbox.stopping)
    return _response(reply)


def _response(reply: Reply) -> Response:
    headers = {"bkndtransid": uuid.uuid4().hex, **reply.headers}
    return Response(reply.body, reply.status, headers, media_type="application/json")
