"""UPS's OAuth token: asked for by client credentials, kept until shortly before it expires."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus

from services.shipper.carriers.ups.answers import Failure, Unclear, failure
from services.shipper.carriers.ups.bodies import Headers, document, text
from services.shipper.carriers.ups.requests import Call
from shared.clock import Clock
from shared.settings import CarrierSettings

TOKEN_PATH = "/security/v1/oauth/token"  # nosec B105  # noqa: S105 - a path, not a secret

_LONGEST_MARGIN = timedelta(minutes=2)
_MARGIN_PART = 10


@dataclass(frozen=True)
class Token:
    """A bearer token and the moment from which it is no longer used."""

    value: str = field(repr=False)
    use_until: datetime


def token_call() -> Call:
    """Ask for a token; its credentials are in `token_headers`."""
    return Call("OAuth", "POST", TOKEN_PATH, "", b"grant_type=client_credentials")


def token_headers(settings: CarrierSettings) -> list[tuple[bytes, bytes]]:
    """The headers that carry the credentials, and the account as `x-merchant-id`."""
    pair = f"{settings.client_id}:{settings.client_secret.get_secret_value()}".encode()
    headers = [
        (b"Authorization", b"Basic " + base64.b64encode(pair)),
        (b"Content-Type", b"application/x-www-form-urlencoded"),
        (b"Accept", b"application/json"),
    ]
    if settings.account:
        headers.append((b"x-merchant-id", settings.account.encode()))
    return headers


def token_answer(status: int, headers: Headers, body: bytes, now: datetime) -> Token | Failure:
    """The token in an answer; UPS writes its life, `expires_in`, as a string of seconds."""
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return failure(status, headers, body)
    answer = document(body) or {}
    value, life = text(answer.get("access_token")), text(answer.get("expires_in"))
    # Anything else could not stand in a header.
    if not (value.isascii() and value.isprintable() and value and " " not in value):
        return Unclear(f"HTTP {status} without a readable token")
    if not (life.isascii() and life.isdigit() and len(life) < 10):  # noqa: PLR2004 - a life in seconds, not for ever
        return Unclear(f"HTTP {status} without a readable expires_in")
    lasts = timedelta(seconds=int(life))
    return Token(value, now + lasts - min(_LONGEST_MARGIN, lasts / _MARGIN_PART))


class TokenCache:
    """The one token of an account; however many ask at once, one call fetches it."""

    def __init__(self, fetch: Callable[[], Awaitable[Token]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._token: Token | None = None
        self._fetching: asyncio.Task[Token] | None = None

    async def get(self) -> Token:
        """The token, fetched where there is none or it is about to expire. Raises what `fetch` raises."""
        token = self._token
        if token is not None and self._clock() < token.use_until:
            return token
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._renew())
        # One caller's cancellation must not fail the others.
        return await asyncio.shield(self._fetching)

    async def replace(self, refused: Token) -> Token:
        """Another token than `refused`: the one that came meanwhile, or a fresh one."""
        if self._token is refused:
            self._token = None
        return await self.get()

    async def close(self) -> None:
        """Give up a fetch under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])

    async def _renew(self) -> Token:
        self._token = await self._fetch()
        return self._token
