"""The sandbox's own endpoints, below /_sandbox: its ledger, faults, counts, whom it lets in. They need no token."""

from __future__ import annotations

from functools import partial

from pydantic import BaseModel, Field, SecretStr, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.sandbox.calls import Sandbox
from services.sandbox.faults import FAULTS, Armed
from services.sandbox.ledger import Ledger, SoldShipment
from services.sandbox.load import Load
from services.sandbox.replies import CURRENCY
from services.sandbox.wire import Json


class Credentials(BaseModel):
    """Whom the sandbox lets in."""

    client_id: str = Field(min_length=1)
    client_secret: SecretStr = Field(min_length=1)


def control_routes(sandbox: Sandbox) -> list[Route]:
    """The routes below /_sandbox."""

    async def shipments(_: Request) -> Response:
        """GET: every shipment ever sold, oldest first, voided ones included."""
        return JSONResponse([_shipment(sold) for sold in await sandbox.ledger.run(Ledger.shipments)])

    async def faults(request: Request) -> Response:
        """GET, PUT (a list that replaces what was in force), DELETE; each answers the faults now in force."""
        if request.method == "PUT":
            try:
                sandbox.armed = tuple(Armed(fault) for fault in FAULTS.validate_json(await request.body()))
            except ValidationError as error:
                return Response(error.json(include_url=False), 422, media_type="application/json")
        elif request.method == "DELETE":
            sandbox.armed = ()
        return JSONResponse([_fault(armed) for armed in sandbox.armed])

    async def calls(_: Request) -> Response:
        """GET: how often each path was called since the start, refused calls included."""
        return JSONResponse(dict(sandbox.calls))

    async def load(request: Request) -> Response:
        """GET: the calls at once, and the early ones; DELETE: count anew."""
        if request.method == "DELETE":
            sandbox.load.forget()
        return JSONResponse(_load(sandbox.load))

    async def health(_: Request) -> Response:
        """GET: that the sandbox is up."""
        return JSONResponse({"status": "ok"})

    return [
        Route("/_sandbox/shipments", shipments, methods=["GET"]),
        Route("/_sandbox/faults", faults, methods=["GET", "PUT", "DELETE"]),
        Route("/_sandbox/calls", calls, methods=["GET"]),
        Route("/_sandbox/load", load, methods=["GET", "DELETE"]),
        Route("/_sandbox/credentials", partial(_let_in, sandbox), methods=["PUT"]),
        Route("/_sandbox/health", health, methods=["GET"]),
    ]


async def _let_in(sandbox: Sandbox, request: Request) -> Response:
    """PUT: whom it lets in until it stops; every token that it issued is refused from here on."""
    try:
        known = Credentials.model_validate_json(await request.body())
    except ValidationError as error:
        return Response(error.json(include_url=False, include_input=False), 422, media_type="application/json")
    sandbox.settings = sandbox.settings.model_copy(update=dict(known))
    await sandbox.tokens.revoke_all()
    return Response(status_code=204)


def _shipment(sold: SoldShipment) -> Json:
    """A shipment as shown: `reference` is the first of its `references`, null without any."""
    return {
        "shipment_id": sold.shipment_id,
        "tracking_numbers": [parcel.tracking_number for parcel in sold.parcels],
        "reference": sold.references[0] if sold.references else None,
        "references": list(sold.references),
        "voided": sold.voided,
        "voided_tracking_numbers": [parcel.tracking_number for parcel in sold.parcels if parcel.voided_at],
        "created_at": sold.created_at.isoformat(),
        "visible_at": sold.visible_at.isoformat(),
        "service": sold.service,
        "cost": {"amount": str(sold.cost), "currency": CURRENCY},
        "shipper_number": sold.shipper_number,
        "recipient_postal_code": sold.recipient_postal_code,
        "recipient_country": sold.recipient_country,
    }


def _load(load: Load) -> Json:
    """Ship calls and all business calls, each `now` and the `most` at once; `early`: ms after a 429, of each call."""
    return {
        "ships": {"now": load.ships.now, "most": load.ships.most},
        "calls": {"now": load.calls.now, "most": load.calls.most},
        "early": list(load.early),
    }


def _fault(armed: Armed) -> Json:
    """A fault as it was put, with the requests that met its conditions (`seen`) and those it hit (`hits`)."""
    return {**armed.fault.model_dump(mode="json", exclude_unset=True), "seen": armed.seen, "hits": armed.hits}
