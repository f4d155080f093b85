"""The sandbox's composition root: everything is wired here and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from services.sandbox.address_validation import validate
from services.sandbox.calls import Operation, Sandbox, endpoint
from services.sandbox.control import control_routes
from services.sandbox.ledger import Ledger, LedgerThread
from services.sandbox.oauth import create_token
from services.sandbox.rating import rate
from services.sandbox.recovery import recover
from services.sandbox.shipping import ship
from services.sandbox.tokens import Tokens
from services.sandbox.tracking import track_reference
from services.sandbox.voiding import void
from shared.clock import Clock, utc_now
from shared.settings import SandboxSettings
from shared.telemetry import logger

log = logger("carrier")

LEDGER_FILE = "sandbox.db"

# Any version is taken; the requests are read as version v2409 (v1 for labels and tracking, v2 for addresses) has them.
_OPERATIONS = (
    ("/api/shipments/{version}/ship", "POST", Operation(ship, ships=True)),
    ("/api/rating/{version}/{option}", "POST", Operation(rate)),
    ("/security/v1/oauth/token", "POST", Operation(create_token, business=False)),
    ("/api/shipments/{version}/void/cancel/{shipment_id}", "DELETE", Operation(void)),
    ("/api/labels/{version}/recovery", "POST", Operation(recover)),
    ("/api/track/{version}/reference/details/{reference:path}", "GET", Operation(track_reference)),
    ("/api/addressvalidation/{version}/{option}", "POST", Operation(validate)),
)


def build(settings: SandboxSettings, stopping: asyncio.Event, *, clock: Clock = utc_now) -> Starlette:
    """The sandbox as an ASGI application; calls held back end when `stopping` is set.

    Raises OSError or sqlite3.Error where the ledger below `settings.data_dir` cannot be opened.
    """
    ledger = Ledger(settings.data_dir / LEDGER_FILE)
    sandbox = _sandbox(settings, ledger, stopping, clock)
    routes = [Route(path, endpoint(sandbox, operation), methods=[method]) for path, method, operation in _OPERATIONS]
    return Starlette(
        routes=[*routes, *control_routes(sandbox)],
        lifespan=_closing(sandbox.ledger),
        exception_handlers={ClientDisconnect: _left},
    )


async def _left(request: Request, _: Exception) -> Response:
    """A caller that is cut off while it sends is the caller's misfortune; nobody reads this answer."""
    log.info("a caller left before its request was whole", method=request.method)
    return Response(status_code=400)


def _sandbox(settings: SandboxSettings, ledger: Ledger, stopping: asyncio.Event, clock: Clock) -> Sandbox:
    thread = LedgerThread(ledger)
    return Sandbox(settings, clock, thread, Tokens(thread, _in_force(ledger, clock())), stopping)


def _in_force(ledger: Ledger, now: datetime) -> dict[str, datetime]:
    return {digest: expiry for digest, expiry in ledger.tokens().items() if expiry > now}


def _closing(ledger: LedgerThread) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            ledger.close()

    return lifespan
