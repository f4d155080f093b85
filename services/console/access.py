"""Who may call: whoever sends the token, or has a session that the token signed.

A session is a cookie that no script reads and no other site sends: the moment it ends and the person's name, signed
with a key made of the token. So it holds over a restart and at every console with the same token; a new token ends all.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from services.console.answers import is_json
from shared.clock import Clock
from shared.errors import FOREIGN_CALL, NOT_LOGGED_IN, TallyError

COOKIE = "tallyman_session"
LIFETIME = timedelta(hours=12)
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HERE = frozenset({"same-origin", "none"})


@dataclass(frozen=True)
class Caller:
    """Who calls; `name` goes to the audit trail where a call names nobody."""

    name: str


class Access:
    """Lets callers in. Without a token everybody is, which the console allows on its own machine only."""

    def __init__(self, token: str, clock: Clock) -> None:
        self._token = token.encode()
        self._key = hmac.digest(self._token, b"tallyman console session", "sha256")
        self._clock = clock

    @property
    def needs_login(self) -> bool:
        """Whether there is a token to log in with."""
        return bool(self._token)

    def admit(self, request: Request) -> Caller:
        """Who calls. Raises E-5021 for a stranger, E-5022 for a call that another site had a browser make."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._token and self._is_token(given.strip()):
            return Caller("api")  # no browser sends it by itself, so no other site can have it sent
        _refuse_other_sites(request)
        if not self._token:
            return Caller("console")
        if given:
            raise TallyError(NOT_LOGGED_IN, reason="the token is not the console's")
        return Caller(self._session(request.cookies.get(COOKIE, "")))

    def log_in(self, request: Request, token: str, name: str, response: Response) -> None:
        """Give whoever has the token a session. Raises E-5021 or E-5022."""
        _refuse_other_sites(request)
        if self._token and not self._is_token(token.strip()):
            raise TallyError(NOT_LOGGED_IN, reason="the token is not the console's")
        response.set_cookie(
            COOKIE,
            self._signed(name),
            max_age=round(LIFETIME.total_seconds()),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )

    def log_out(self, request: Request, response: Response) -> None:
        """Take the session away. Raises E-5022."""
        _refuse_other_sites(request)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=request.url.scheme == "https")

    def _is_token(self, given: str) -> bool:
        """Compared by their digests: neither the time it takes nor a difference in length tells anything."""
        return hmac.compare_digest(hashlib.sha256(given.encode()).digest(), hashlib.sha256(self._token).digest())

    def _signed(self, name: str) -> str:
        content = json.dumps([round((self._clock() + LIFETIME).timestamp()), name]).encode()
        return ".".join(base64.urlsafe_b64encode(part).decode() for part in (content, self._signature(content)))

    def _session(self, cookie: str) -> str:
        """The name in a session. Raises E-5021 where it is none of ours, or over."""
        if not cookie:
            raise TallyError(NOT_LOGGED_IN, reason="neither a session nor a token came with the call")
        try:
            content, signature = (base64.urlsafe_b64decode(part) for part in cookie.split("."))
        except (ValueError, binascii.Error) as error:
            raise TallyError(NOT_LOGGED_IN, reason="the session is not one of this console") from error
        if not hmac.compare_digest(signature, self._signature(content)):
            raise TallyError(NOT_LOGGED_IN, reason="the session is not one of this console")
        ends, name = json.loads(content)
        if self._clock().timestamp() >= ends:
            raise TallyError(NOT_LOGGED_IN, reason="the session is over")
        return str(name)

    def _signature(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, "sha256")


def _refuse_other_sites(request: Request) -> None:
    """Raise E-5022 for a call that changes something and may have been made by another site's page.

    A page elsewhere can send a form, but neither JSON nor our own Origin without being asked for leave, which nobody
    gets here.
    """
    if request.method in _SAFE:
        return
    origin, host = request.headers.get("origin"), request.headers.get("host", "")
    if origin is not None and origin.partition("://")[2] != host:
        raise TallyError(FOREIGN_CALL, reason=f"its origin is {origin[:100]}", todo="Use the console's own page.")
    if request.headers.get("sec-fetch-site", "none") not in _HERE:
        raise TallyError(FOREIGN_CALL, reason="another site made it", todo="Use the console's own page.")
    if not is_json(request.headers.get("content-type", "")):
        raise TallyError(FOREIGN_CALL, reason="it is not JSON", todo="Send Content-Type: application/json.")
