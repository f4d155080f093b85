"""The carrier as the shipper uses it, against a scripted server on a real socket."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import time
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import structlog

from services.shipper.carriers.carrier import (
    Carrier,
    DateWindow,
    DeadlinePassedError,
    NothingCreatedError,
    Purchase,
    Rate,
    SendDeadline,
    UnknownOutcomeError,
)
from services.shipper.carriers.ups import UpsCarrier
from services.shipper.carriers.ups.retries import Backoff, asked_wait
from shared.errors import TallyError
from shared.settings import CarrierSettings
from shared.shipping import Money, ServiceLevel
from tests.unit import ups_bodies as ups
from tests.unit.ups_look_alike import (
    RATE_PATH,
    RECOVERY_PATH,
    SHIP_PATH,
    TOKEN_PATH,
    TRACK_PATH,
    VOID_PATH,
    LookAlike,
    hanging,
    hanging_up,
    look_alike,
    replying,
    token,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
WINDOW = DateWindow(date(2026, 11, 20), date(2026, 11, 22))
SOLD = replying(200, ups.ship_body())
NOT_RECOVERED = replying(400, ups.error_body(("300007", "No shipment found")))
NOT_TRACKED = replying(200, ups.track_body())
BUSY = replying(503, ups.error_body(("10004", "Unavailable")))


class Waits(list[float]):
    """A sleep that only notes how long it should have been."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def carrier(url: str, waits: Waits, **changes: Any) -> UpsCarrier:
    fields = {"url": url, "client_id": "id", "client_secret": "s3cret", "account": ups.ACCOUNT, "call_timeout": 5.0}
    return UpsCarrier(CarrierSettings.model_validate(fields | changes), lambda: NOW, sleep=waits)


@pytest.fixture
async def server() -> AsyncIterator[LookAlike]:
    async with look_alike() as look:
        look.on(SHIP_PATH, SOLD)
        look.on(RATE_PATH, replying(200, ups.rate_body()))
        look.on(RECOVERY_PATH, NOT_RECOVERED)
        look.on(TRACK_PATH, NOT_TRACKED)
        yield look


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
async def account(server: LookAlike, waits: Waits) -> AsyncIterator[UpsCarrier]:
    made = carrier(server.url, waits)
    yield made
    await made.close()


async def buy(account: UpsCarrier, *, within: float = 10.0, **changes: Any) -> Purchase:
    return await account.buy(ups.shipment(**changes), ups.REFERENCE, SendDeadline(within))


async def refusal(account: UpsCarrier) -> NothingCreatedError:
    with pytest.raises(NothingCreatedError) as refused:
        await buy(account)
    return refused.value


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def test_it_is_a_carrier(waits: Waits) -> None:
    made: Carrier = carrier("http://127.0.0.1:1", waits)
    assert made


def test_without_an_address_there_is_no_carrier(waits: Waits) -> None:
    with pytest.raises(TallyError, match="E-5001"):
        carrier("", waits)


async def test_a_purchase_is_one_call_with_a_token(server: LookAlike, account: UpsCarrier) -> None:
    await account.prepare()
    purchase = await buy(account)
    assert purchase.tracking_numbers == (ups.TRACKING_NUMBER,)
    assert [request.path for request in server.received] == [TOKEN_PATH, SHIP_PATH]
    asked, sent = server.received
    assert asked.headers["authorization"].startswith("Basic ")
    assert asked.headers["x-merchant-id"] == ups.ACCOUNT
    assert asked.body == b"grant_type=client_credentials"
    assert sent.headers["authorization"] == "Bearer token-1"
    assert sent.headers["transid"] == ups.REFERENCE
    assert sent.headers["transactionsrc"]
    assert json.loads(sent.body)["ShipmentRequest"]["Shipment"]["Package"][0]["ReferenceNumber"][0] == {
        "Value": ups.REFERENCE
    }


async def test_calls_share_one_token_and_one_connection(server: LookAlike, account: UpsCarrier) -> None:
    for _ in range(5):
        await buy(account)
    assert (server.count(TOKEN_PATH), server.count(SHIP_PATH), server.connections) == (1, 5, 1)


