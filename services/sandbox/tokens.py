"""The bearer tokens in force; they outlive a restart, so that a restart is no storm of sign-ins."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from services.sandbox.ledger import Ledger, LedgerThread
from services.sandbox.replies import RefusedError


class Tokens:
    """Tokens by their digest; `known` holds those an earlier process issued."""

    def __init__(self, ledger: LedgerThread, known: dict[str, datetime]) -> None:
        self._ledger = ledger
        self._expiry = dict(known)

    async def issue(self, now: datetime, lifetime: timedelta) -> str:
        """A new token, valid for `lifetime`."""
        token = secrets.token_urlsafe(48)
        digest = _digest(token)
        await self._ledger.run(Ledger.keep_token, digest, now + lifetime)
        self._expiry[digest] = now + lifetime
        return token

    def require(self, token: str, now: datetime) -> None:
        """Raise RefusedError 250003 without a token, 250002 where it is unknown or expired."""
        if not token:
            raise RefusedError("250003", "Invalid Access License number", status=401)
        expiry = self._expiry.get(_digest(token))
        if expiry is None or expiry <= now:
            raise invalid_token()

    async def revoke(self, token: str) -> None:
        """End a token's validity."""
        digest = _digest(token)
        self._expiry.pop(digest, None)
        await self._ledger.run(Ledger.drop_token, digest)

    async def revoke_all(self) -> None:
        """End every token's validity."""
        self._expiry.clear()
        await self._ledger.run(Ledger.drop_tokens)


def invalid_token() -> RefusedError:
    """What UPS says of a token that is not, or no longer, valid."""
    return RefusedError("250002", "Invalid Authentication Information.", status=401)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
