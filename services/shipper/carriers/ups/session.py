"""An account's session with UPS: token, limiter and retries around every call."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import Generic, TypeVar

import httpx

from services.shipper.carriers.calls import note_call
from services.shipper.carriers.carrier import DeadlinePassedError, SendDeadline, UnknownOutcomeError
from services.shipper.carriers.places import Places, Turn
from services.shipper.carriers.ups import transport
from services.shipper.carriers.ups.answers import Blocked, Failure, RateLimited, Refused, TokenRefused, Unclear
from services.shipper.carriers.ups.bodies import text
from services.shipper.carriers.ups.oauth import Token, TokenCache, token_answer, token_call, token_headers
from services.shipper.carriers.ups.observing import observed
from services.shipper.carriers.ups.refusals import blocked, credentials_refused, stop
from services.shipper.carriers.ups.requests import Call
from services.shipper.carriers.ups.retries import Again, Backoff, Sleep, asked_wait, persist
from services.shipper.carriers.ups.transport import LostError, NotSentError, Reply, SendWatch
from shared.clock import Clock
from shared.contracts.calls import CarrierCall
from shared.errors import CARRIER_RATE_LIMITED, CARRIER_UNAVAILABLE, CARRIER_UNREACHABLE, TallyError
from shared.settings import CarrierSettings

AnswerT = TypeVar("AnswerT")

# A call that may be repeated gives up earlier each time, so that one hung answer leaves time for another try.
_TRIES_PER_TIMEOUT = 3
_CARRIER_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)


class Session:
    """One account's calls: authorised, at most `max_concurrency` at a time, repeated where that is safe.

    All jobs of a shipper share it, and so the account's limits; of these it has what it is allotted, where several
    shippers share them. `tell_of_rest` is told of the seconds for which the carrier wants no call of the account.
    """

    def __init__(self, settings: CarrierSettings, clock: Clock, *, sleep: Sleep, backoff: Backoff) -> None:
        self.settings = settings
        self.clock = clock
        self.sleep = sleep
        self.backoff = backoff
        self.tokens = TokenCache(self._fetch_token, clock)
        self._client = transport.connect(settings)
        # Connections of their own, so that no purchase waits for one.
        self._client_aside = transport.connect(settings)
        self._url = settings.url.rstrip("/")
        self._urls: dict[str, httpx.URL] = {}
        self._places = Places(settings.max_concurrency, per_second=settings.calls_per_second)
        self._places_aside = Places(settings.max_concurrency)
        self._rest_until = 0.0
        self.tell_of_rest: Callable[[float], None] = _tell_nobody

    async def ask(
        self,
        call: Call,
        read: Callable[[Reply], AnswerT | Failure],
        deadline: SendDeadline | None = None,
        turn: Turn | None = None,
    ) -> AnswerT | Refused:
        """The carrier's answer to `call`, or its refusal; in a `turn` that is held, or after waiting for one.

        Without a deadline all tries together take at most `call_timeout`; with one, every try starts before the
        deadline and takes at most `call_timeout`. Raises NothingCreatedError where no try told anything and none can
        have created anything, UnknownOutcomeError where the last one (of a call that must not be repeated: the only
        one) may have, DeadlinePassedError.
        """
        seconds = deadline.left if deadline else self.settings.call_timeout
        conversation = _Conversation(self, call, read, deadline, time.monotonic() + seconds, turn or Turn())
        return await persist(
            conversation.attempt, operation=call.operation, seconds=seconds, backoff=self.backoff, sleep=self.sleep
        )

    async def send(
        self, call: Call, token: Token, deadline: SendDeadline | None, ends: float, turn: Turn, *, rested: float
    ) -> Reply:
        """One exchange of an authorised call, begun before `ends` on the monotonic clock.

        A call that is sent again has waited already until `rested`, as its rate limit asked.

        Raises NotSentError, LostError, DeadlinePassedError.
        """
        headers = [
            (b"Authorization", b"Bearer " + token.value.encode()),
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"gzip"),
            (b"transactionSrc", b"tallyman"),
        ]
        if call.trans_id:
            headers.append((b"transId", call.trans_id.encode()))
        if call.body:
            headers.append((b"Content-Type", b"application/json"))
        async with self._place(call, deadline, ends, turn, rested=rested):
            seconds = self._time_for(call, ends)
            message = transport.request(call.method, self._url_of(call), headers, call.body, seconds)
            watch = SendWatch(deadline.check if deadline else None)
            return await self._exchange(call, message, watch, seconds)

    @property
    def places(self) -> int:
        """How many calls it may make at once."""
        return self._places.count

    @property
    def in_use(self) -> int:
        """How many of them are made, or reserved."""
        return max(self._places.in_use, self._places_aside.in_use)

    @property
    def is_open(self) -> bool:
        """Whether it may make any call at present."""
        return self._places.is_open

    def allot(self, places: int, *, until: float, per_second: float) -> None:
        """Have so many places until then on the steady clock, and so many calls begun in a second (0: any number)."""
        self._places.allot(places, until=until, per_second=per_second)
        self._places_aside.allot(places, until=until, per_second=0.0)

    def rest(self, seconds: float) -> None:
        """Hold every further call of the account back for so long: its rate limit is for all of them."""
        self._rest_until = max(self._rest_until, time.monotonic() + seconds)

    def limited(self, seconds: float) -> float:
        """Rest, as the carrier asked, and tell of it; until when, on the monotonic clock."""
        self.rest(seconds)
        if seconds > 0:
            self.tell_of_rest(seconds)
        return self._rest_until

    async def turn(self) -> Turn:
        """A place for a call that is still to be decided upon."""
        return await self._next_place(self._places, await self._rested(0.0), bulk=False)

    async def close(self) -> None:
        """Close the connections."""
        await self.tokens.close()
        await self._client.aclose()
        await self._client_aside.aclose()

    @asynccontextmanager
    async def _place(
        self, call: Call, deadline: SendDeadline | None, ends: float, turn: Turn, *, rested: float
    ) -> AsyncIterator[None]:
        """A place for one exchange: the turn's, else the next one."""
        with ExitStack() as held:
            try:
                async with asyncio.timeout(max(ends - time.monotonic(), 0.0)):
                    rested = await self._rested(rested)
                    if not turn.held:
                        places = self._places_aside if call.aside else self._places
                        held.enter_context(await self._next_place(places, rested, bulk=call.bulk))
                    elif turn.calls:
                        await self._places.pace()
            except TimeoutError as error:
                if deadline:
                    raise DeadlinePassedError from error
                raise NotSentError("too many calls at a time") from error
            turn.calls += 1
            yield

    async def _next_place(self, places: Places, rested: float, *, bulk: bool) -> Turn:
        while True:
            turn = await places.take(bulk=bulk)
            if self._rest_until <= rested:
                return turn
            turn.release()
            rested = await self._rested(rested)

    async def _rested(self, rested: float) -> float:
        """Wait for every rest that lasts longer than `rested`, which was waited for; until when that is."""
        while self._rest_until > rested:
            rested = self._rest_until
            left = rested - time.monotonic()
            if left > 0:
                await self.sleep(left)
        return rested

    async def _exchange(self, call: Call, message: httpx.Request, watch: SendWatch, seconds: float) -> Reply:
        """One exchange, noted for the audit trail however it ends."""
        at, started = self.clock(), time.perf_counter()
        reply: Reply | None = None
        try:
            client = self._client_aside if call.aside else self._client
            reply = await observed(call, message, transport.exchange(client, message, watch, seconds))
            return reply
        finally:
            if call.kind is not None:
                note_call(
                    CarrierCall(
                        at=at,
                        kind=call.kind,
                        request_id=call.trans_id,
                        carrier_id="" if reply is None else _carrier_id(reply),
                        status=None if reply is None else reply.status,
                        sent=watch.sent,
                        ms=round((time.perf_counter() - started) * 1000),
                    )
                )

    def _time_for(self, call: Call, ends: float) -> float:
        if not call.repeatable:
            return self.settings.call_timeout
        return min(self.settings.call_timeout / _TRIES_PER_TIMEOUT, max(ends - time.monotonic(), 0.0))

    def _url_of(self, call: Call) -> httpx.URL:
        if call.method != "POST":  # each such target names what it is about, and is asked for once
            return httpx.URL(self._url + call.target)
        if call.target not in self._urls:
            self._urls[call.target] = httpx.URL(self._url + call.target)
        return self._urls[call.target]

    async def _fetch_token(self) -> Token:
        return await persist(
            self._ask_for_token,
            operation="OAuth",
            seconds=self.settings.call_timeout,
            backoff=self.backoff,
            sleep=self.sleep,
        )

    async def _ask_for_token(self) -> Token | Again:
        call = token_call()
        seconds = self.settings.call_timeout / _TRIES_PER_TIMEOUT
        message = transport.request(call.method, self._url_of(call), token_headers(self.settings), call.body, seconds)
        try:
            reply = await observed(call, message, transport.exchange(self._client, message, SendWatch(), seconds))
        except NotSentError as error:
            return Again(stop(TallyError(CARRIER_UNREACHABLE, reason=error)), error)
        except LostError as error:
            return Again(stop(TallyError(CARRIER_UNAVAILABLE, operation=call.operation, reason=error)), error)
        match token_answer(reply.status, reply.headers, reply.body, self.clock()):
            case Token() as token:
                return token
            case Blocked() as answer:
                raise blocked(answer)
            case TokenRefused() | Refused() as answer:
                raise credentials_refused(answer)
            case RateLimited(retry_after):
                limited = stop(TallyError(CARRIER_RATE_LIMITED, tries=self.backoff.tries))
                return Again(limited, wait=asked_wait(retry_after, self.clock()))
            case Unclear(reason):
                return Again(stop(TallyError(CARRIER_UNAVAILABLE, operation=call.operation, reason=reason)))