async def test_a_hard_400_fails_the_row_and_is_never_repeated(server: LookAlike, account: UpsCarrier) -> None:
    server.on(SHIP_PATH, replying(400, ups.error_body(("111285", "The postal code 01001 is invalid for MA US."))))
    refused = await refusal(account)
    assert refused.error.code == "E-3033"
    assert "111285" in refused.error.message
    assert "The postal code 01001 is invalid for MA US." in refused.error.message
    assert not refused.stops_job
    assert server.count(SHIP_PATH) == 1


async def test_a_refusal_does_not_tell_who_the_recipient_is(server: LookAlike, account: UpsCarrier) -> None:
    words = "Invalid name ZOË MÜLLER at 7 Alder Court, phone 413.555.0101"
    server.on(SHIP_PATH, replying(400, ups.error_body(("120202", words))))
    message = (await refusal(account)).error.message
    assert "Invalid name […] at […], phone […]" in message


async def test_an_empty_200_with_an_error_code_fails_the_row(server: LookAlike, account: UpsCarrier) -> None:
    server.on(SHIP_PATH, replying(200, apierrorcode="1", apierrormsg="Invalid character"))
    refused = await refusal(account)
    assert (refused.error.code, refused.stops_job) == ("E-3001", False)


async def test_a_403_stops_the_job(server: LookAlike, account: UpsCarrier) -> None:
    server.on(SHIP_PATH, replying(403, ups.error_body(("10403", "Blocked Merchant"))))
    refused = await refusal(account)
    assert (refused.error.code, refused.stops_job, server.count(SHIP_PATH)) == ("E-3004", True, 1)


async def test_a_refused_token_is_replaced_and_the_call_sent_once_more(server: LookAlike, account: UpsCarrier) -> None:
    server.on(TOKEN_PATH, token("token-1"), token("token-2"))
    server.on(SHIP_PATH, replying(401, ups.error_body(("250002", "Invalid Authentication Information."))), SOLD)
    assert (await buy(account)).tracking_numbers
    sent = [request.headers["authorization"] for request in server.received if request.path == SHIP_PATH]
    assert sent == ["Bearer token-1", "Bearer token-2"]


async def test_a_token_refused_twice_stops_the_job(server: LookAlike, account: UpsCarrier, waits: Waits) -> None:
    server.on(SHIP_PATH, replying(401, ups.error_body(("250002", "Invalid Authentication Information."))))
    refused = await refusal(account)
    assert (refused.error.code, refused.stops_job) == ("E-5003", True)
    assert (server.count(SHIP_PATH), server.count(TOKEN_PATH), waits) == (2, 2, [])


async def test_refused_credentials_stop_the_job_before_anything_is_bought(
    server: LookAlike, account: UpsCarrier
) -> None:
    server.on(TOKEN_PATH, replying(401, ups.error_body(("10401", "ClientId is Invalid"))))
    with pytest.raises(NothingCreatedError, match="E-5003") as refused:
        await account.prepare()
    assert refused.value.stops_job
    assert "s3cret" not in str(refused.value)
    assert (server.count(TOKEN_PATH), server.count(SHIP_PATH)) == (1, 0)


async def test_a_token_endpoint_in_trouble_is_asked_again(server: LookAlike, account: UpsCarrier, waits: Waits) -> None:
    server.on(TOKEN_PATH, BUSY, hanging_up, replying(429, retry_after="2"), token())
    await account.prepare()
    assert (server.count(TOKEN_PATH), len(waits)) == (4, 3)


async def test_a_token_endpoint_that_stays_in_trouble_stops_the_job(server: LookAlike, account: UpsCarrier) -> None:
    for act, code in ((BUSY, "E-3006"), (replying(429), "E-3003"), (replying(403), "E-3004")):
        server.on(TOKEN_PATH, act)
        with pytest.raises(NothingCreatedError, match=code) as refused:
            await account.prepare()
        assert refused.value.stops_job


async def test_a_rate_limit_is_waited_out_as_asked(server: LookAlike, account: UpsCarrier, waits: Waits) -> None:
    too_many = ups.error_body(("10429", "Too many requests"))
    server.on(SHIP_PATH, replying(429, too_many, retry_after="3"), replying(429, too_many), SOLD)
    assert (await buy(account)).tracking_numbers
    assert server.count(SHIP_PATH) == 3
    assert 3.0 < waits[0] < 3.3
    assert 0.2 < waits[1] < 0.6


