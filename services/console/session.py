"""Logging in and out: how the web page gets its session."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, SecretStr, StringConstraints

from services.console.answers import ERRORS
from services.console.wiring import Known, wiring_of

router = APIRouter(prefix="/api/v1/session", tags=["session"], responses=ERRORS)


class Login(BaseModel):
    """The console's token, and the name that goes to the audit trail."""

    token: SecretStr = SecretStr("")
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = ""


class Session(BaseModel):
    """Who is logged in, and whether the console has a token at all."""

    name: str
    needs_login: bool


@router.post("")
async def log_in(login: Login, request: Request, response: Response) -> Session:
    """Get a session, kept in a cookie that no script reads and no other site sends."""
    access = wiring_of(request).access
    name = login.name or "console"
    access.log_in(request, login.token.get_secret_value(), name, response)
    return Session(name=name, needs_login=access.needs_login)


@router.get("")
async def show_session(request: Request, caller: Known) -> Session:
    """Who the caller is."""
    return Session(name=caller.name, needs_login=wiring_of(request).access.needs_login)


@router.delete("", status_code=204)
async def log_out(request: Request, response: Response) -> None:
    """Give the session up."""
    wiring_of(request).access.log_out(request, response)
