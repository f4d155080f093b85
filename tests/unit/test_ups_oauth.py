"""The token: what an answer gives, when it is fetched again, and that one call serves all who ask."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.shipper.carriers.ups.answers import Blocked, RateLimited, Refused, TokenRefused, Unclear
from services.shipper.carriers.ups.oauth import Token, TokenCache, token_answer, token_headers
from shared.settings import CarrierSettings
from tests.unit import ups_bodies as ups

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def token_body(value: object = "eyJ.abc-_", life: object = "14399") -> bytes:
    return ups.encoded(
        {"token_type": "Bearer", "issued_at": "1763726400000", "access_token": value, "expires_in": life}
    )


class Issuer:
    """Hands out numbered tokens when `release` is set; raises what `failure` holds."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now
        self.fetches = 0
        self.release = asyncio.Event()
        self.release.set()
        self.failure: Exception | None = None
        self.cache = TokenCache(self.fetch, lambda: self.now)

    async def fetch(self) -> Token:
        self.fetches += 1
        number = self.fetches
        await self.release.wait()
        if self.failure:
            raise self.failure
        return Token(f"token-{number}", self.now + timedelta(hours=1))


@pytest.mark.parametrize(
    ("life", "used_for"), [("14399", 14279), (14399, 14279), ("3600", 3480), ("100", 90), ("0", 0)]
)
def test_a_token_is_used_until_shortly_before_it_expires(life: object, used_for: int) -> None:
    token = token_answer(200, {}, token_body(life=life), NOW)
    assert token == Token("eyJ.abc-_", NOW + timedelta(seconds=used_for))


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", token_body(value=""), token_body(value="a\r\nb: c"), token_body(value="Zoë"), token_body(value="a b"),
     token_body(life=""), token_body(life="-1"), token_body(life="1.5"), token_body(life="9" * 30),
     token_body(life=None)],
)  # fmt: skip
def test_an_unreadable_token_is_no_token(body: bytes) -> None:
    assert isinstance(token_answer(200, {}, body, NOW), Unclear)


@given(st.integers(100, 599), st.binary(max_size=100))
def test_no_noise_is_a_token(status: int, body: bytes) -> None:
    assert not isinstance(token_answer(status, {}, body, NOW), Token)


@pytest.mark.parametrize(
    ("status", "meaning"), [(400, Refused), (401, TokenRefused), (403, Blocked), (429, RateLimited), (503, Unclear)]
)
def test_what_the_token_endpoint_refuses(status: int, meaning: type) -> None:
    body = ups.error_body(("10401", "ClientId is Invalid"))
    assert isinstance(token_answer(status, {}, body, NOW), meaning)


def test_the_secret_is_in_no_text() -> None:
    settings = CarrierSettings.model_validate({"url": "https://c", "client_id": "id", "client_secret": "s3cret"})
    assert (b"Authorization", b"Basic aWQ6czNjcmV0") in token_headers(settings)
    assert "s3cret" not in repr(settings)
    assert "abc" not in repr(Token("abc", NOW))


def test_the_account_goes_along_where_there_is_one() -> None:
    assert (b"x-merchant-id", b"A1B2C3") in token_headers(CarrierSettings(account="A1B2C3"))
    assert all(name != b"x-merchant-id" for name, _ in token_headers(CarrierSettings()))


async def test_a_token_is_fetched_once_while_it_lasts() -> None:
    issuer = Issuer()
    first = await issuer.cache.get()
    issuer.now += timedelta(minutes=59)
    assert await issuer.cache.get() is first
    issuer.now += timedelta(minutes=1)
    assert (await issuer.cache.get()).value == "token-2"
    assert issuer.fetches == 2


async def test_however_many_ask_one_fetch_serves_them() -> None:
    issuer = Issuer()
    issuer.release.clear()
    askers = [asyncio.create_task(issuer.cache.get()) for _ in range(20)]
    await asyncio.sleep(0)
    issuer.release.set()
    assert {token.value for token in await asyncio.gather(*askers)} == {"token-1"}
    assert issuer.fetches == 1


async def test_one_askers_cancellation_fails_no_other() -> None:
    issuer = Issuer()
    issuer.release.clear()
    impatient, patient = (asyncio.create_task(issuer.cache.get()) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    issuer.release.set()
    assert (await patient).value == "token-1"
    assert issuer.fetches == 1


async def test_a_refused_token_is_replaced_once_however_many_saw_it_refused() -> None:
    issuer = Issuer()
    refused = await issuer.cache.get()
    replaced = await asyncio.gather(*(issuer.cache.replace(refused) for _ in range(10)))
    assert {token.value for token in replaced} == {"token-2"}
    assert (await issuer.cache.replace(refused)).value == "token-2"
    assert issuer.fetches == 2


async def test_a_failed_fetch_fails_who_asked_and_is_made_again_for_the_next() -> None:
    issuer = Issuer()
    issuer.failure = RuntimeError("away")
    results = await asyncio.gather(*(issuer.cache.get() for _ in range(3)), return_exceptions=True)
    assert [str(result) for result in results] == ["away"] * 3
    issuer.failure = None
    assert (await issuer.cache.get()).value == "token-2"


async def test_closing_gives_up_a_fetch_under_way() -> None:
    issuer = Issuer()
    issuer.release.clear()
    asking = asyncio.create_task(issuer.cache.get())
    await asyncio.sleep(0)
    await issuer.cache.close()
    with pytest.raises(asyncio.CancelledError):
        await asking