async def test_a_rate_limit_holds_back_every_call_of_the_account(
    server: LookAlike, account: UpsCarrier, waits: Waits
) -> None:
    server.on(SHIP_PATH, replying(429, retry_after="3"), SOLD)
    await buy(account)
    waits.clear()
    await buy(account)
    (held_back,) = waits
    assert 2 < held_back <= 3


async def test_a_rate_limit_that_stays_stops_the_job(server: LookAlike, account: UpsCarrier, waits: Waits) -> None:
    server.on(SHIP_PATH, replying(429))
    refused = await refusal(account)
    assert (refused.error.code, refused.stops_job, server.count(SHIP_PATH)) == ("E-3003", True, 5)
    assert len(waits) == 4


async def test_a_rate_limit_longer_than_the_deadline_is_not_waited_out(
    server: LookAlike, account: UpsCarrier, waits: Waits
) -> None:
    server.on(SHIP_PATH, replying(429, retry_after="3600"))
    assert (await refusal(account)).error.code == "E-3003"
    assert (server.count(SHIP_PATH), waits) == (1, [])


async def test_a_carrier_out_of_reach_is_tried_and_then_stops_the_job(waits: Waits) -> None:
    away = carrier(f"http://127.0.0.1:{free_port()}", waits)
    with pytest.raises(NothingCreatedError, match="E-3002") as refused:
        await away.prepare()
    assert refused.value.stops_job
    assert len(waits) == 4
    assert waits == sorted(waits)
    await away.close()


async def test_a_carrier_that_comes_back_into_reach_is_bought_from(server: LookAlike) -> None:
    port = free_port()

    class Return(Waits):
        async def __call__(self, seconds: float) -> None:
            await super().__call__(seconds)
            if len(self) == 2:
                self.listening = await asyncio.start_server(server.serve, "127.0.0.1", port)

    returning = Return()
    home = carrier(f"http://127.0.0.1:{port}", returning)
    assert (await buy(home)).tracking_numbers
    assert len(returning) == 2
    await home.close()
    returning.listening.close()


@pytest.mark.parametrize(
    "act",
    [hanging_up, BUSY, replying(200), replying(200, b"<html>"), replying(502, b"<html>"),
     replying(200, ups.ship_body()[:300], announced=9999), replying(400, ups.error_body(("120001", "Try later")))],
)  # fmt: skip
async def test_a_call_of_unknown_outcome_is_never_repeated(server: LookAlike, account: UpsCarrier, act: Any) -> None:
    server.on(SHIP_PATH, act)
    with pytest.raises(UnknownOutcomeError):
        await buy(account)
    assert server.count(SHIP_PATH) == 1


