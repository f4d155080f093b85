"""The console's composition root: everything is wired here and nowhere else."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from types import FrameType

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from services.console import session
from services.console.access import Access
from services.console.answers import handle_failures
from services.console.api import jobs, rows, sources
from services.console.bus import FIRST_TRY_WITHIN, Bus
from services.console.guard import Guard
from services.console.server import listening, serve
from services.console.wiring import Wiring
from shared.cancelling import cancel
from shared.clock import utc_now
from shared.errors import CONSOLE_OPEN, TallyError
from shared.health.endpoint import Endpoint, serving
from shared.health.readiness import Readiness
from shared.settings import ConsoleSettings, load
from shared.telemetry import configure, tracing
from shared.telemetry.metrics import BUILD, REGISTRY
from shared.version import VERSION

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

_PAGE = Path(__file__).parent / "web"


def main() -> None:
    """Serve until told to stop. Raises E-5002 or E-5020."""
    # uvicorn raises the signal once more after it has stopped; this makes of it an ordinary end.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    settings = load(ConsoleSettings)
    configure("console", settings.log_level, settings.log_format)
    BUILD.labels("console", VERSION).set(1)
    require_token(settings)
    stopping = asyncio.Event()
    serve(build(settings, stopping), listening(settings.console), stopping)


def require_token(settings: ConsoleSettings) -> None:
    """Raise E-5020 where strangers could reach a console that lets everybody in."""
    if not settings.console.token.get_secret_value() and not _is_loopback(settings.console.host):
        raise TallyError(CONSOLE_OPEN, host=settings.console.host)


def build(settings: ConsoleSettings, stopping: asyncio.Event) -> ASGIApp:
    """The console as an ASGI application; streams end when `stopping` is set."""
    bus = Bus(settings)
    readiness = Readiness()
    readiness.require("bus", bus.lacks)
    probes = Endpoint("console", readiness, REGISTRY)
    access = Access(settings.console.token.get_secret_value(), utc_now)
    app = api(_lifespan(bus, probes, settings))
    app.state.wiring = Wiring(bus, access, stopping)
    for path in ("/livez", "/readyz"):
        app.router.routes.append(Route(path, probes))
    app.router.routes.append(Route("/metrics", _for_callers_only(probes, access)))
    app.mount("/", StaticFiles(directory=_PAGE, html=True))
    return Guard(app, settings.console.names)


def api(lifespan: Lifespan | None = None) -> FastAPI:
    """The HTTP API, with its OpenAPI document at /api/v1/openapi.json."""
    app = FastAPI(
        title="Tallyman",
        version=VERSION,
        description="Ships batches of orders. Amounts are decimal texts with their currency; times are UTC.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
    )
    handle_failures(app)
    for router in (jobs.router, rows.router, sources.router, session.router):
        app.include_router(router)
    return app


def _lifespan(bus: Bus, probes: Endpoint, settings: ConsoleSettings) -> Lifespan:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tracing.start("console", settings.otlp_endpoint)
        keeping = asyncio.create_task(bus.keep())
        try:
            # A bus that is there is there from the first call on; one that is not keeps nobody waiting.
            with suppress(TimeoutError):
                async with asyncio.timeout(FIRST_TRY_WITHIN):
                    await bus.tried.wait()
            async with serving(probes, settings.http):
                yield
        finally:
            await cancel([keeping])
            await asyncio.to_thread(tracing.stop)

    return lifespan


def _for_callers_only(probes: Endpoint, access: Access) -> Callable[[Request], Awaitable[Endpoint]]:
    """What is counted is told to whoever is let in: this port may be open to many."""

    async def metrics(request: Request) -> Endpoint:
        access.admit(request)
        return probes

    return metrics


def _operation_id(route: APIRoute) -> str:
    return route.name


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
