"""The calls to UPS that were made for a message are noted: when, how, under which names; never what was said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import pytest

from services.shipper.carriers.calls import calls_noted, noting_calls
from services.shipper.carriers.carrier import DateWindow, SendDeadline, UnknownOutcomeError
from services.shipper.carriers.ups import UpsCarrier
from shared.settings import CarrierSettings
from tests.unit import ups_bodies as ups
from tests.unit.ups_look_alike import (
    RATE_PATH,
    RECOVERY_PATH,
    SHIP_PATH,
    TRACK_PATH,
    LookAlike,
    hanging_up,
    look_alike,
    replying,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


async def at_once(_seconds: float) -> None:
    """Wait for nothing."""


@pytest.fixture
async def server() -> AsyncIterator[LookAlike]:
    async with look_alike() as look:
        look.on(SHIP_PATH, replying(200, ups.ship_body(), bkndtransid="abc.123"))
        look.on(RATE_PATH, replying(200, ups.rate_body()))
        look.on(RECOVERY_PATH, replying(400, ups.error_body(("300007", "No shipment found"))))
        look.on(TRACK_PATH, replying(200, ups.track_body()))
        yield look


@pytest.fixture
async def account(server: LookAlike) -> AsyncIterator[UpsCarrier]:
    fields = {"url": server.url, "client_id": "id", "client_secret": "s3cret", "account": ups.ACCOUNT}
    made = UpsCarrier(CarrierSettings.model_validate(fields), lambda: NOW, sleep=at_once)
    yield made
    await made.close()


async def test_a_purchase_is_noted_with_both_sides_names_for_it(account: UpsCarrier) -> None:
    with noting_calls():
        await account.buy(ups.shipment(), ups.REFERENCE, SendDeadline(10))
        (call,) = calls_noted()
    assert (call.at, call.kind, call.request_id) == (NOW, "ship", ups.REFERENCE)
    assert (call.carrier_id, call.status, call.sent) == ("abc.123", 200, True)


async def test_a_call_without_an_answer_is_noted_too(server: LookAlike, account: UpsCarrier) -> None:
    server.on(SHIP_PATH, hanging_up)
    with noting_calls():
        with pytest.raises(UnknownOutcomeError):
            await account.buy(ups.shipment(), ups.REFERENCE, SendDeadline(10))
        (call,) = calls_noted()
    assert (call.kind, call.status, call.sent) == ("ship", None, True)


async def test_a_look_up_is_noted_with_each_api_it_asks(account: UpsCarrier) -> None:
    with noting_calls():
        await account.find(ups.REFERENCE, DateWindow(date(2026, 11, 20), date(2026, 11, 22)))
        noted = [(call.kind, call.status) for call in calls_noted()]
    assert noted == [("recover", 400), ("track", 200)]


async def test_quotes_and_tokens_are_not_noted(account: UpsCarrier) -> None:
    with noting_calls():
        await account.prepare()
        await account.rate(ups.shipment())
        assert calls_noted() == ()


async def test_a_name_that_may_be_anything_is_left_out(server: LookAlike, account: UpsCarrier) -> None:
    server.on(SHIP_PATH, replying(200, ups.ship_body(), bkndtransid="Mary Planted"))
    with noting_calls():
        await account.buy(ups.shipment(), ups.REFERENCE, SendDeadline(10))
        assert [call.carrier_id for call in calls_noted()] == [""]


async def test_nobody_need_ask(account: UpsCarrier) -> None:
    await account.buy(ups.shipment(), ups.REFERENCE, SendDeadline(10))
    assert calls_noted() == ()