async def test_a_call_has_one_time_out_over_all(server: LookAlike, waits: Waits) -> None:
    async def trickling(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    account = carrier(server.url, waits, call_timeout=0.3)
    await account.prepare()
    for act in (hanging, trickling):
        server.on(SHIP_PATH, act)
        started = time.monotonic()
        with pytest.raises(UnknownOutcomeError, match="TimeoutError"):
            await buy(account)
        assert time.monotonic() - started < 2
    await account.close()


async def test_a_passed_deadline_sends_no_purchase(server: LookAlike, account: UpsCarrier) -> None:
    await account.prepare()
    with pytest.raises(DeadlinePassedError):
        await account.buy(ups.shipment(), ups.REFERENCE, SendDeadline(1, started=time.monotonic() - 2))
    assert server.count(SHIP_PATH) == 0
    assert (await buy(account)).tracking_numbers


async def test_a_machine_that_slept_before_gives_a_purchase_no_more_time_than_its_deadline(
    server: LookAlike, account: UpsCarrier, waits: Waits
) -> None:
    def steady() -> float:
        """A clock that counts the machine's sleep: it is ahead of the one that does not."""
        return time.monotonic() + 3600

    server.on(SHIP_PATH, replying(429, Retry_After="60"), SOLD)
    with pytest.raises(NothingCreatedError):
        await account.buy(ups.shipment(), ups.REFERENCE, SendDeadline(1, started=steady(), clock=steady))
    assert server.count(SHIP_PATH) == 1
    assert not waits


async def test_every_try_checks_the_deadline_again(server: LookAlike) -> None:
    class Freeze(Waits):
        """The process is frozen past its deadline while it waits."""

        async def __call__(self, seconds: float) -> None:
            await super().__call__(seconds)
            object.__setattr__(deadline, "started", deadline.started - 60)

    account = carrier(server.url, Freeze())
    deadline = SendDeadline(10)
    server.on(SHIP_PATH, replying(429), SOLD)
    with pytest.raises(DeadlinePassedError):
        await account.buy(ups.shipment(), ups.REFERENCE, deadline)
    assert server.count(SHIP_PATH) == 1
    await account.close()


async def test_no_more_calls_at_a_time_than_the_account_may_make(server: LookAlike, waits: Waits) -> None:
    release = asyncio.Event()

    async def held(writer: asyncio.StreamWriter) -> None:
        await release.wait()
        await SOLD(writer)

    server.on(SHIP_PATH, held)
    account = carrier(server.url, waits, max_concurrency=2)
    buying = [asyncio.create_task(buy(account)) for _ in range(5)]
    await server.until(lambda: server.count(SHIP_PATH) == 2)
    with pytest.raises(DeadlinePassedError):
        await buy(account, within=0.05)
    assert server.count(SHIP_PATH) == 2
    release.set()
    await asyncio.gather(*buying)
    assert server.count(SHIP_PATH) == 5
    await account.close()


async def test_rating_a_large_preview_leaves_room_for_purchases(server: LookAlike, waits: Waits) -> None:
    release = asyncio.Event()

    async def held(writer: asyncio.StreamWriter) -> None:
        await release.wait()
        await replying(200, ups.rate_body())(writer)

    server.on(RATE_PATH, held)
    account = carrier(server.url, waits, max_concurrency=4)
    rating = [asyncio.create_task(account.rate(ups.shipment())) for _ in range(20)]
    await server.until(lambda: server.count(RATE_PATH) == 3)
    assert (await buy(account)).tracking_numbers
    release.set()
    assert len(set(await asyncio.gather(*rating))) == 1
    await account.close()


async def test_a_shipment_is_found_by_its_reference_in_one_call(server: LookAlike, account: UpsCarrier) -> None:
    server.on(RECOVERY_PATH, replying(200, ups.recovery_body(ups.TRACKING_NUMBER)))
    finding = await account.find(ups.REFERENCE, WINDOW)
    (found,) = finding.purchases
    assert (found.shipment_id, found.tracking_numbers, found.cost) == (
        ups.TRACKING_NUMBER,
        (ups.TRACKING_NUMBER,),
        None,
    )
    assert found.labels[0].image == ups.GIF
    assert finding.asked == f"Label Recovery: reference {ups.REFERENCE} of shipper {ups.ACCOUNT}"
    assert ups.TRACKING_NUMBER in finding.answer
    assert server.count(TRACK_PATH) == 0


async def test_not_found_needs_both_look_ups(server: LookAlike, account: UpsCarrier) -> None:
    finding = await account.find(ups.REFERENCE, WINDOW)
    assert finding.purchases == ()
    assert "picked up from 2026-11-20 to 2026-11-22" in finding.asked
    assert "300007" in finding.answer
    assert "TW0001" in finding.answer
    (tracked,) = (request for request in server.received if request.path == TRACK_PATH)
    assert "fromPickUpDate=20261120&toPickUpDate=20261122" in tracked.target
    assert tracked.headers["transid"] == ups.REFERENCE
    assert tracked.headers["transactionsrc"]


async def test_several_shipments_are_all_found(server: LookAlike, account: UpsCarrier) -> None:
    server.on(RECOVERY_PATH, replying(400, ups.error_body(("300035", "Multiple shipments"))))
    server.on(
        TRACK_PATH, replying(200, ups.track_body([ups.parcel(ups.TRACKING_NUMBER)], [ups.parcel(ups.SECOND_NUMBER)]))
    )
    finding = await account.find(ups.REFERENCE, WINDOW)
    assert [found.tracking_numbers for found in finding.purchases] == [(ups.TRACKING_NUMBER,), (ups.SECOND_NUMBER,)]


async def test_a_voided_shipment_is_not_found(server: LookAlike, account: UpsCarrier) -> None:
    server.on(RECOVERY_PATH, replying(400, ups.error_body(("300033", "Voided"))))
    server.on(TRACK_PATH, replying(200, ups.track_body([ups.parcel(ups.TRACKING_NUMBER, type="MV")])))
    finding = await account.find(ups.REFERENCE, WINDOW)
    assert finding.purchases == ()
    assert "1 voided" in finding.answer


async def test_a_shipment_not_processed_yet_is_not_taken_for_none(server: LookAlike, account: UpsCarrier) -> None:
    server.on(RECOVERY_PATH, replying(400, ups.error_body(("300034", "Not processed yet"))))
    with pytest.raises(TallyError, match="E-3006"):
        await account.find(ups.REFERENCE, WINDOW)


async def test_a_look_up_outlasts_passing_trouble(server: LookAlike, account: UpsCarrier, waits: Waits) -> None:
    transient = replying(400, ups.error_body(("300000", "System unavailable")))
    server.on(RECOVERY_PATH, BUSY, hanging_up, transient, replying(429), NOT_RECOVERED)
    server.on(TRACK_PATH, replying(401), NOT_TRACKED)
    assert (await account.find(ups.REFERENCE, WINDOW)).purchases == ()
    assert server.count(RECOVERY_PATH) == 5
    assert len(waits) == 4


@pytest.mark.parametrize(
    "act",
    [BUSY, hanging_up, replying(401), replying(403), replying(404, b"<html>"), replying(429),
     replying(400, ups.error_body(("9801005", "Invalid")))],
)  # fmt: skip
async def test_a_look_up_that_tells_nothing_is_an_error_and_never_not_found(
    server: LookAlike, account: UpsCarrier, act: Any
) -> None:
    for path in (RECOVERY_PATH, TRACK_PATH):
        server.on(RECOVERY_PATH, NOT_RECOVERED)
        server.on(path, act)
        with pytest.raises(TallyError, match="E-3006"):
            await account.find(ups.REFERENCE, WINDOW)
        assert server.count(path) <= 6


async def test_a_look_up_that_hangs_leaves_time_for_another_try(server: LookAlike, waits: Waits) -> None:
    server.on(RECOVERY_PATH, hanging, replying(200, ups.recovery_body(ups.TRACKING_NUMBER)))
    account = carrier(server.url, waits, call_timeout=0.6)
    assert (await account.find(ups.REFERENCE, WINDOW)).purchases
    await account.close()


async def test_a_label_is_recovered_by_its_number(server: LookAlike, account: UpsCarrier) -> None:
    server.on(RECOVERY_PATH, replying(200, ups.recovery_body(ups.TRACKING_NUMBER, ups.SECOND_NUMBER)))
    label = await account.label(ups.SECOND_NUMBER)
    assert (label.tracking_number, label.format, label.image) == (ups.SECOND_NUMBER, "gif", ups.GIF)


@pytest.mark.parametrize("act", [NOT_RECOVERED, BUSY, replying(200, ups.recovery_body(ups.SECOND_NUMBER))])
async def test_a_label_that_cannot_be_had_is_an_error(server: LookAlike, account: UpsCarrier, act: Any) -> None:
    server.on(RECOVERY_PATH, act)
    with pytest.raises(TallyError, match="E-3006"):
        await account.label(ups.TRACKING_NUMBER)


async def test_a_void_names_the_shipment_and_outlasts_passing_trouble(
    server: LookAlike, account: UpsCarrier, waits: Waits
) -> None:
    server.on(VOID_PATH, BUSY, hanging_up, replying(400, ups.error_body(("190117", "Already voided"))))
    await account.void(ups.TRACKING_NUMBER)
    assert [call.method for call in server.received if call.path == VOID_PATH] == ["DELETE"] * 3
    assert len(waits) == 2


async def test_a_void_refused_has_the_carriers_words(server: LookAlike, account: UpsCarrier) -> None:
    server.on(VOID_PATH, replying(400, ups.error_body(("190102", "Not within the void period"))))
    with pytest.raises(TallyError, match=r"E-3020: .*\(190102\): Not within the void period"):
        await account.void(ups.TRACKING_NUMBER)


async def test_a_void_the_carrier_says_nothing_to_is_an_error(server: LookAlike, account: UpsCarrier) -> None:
    server.on(VOID_PATH, BUSY)
    with pytest.raises(TallyError, match="E-3006"):
        await account.void(ups.TRACKING_NUMBER)


async def test_a_void_the_account_may_not_make(server: LookAlike, account: UpsCarrier) -> None:
    server.on(VOID_PATH, replying(403, ups.error_body(("250004", "Blocked"))))
    with pytest.raises(NothingCreatedError, match="E-3004"):
        await account.void(ups.TRACKING_NUMBER)


async def test_a_rate_is_the_accounts_own(account: UpsCarrier) -> None:
    assert await account.rate(ups.shipment()) == Rate(ServiceLevel.GROUND, Money(amount=Decimal("9.87")))


async def test_a_refused_rate_has_the_carriers_words(server: LookAlike, account: UpsCarrier) -> None:
    server.on(RATE_PATH, replying(400, ups.error_body(("111210", "The requested service is unavailable."))))
    with pytest.raises(NothingCreatedError, match=r"E-3034.*111210.*The requested service is unavailable"):
        await account.rate(ups.shipment())


@pytest.mark.parametrize(
    ("act", "code"), [(replying(403), "E-3004"), (replying(401), "E-5003")],
)  # fmt: skip
async def test_a_rate_the_account_may_not_have(server: LookAlike, account: UpsCarrier, act: Any, code: str) -> None:
    server.on(RATE_PATH, act)
    with pytest.raises(NothingCreatedError, match=code):
        await account.rate(ups.shipment())


@pytest.mark.parametrize("act", [BUSY, hanging_up, replying(429), replying(200, b"{}")])
async def test_a_rate_that_does_not_come_is_an_error(server: LookAlike, account: UpsCarrier, act: Any) -> None:
    server.on(RATE_PATH, act)
    with pytest.raises(TallyError, match="E-3006"):
        await account.rate(ups.shipment())
    assert server.count(RATE_PATH) == 5


async def test_no_secret_and_no_recipient_is_logged(server: LookAlike, account: UpsCarrier) -> None:
    server.on(SHIP_PATH, replying(429), replying(401), SOLD)
    with structlog.testing.capture_logs() as logs:
        await buy(account)
    assert logs
    for private in ("token-1", "s3cret", "Müller", "Alder", "4135550101"):
        assert private not in repr(logs)


def test_waits_double_within_their_bounds() -> None:
    chances = random.Random(7)
    backoff = Backoff(first=0.25, ceiling=4.0, chance=chances.random)
    for failures, whole in enumerate((0.25, 0.5, 1.0, 2.0, 4.0, 4.0), start=1):
        assert whole / 2 <= backoff.wait(failures) <= whole


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("", 0), ("3", 3), ("Sat, 21 Nov 2026 12:00:05 GMT", 5), ("Sat, 21 Nov 2026 11:00:00 GMT", 0), ("soon", 0),
     ("-4", 0), ("NaN", 0)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float) -> None:
    assert asked_wait(header, NOW) == seconds


@pytest.mark.parametrize("status", [500, 403, 429])
async def test_no_failure_of_a_purchase_quotes_the_recipient(
    status: int, server: LookAlike, account: UpsCarrier
) -> None:
    to = ups.shipment().recipient
    words = f"{to.address.lines[0]} of {to.name} is not known"
    server.on(SHIP_PATH, replying(status, ups.error_body(("10004", words))))
    with pytest.raises((NothingCreatedError, UnknownOutcomeError)) as failed:
        await buy(account)
    assert [private for private in (to.name, to.address.lines[0]) if private in str(failed.value)] == []


async def test_no_failure_of_a_quote_quotes_the_recipient(server: LookAlike, account: UpsCarrier) -> None:
    to = ups.shipment().recipient
    server.on(RATE_PATH, replying(500, ups.error_body(("10004", f"{to.name} is not known"))))
    with pytest.raises(TallyError, match="E-3006") as failed:
        await account.rate(ups.shipment())
    assert to.name not in str(failed.value)
    assert "is not known" in str(failed.value)
