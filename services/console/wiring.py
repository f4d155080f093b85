"""What the console's routes are wired with, and how they get it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer

from services.console.access import COOKIE, Access, Caller
from services.console.bus import Bus

# The schemes are declared for the OpenAPI document; Access decides.
_BEARER = HTTPBearer(auto_error=False, description="The console's token.")
_SESSION = APIKeyCookie(name=COOKIE, auto_error=False, description="The page's session.")


@dataclass(frozen=True)
class Wiring:
    """The parts of one console; `stopping` is set when it is told to stop."""

    bus: Bus
    access: Access
    stopping: asyncio.Event


def wiring_of(request: Request) -> Wiring:
    """The console's parts."""
    wiring: Wiring = request.app.state.wiring
    return wiring


def admitted(
    request: Request, _bearer: Annotated[object, Security(_BEARER)], _session: Annotated[object, Security(_SESSION)]
) -> Caller:
    """Who calls. Raises E-5021 or E-5022."""
    return wiring_of(request).access.admit(request)


Known = Annotated[Caller, Depends(admitted)]


def house_of(request: Request, _: Known) -> Bus:
    """The way to the house, for whoever is let in."""
    return wiring_of(request).bus


House = Annotated[Bus, Depends(house_of)]
