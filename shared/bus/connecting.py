"""How a process gets onto the bus: the servers, the user, TLS; and what a refusal says to a person.

Services and clients connect by what is made here and by nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from nats.errors import AuthorizationError
from nats.errors import Error as NatsError
from pydantic import SecretStr

from shared.addresses import without_credentials
from shared.errors import BUS_CREDENTIALS_REFUSED, BUS_INSECURE, BUS_PERMISSION_MISSING, SETTINGS_INVALID, TallyError
from shared.settings import ServiceSettings

UsedT = TypeVar("UsedT")

_NO_PASSWORD = SecretStr("")
_REFUSALS = ("authorization violation", "authentication")
_MISSING_PERMISSION = re.compile(r"permissions violation for (publish|subscription) to \"([^\"]+)\"", re.IGNORECASE)
_TLS_REASONS = {
    "WRONG_VERSION_NUMBER": "the server does not begin with TLS (handshake_first: auto in its tls block)",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the server asks for a certificate (TALLY_NATS_TLS_CERT and _KEY)",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the server does not accept the certificate of TALLY_NATS_TLS_CERT",
    "TLSV1_ALERT_UNKNOWN_CA": "the server does not know the authority of TALLY_NATS_TLS_CERT",
}


@dataclass(frozen=True)
class BusAccess:
    """The bus's servers (one URL, or several by commas) and how this process gets in.

    With a certificate, an authority or a `tls://` URL the connection begins with TLS before the server has said a word:
    whoever stands between cannot talk a client out of it, and sees no password.
    """

    url: str
    user: str = ""
    password: SecretStr = _NO_PASSWORD
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None

    @property
    def servers(self) -> list[str]:
        """Each server's URL; without credentials where there is a `user`."""
        url = without_credentials(self.url) if self.user else self.url
        return [server.strip() for server in url.split(",") if server.strip()]

    @property
    def shown(self) -> str:
        """The servers as they may be shown."""
        return without_credentials(self.url)

    @property
    def inbox_prefix(self) -> str:
        """Where answers come in: the user's own, which a server lets nobody else listen to (deploy/nats)."""
        user = self.user or _user_in(self.servers)
        return f"_INBOX.{user}" if re.fullmatch(r"[A-Za-z0-9_-]+", user) else "_INBOX"

    @property
    def is_secure(self) -> bool:
        """Whether the connection must be TLS."""
        files = (self.tls_ca, self.tls_cert, self.tls_key)
        return any(files) or any(server.startswith("tls://") for server in self.servers)

    def options(self) -> dict[str, Any]:
        """What nats-py's `connect` takes. Raises E-5002 where a file of TLS cannot be used."""
        options: dict[str, Any] = {"servers": self.servers, "inbox_prefix": self.inbox_prefix}
        if self.user:
            options |= {"user": self.user, "password": self.password.get_secret_value()}
        if self.is_secure:
            options |= {"tls": self._tls(), "tls_handshake_first": True}
        return options

    def refusal(self, error: BaseException) -> TallyError | None:
        """What a person is told of a connection that was refused, not merely lost; None for anything else.

        E-5008 for the credentials, E-5009 for TLS, E-5010 for a subject that the user may not use.
        """
        if isinstance(error, ssl.SSLError):
            return TallyError(BUS_INSECURE, url=self.shown, reason=_tls_reason(error))
        if not isinstance(error, NatsError):
            return None
        text = str(error)
        user = self.user or _user_in(self.servers) or "a client without a name"
        if found := _MISSING_PERMISSION.search(text):
            what = "publish to" if found[1].lower() == "publish" else "subscribe to"
            return TallyError(BUS_PERMISSION_MISSING, user=user, what=what, subject=found[2])
        if isinstance(error, AuthorizationError) or any(refusal in text.lower() for refusal in _REFUSALS):
            return TallyError(BUS_CREDENTIALS_REFUSED, url=self.shown, user=user)
        return None

    def _tls(self) -> ssl.SSLContext:
        logging.getLogger("asyncio").addFilter(_is_of_use)
        context = _used("TALLY_NATS_TLS_CA", lambda: ssl.create_default_context(cafile=self.tls_ca))
        if self.tls_cert is not None:
            certificate = self.tls_cert
            _used("TALLY_NATS_TLS_CERT", lambda: context.load_cert_chain(certificate, self.tls_key))
        elif self.tls_key is not None:
            raise TallyError(
                SETTINGS_INVALID, setting="TALLY_NATS_TLS_CERT", reason="it is missing, and there is a key"
            )
        return context


