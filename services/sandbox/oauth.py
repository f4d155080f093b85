"""OAuth: client credentials for a bearer token. All values of the answer are strings, as UPS's are."""

from __future__ import annotations

import base64
import binascii
import secrets
from datetime import timedelta

from services.sandbox.calls import Call, Sandbox
from services.sandbox.replies import RefusedError
from services.sandbox.wire import Json

_MILLISECONDS = 1000


async def create_token(sandbox: Sandbox, call: Call) -> Json:
    """Issue a token for the Basic credentials; raises RefusedError 10400 or 10401."""
    client_id, secret = _credentials(call.headers.get("authorization", ""))
    if not _are_known(sandbox, client_id, secret):
        raise RefusedError("10401", "ClientId is Invalid", status=401)
    if call.body.get("grant_type") != "client_credentials":
        raise RefusedError("10400", "Invalid/Missing grant_type")
    now = sandbox.clock()
    lifetime = timedelta(seconds=sandbox.settings.token_lifetime)
    return {
        "token_type": "Bearer",  # nosec B105 - a kind of token, not one
        "issued_at": str(int(now.timestamp() * _MILLISECONDS)),
        "client_id": client_id,
        "access_token": await sandbox.tokens.issue(now, lifetime),
        "expires_in": str(sandbox.settings.token_lifetime),
        "status": "approved",
    }


def _credentials(header: str) -> tuple[str, str]:
    """The id and secret of a Basic header; two empty strings where it is none."""
    scheme, _, encoded = header.partition(" ")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        decoded = ""
    client_id, _, secret = decoded.partition(":")
    return client_id, secret


def _are_known(sandbox: Sandbox, client_id: str, secret: str) -> bool:
    if not client_id or not secret:
        return False
    known_id = sandbox.settings.client_id
    known_secret = sandbox.settings.client_secret.get_secret_value()
    if not known_id:
        return True
    return client_id == known_id and secrets.compare_digest(secret.encode(), known_secret.encode())
