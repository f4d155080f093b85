"""Keeps this shipper's share of its account's limit, and hears when the account rests."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
from collections.abc import Callable

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from pydantic import ValidationError

from services.shipper.carriers.leases import Lease, Limited
from services.shipper.carriers.shares import Terms, without
from shared.bus.publishing import Publisher, WrongLastSequenceError, fresh_id
from shared.clock import Clock, SteadyClock, steady_now
from shared.contracts import subjects
from shared.contracts.places import AccountPlaces, AccountRests
from shared.errors import PUBLISH_FAILED, TallyError
from shared.settings import CarrierSettings
from shared.telemetry import logger

log = logger("sharing")

RENEW_EVERY = 1.0
_TRIES = 20
_ASK_FOR = 1.0


def account_key(settings: CarrierSettings) -> str:
    """What an account is called on the bus: a hash that tells neither its number nor its client id."""
    named = settings.account or settings.client_id
    return hashlib.sha256(f"carrier account {named}".encode()).hexdigest()[:32]


class Sharing:
    """One shipper's part in the register of its account, which makes no call before it joined."""

    def __init__(
        self,
        client: Client,
        publisher: Publisher,
        account: Limited,
        settings: CarrierSettings,
        clock: Clock,
        steady: SteadyClock = steady_now,
    ) -> None:
        self._client = client
        self._publisher = publisher
        self._account = account
        self._key = account_key(settings)
        self._me = f"{socket.gethostname()[:24]}:{os.getpid()}:{fresh_id()[:8]}"
        terms = Terms(settings.max_concurrency)
        self._lease = Lease(self._me, account, terms, clock, steady, per_second=settings.calls_per_second)
        self._told: set[asyncio.Task[None]] = set()

    async def join(self) -> None:
        """Take part, and begin with what the others leave; while the bus confirms nothing that is none."""
        await self._client.subscribe(subjects.account_rests(self._key), cb=self._heard_of_rest)
        await self._renew_if_possible()

    async def run(self) -> None:
        """Renew the share until cancelled, then give it back; while the bus is away it runs out by itself."""
        try:
            while True:
                await asyncio.sleep(RENEW_EVERY)
                await self._renew_if_possible()
        finally:
            await self._leave()

    async def _leave(self) -> None:
        self._lease.end()
        await asyncio.gather(*self._told)
        try:
            await self._write(lambda found: without(found, self._me))
        except TallyError as error:
            log.warning("the places are given back when their lease ends", code=error.body.code)

    def rests(self, seconds: float) -> None:
        """Tell the others, those to come as well, that the account makes no calls for so long."""
        self._lease.note_rest(seconds)
        task = asyncio.get_running_loop().create_task(self._tell_of_rest(seconds))
        self._told.add(task)
        task.add_done_callback(self._told.discard)

    async def _tell_of_rest(self, seconds: float) -> None:
        message = AccountRests(shipper=self._me, seconds=seconds)
        try:
            await self._client.publish(subjects.account_rests(self._key), message.encode())
            await self._client.flush(timeout=1)
        except (NatsError, TimeoutError) as error:
            log.warning("nobody was told that the account rests", error=repr(error))

    async def _heard_of_rest(self, message: Msg) -> None:
        try:
            told = AccountRests.model_validate_json(message.data)
        except ValidationError:
            log.error("unreadable word of a rest", size=len(message.data))
            return
        if told.shipper != self._me:
            self._account.rest(told.seconds)

    async def _renew_if_possible(self) -> None:
        try:
            self._lease.confirm(await self._write(self._lease.propose))
        except TallyError as error:
            log.warning("the share of the account's places was not renewed", code=error.body.code)

    async def _write(self, change: Callable[[AccountPlaces], AccountPlaces]) -> AccountPlaces:
        """Change the register by compare-and-set. Raises TallyError E-4013 where the bus confirms nothing in time."""
        subject = subjects.account_places(self._key)
        for _ in range(_TRIES):
            stored = await self._publisher.last(subjects.PLACES, subject, retry_for=_ASK_FOR)
            found = AccountPlaces() if stored is None else _read(stored.data)
            wanted = change(found)
            try:
                await self._publisher.publish(
                    subjects.PLACES,
                    subject,
                    wanted,
                    message_id=fresh_id(),
                    expected_last=0 if stored is None else stored.sequence,
                    retry_for=_ASK_FOR,
                )
            except WrongLastSequenceError:
                continue
            return wanted
        raise TallyError(PUBLISH_FAILED, subject=subject, reason=f"others wrote first, {_TRIES} times")


def _read(data: bytes) -> AccountPlaces:
    """The register; one that cannot be read counts as lost."""
    try:
        return AccountPlaces.model_validate_json(data)
    except ValidationError:
        log.error("the register of an account's places is unreadable", size=len(data))
        return AccountPlaces()