@dataclass(eq=False)
class _Wait:
    """An answer that is waited for, to a message for `subject`."""

    subject: str
    scope: asyncio.Timeout = field(default_factory=lambda: asyncio.timeout(None))
    refusal: TallyError | None = None

    def end(self, refusal: TallyError) -> None:
        if self.refusal is None:
            self.refusal = refusal
            self.scope.reschedule(asyncio.get_running_loop().time())


class Refusals:
    """The subjects that the bus did not let a client use: the server says so beside the answer that never comes."""

    def __init__(self, access: BusAccess) -> None:
        self._access = access
        self._last: TallyError | None = None
        self._waits: list[_Wait] = []

    async def note(self, error: Exception) -> None:
        """Note an error that the connection reports, and end what waits for an answer on its subject."""
        refusal = self._access.refusal(error)
        if refusal is None or refusal.kind is not BUS_PERMISSION_MISSING:
            return
        waiting = [wait for wait in self._waits if f'"{wait.subject}"'.lower() in str(error).lower()]
        for wait in waiting:
            wait.end(refusal)
        if not waiting:
            self._last = refusal

    @asynccontextmanager
    async def told_at_once(self, subject: str) -> AsyncIterator[None]:
        """What is waited for in this context ends with E-5010 once the bus refuses a message for `subject`."""
        wait = _Wait(subject)
        self._waits.append(wait)
        try:
            async with wait.scope:
                yield
        except TimeoutError as error:
            if wait.refusal is None:
                raise
            raise wait.refusal from error
        finally:
            self._waits.remove(wait)

    def taken(self) -> TallyError | None:
        """E-5010 for what was refused last, told once."""
        last, self._last = self._last, None
        return last


def _is_of_use(record: logging.LogRecord) -> bool:
    """Whether asyncio's record is not its warning of the end of each connection by TLS.

    nats-py upgrades a connection with a reader that does not know of TLS; nothing follows from that.
    """
    return not str(record.msg).startswith("returning true from eof_received()")


def bus_access(settings: ServiceSettings, url: str | None = None) -> BusAccess:
    """How a process with these settings gets onto the bus; `url` where its address is known from elsewhere."""
    return BusAccess(
        url=url or settings.nats_url,
        user=settings.nats_user,
        password=settings.nats_password,
        tls_ca=settings.nats_tls_ca,
        tls_cert=settings.nats_tls_cert,
        tls_key=settings.nats_tls_key,
    )


def _user_in(servers: list[str]) -> str:
    """The user that a URL names beside a password; a name alone is a token."""
    for server in servers:
        parts = urlsplit(server if "://" in server else f"nats://{server}")
        if parts.username and parts.password:
            return parts.username
    return ""


def _used(setting: str, use: Callable[[], UsedT]) -> UsedT:
    """What `use` makes of a file that `setting` names. Raises E-5002."""
    try:
        return use()
    except ssl.SSLError as error:
        raise TallyError(SETTINGS_INVALID, setting=setting, reason=f"not a usable PEM file ({error.reason})") from error
    except OSError as error:
        raise TallyError(SETTINGS_INVALID, setting=setting, reason=error.strerror or "unreadable") from error


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message.rstrip(".")
    return _TLS_REASONS.get(error.reason or "", (error.reason or "TLS failed").replace("_", " ").lower())