class _Conversation(Generic[AnswerT]):
    """One call over all its tries."""

    def __init__(
        self,
        session: Session,
        call: Call,
        read: Callable[[Reply], AnswerT | Failure],
        deadline: SendDeadline | None,
        ends: float,
        turn: Turn,
    ) -> None:
        self._session = session
        self._call = call
        self._read = read
        self._deadline = deadline
        self._ends = ends
        self._turn = turn
        self._token_replaced = False
        self._limited = 0
        self._rested = 0.0

    async def attempt(self) -> AnswerT | Refused | Again:
        """One try; twice sent where a token that had not been refused before was."""
        token = await self._session.tokens.get()
        answer = await self._send(token)
        if isinstance(answer, TokenRefused) and not self._token_replaced:
            self._token_replaced = True
            answer = await self._send(await self._session.tokens.replace(token))
        match answer:
            case TokenRefused():
                raise credentials_refused(answer)
            case Blocked():
                raise blocked(answer)
            case RateLimited(retry_after):
                self._limited += 1
                error = stop(TallyError(CARRIER_RATE_LIMITED, tries=self._limited))
                wait = asked_wait(retry_after, self._session.clock())
                self._rested = self._session.limited(wait)
                return Again(error, wait=wait)
            case Unclear(reason):
                return self._unknown(reason)
            case _:
                return answer

    async def _send(self, token: Token) -> AnswerT | Failure | Again:
        try:
            reply = await self._session.send(
                self._call, token, self._deadline, self._ends, self._turn, rested=self._rested
            )
        except NotSentError as error:
            return Again(stop(TallyError(CARRIER_UNREACHABLE, reason=error)), error)
        except LostError as error:
            return self._unknown(str(error), error)
        return self._read(reply)

    def _unknown(self, reason: str, cause: Exception | None = None) -> Again:
        unknown = UnknownOutcomeError(f"{self._call.operation}: {reason}")
        if self._call.repeatable:
            return Again(unknown, cause)
        raise unknown from cause


def _tell_nobody(_: float) -> None:
    """An account that one process has alone."""


def _carrier_id(reply: Reply) -> str:
    """UPS's name for the exchange, where its answer has one; nothing that could be anything else."""
    name = text(reply.headers.get("bkndtransid")) or text(reply.headers.get("transid"))
    return name if _CARRIER_ID.fullmatch(name) else ""
