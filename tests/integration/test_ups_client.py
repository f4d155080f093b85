"""The UPS client against the sandbox carrier as a process, over HTTP."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import select
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.shipper.carriers.carrier import (
    DateWindow,
    DeadlinePassedError,
    NothingCreatedError,
    Purchase,
    SendDeadline,
    UnknownOutcomeError,
)
from services.shipper.carriers.ups import UpsCarrier
from services.shipper.labels import LabelStore
from services.shipper.recording import Recorder
from services.shipper.recovery import Recovery
from shared.clock import utc_now
from shared.contracts.addresses import AddressFinding
from shared.contracts.lookups import LabelRecovered, RecoverLabel
from shared.errors import TallyError
from shared.settings import SANDBOX_SHIP_FROM, CarrierSettings
from shared.shipping import (
    Address,
    Contact,
    Customs,
    CustomsLine,
    Money,
    Package,
    ServiceLevel,
    Shipment,
    Signature,
    Terms,
)
from tests.integration.job_steps import claimed

ROOT = Path(__file__).parents[2]
ACCOUNT = "A1B2C3"
SHIP_PATH = "/api/shipments/v2409/ship"
RECOVERY_PATH = "/api/labels/v1/recovery"
TOKEN_PATH = "/security/v1/oauth/token"


class Sandbox:
    """The running sandbox: its faults and its ledger."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, timeout=10)

    def fail(self, fault: str, *, match: dict[str, Any] | None = None, **fields: Any) -> None:
        """Put one fault in force."""
        faults = [{"fault": fault, "match": match or {"path": SHIP_PATH}, **fields}]
        self._http.put("/_sandbox/faults", json=faults).raise_for_status()

    def mend(self) -> None:
        """Lift all faults."""
        self._http.delete("/_sandbox/faults").raise_for_status()

    def sold(self, reference: str) -> list[dict[str, Any]]:
        """The shipments of the ledger that carry `reference`."""
        shipments = self._http.get("/_sandbox/shipments").raise_for_status().json()
        return [shipment for shipment in shipments if reference in shipment["references"]]

    def calls(self, path: str) -> int:
        """How often `path` was called since the start."""
        count: int = self._http.get("/_sandbox/calls").raise_for_status().json().get(path, 0)
        return count

    def void(self, shipment_id: str) -> None:
        """Void a shipment, as someone else would."""
        form = {"grant_type": "client_credentials"}
        token = self._http.post(TOKEN_PATH, data=form, auth=("other", "secret")).raise_for_status().json()
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        path = f"/api/shipments/v2409/void/cancel/{shipment_id}"
        self._http.delete(path, headers=headers).raise_for_status()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("sandbox")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TALLY_")}
    environment |= {"TALLY_DATA_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "services.sandbox"]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            assert select.select([process.stdout], [], [], 30)[0], "the sandbox did not start"
            sandbox = Sandbox(json.loads(process.stdout.readline())["url"])
            yield sandbox
            sandbox.close()
        finally:
            process.terminate()
            process.wait(timeout=15)


@pytest.fixture
def sandbox(running: Sandbox) -> Iterator[Sandbox]:
    yield running
    running.mend()


@pytest.fixture
def reference() -> str:
    return f"TLY{uuid.uuid4().hex[:20].upper()}"


def settings(sandbox: Sandbox, **changes: Any) -> CarrierSettings:
    fields = {"url": sandbox.url, "client_id": "tally", "client_secret": "secret", "account": ACCOUNT}
    return CarrierSettings.model_validate(fields | changes)


@pytest.fixture
async def carrier(sandbox: Sandbox) -> AsyncIterator[UpsCarrier]:
    made = UpsCarrier(settings(sandbox), utc_now)
    yield made
    await made.close()


def recipient(**changes: Any) -> Contact:
    address = {"lines": ("7 Alder Court",), "city": "Agawam", "state": "MA", "postal_code": "01001-2345"}
    return Contact(name="Zoë Müller", phone="4135550101", address=Address.model_validate(address | changes))


def shipment(**changes: Any) -> Shipment:
    fields: dict[str, Any] = {
        "ship_from": SANDBOX_SHIP_FROM,
        "recipient": recipient(),
        "packages": (Package(weight=Decimal("12.345")),),
        "order_number": "SO-1001",
    }
    return Shipment(**fields | changes)


def window() -> DateWindow:
    today = utc_now().date()
    return DateWindow(today - timedelta(days=1), today + timedelta(days=1))


async def buy(carrier: UpsCarrier, reference: str, **changes: Any) -> Purchase:
    return await carrier.buy(shipment(**changes), reference, SendDeadline(10))


async def find(carrier: UpsCarrier, reference: str) -> tuple[Purchase, ...]:
    return (await carrier.find(reference, window())).purchases


async def test_a_bought_shipment_is_in_the_carriers_ledger_at_the_price_quoted(
    sandbox: Sandbox, carrier: UpsCarrier, reference: str
) -> None:
    await carrier.prepare()
    quoted = (await carrier.rate(shipment())).cost
    purchase = await buy(carrier, reference)
    (sold,) = sandbox.sold(reference)
    assert sold["shipment_id"] == purchase.shipment_id
    assert sold["tracking_numbers"] == list(purchase.tracking_numbers)
    assert sold["references"] == [reference, "SO-1001"]
    assert sold["shipper_number"] == ACCOUNT
    assert purchase.cost == quoted
    assert [(label.tracking_number, label.format) for label in purchase.labels] == [(purchase.shipment_id, "gif")]
    assert purchase.labels[0].image.startswith(b"GIF8")


async def test_what_was_bought_is_found_by_its_reference_with_its_label(carrier: UpsCarrier, reference: str) -> None:
    purchase = await buy(carrier, reference)
    (found,) = await find(carrier, reference)
    assert (found.shipment_id, found.tracking_numbers) == (purchase.shipment_id, purchase.tracking_numbers)
    assert found.labels[0].image.startswith(b"GIF8")
    assert found.cost is None


async def test_a_label_is_had_again_by_its_number(carrier: UpsCarrier, reference: str) -> None:
    purchase = await buy(carrier, reference)
    label = await carrier.label(purchase.tracking_numbers[0])
    assert (label.tracking_number, label.format) == (purchase.tracking_numbers[0], "gif")


async def test_a_label_of_an_unknown_number_is_an_error(carrier: UpsCarrier) -> None:
    with pytest.raises(TallyError, match="E-3006"):
        await carrier.label("1ZA1B2C30399999999")


async def test_what_was_never_bought_is_not_found(carrier: UpsCarrier, reference: str) -> None:
    finding = await carrier.find(reference, window())
    assert finding.purchases == ()
    assert "300007" in finding.answer
    assert "TW0001" in finding.answer


async def test_every_parcel_has_its_number_and_label(sandbox: Sandbox, carrier: UpsCarrier, reference: str) -> None:
    parcels = tuple(Package(weight=Decimal(weight)) for weight in (1, 2, 3))
    purchase = await buy(carrier, reference, packages=parcels)
    assert sandbox.sold(reference)[0]["tracking_numbers"] == list(purchase.tracking_numbers)
    assert len({label.tracking_number for label in purchase.labels}) == 3
    (found,) = await find(carrier, reference)
    assert found.tracking_numbers == purchase.tracking_numbers
    assert (await carrier.label(purchase.tracking_numbers[2])).tracking_number == purchase.tracking_numbers[2]


OTTAWA = {"country": "CA", "state": "ON", "city": "Ottawa", "postal_code": "K1A 0B6"}


async def test_goods_abroad_come_with_their_invoice_once(sandbox: Sandbox, carrier: UpsCarrier, reference: str) -> None:
    goods = CustomsLine(description="Books", origin="US", quantity=3, unit_value=Decimal("24.50"), hs_code="490199")
    sent: dict[str, Any] = {
        "recipient": recipient(**OTTAWA),
        "service": ServiceLevel.STANDARD,
        "packages": (Package(weight=Decimal(2)), Package(weight=Decimal(3))),
        "customs": Customs(lines=(goods,), terms=Terms.DAP),
        "signature": Signature.DIRECT,
        "cost_centre": "CC-42",
    }
    purchase = await buy(carrier, reference, **sent)
    assert purchase.invoice is not None
    assert purchase.invoice.startswith(b"%PDF")
    assert purchase.cost == (await carrier.rate(shipment(**sent))).cost
    assert sandbox.sold(reference)[0]["references"] == [reference, "SO-1001 / CC-42"]
    (found,) = await find(carrier, reference)
    assert (found.tracking_numbers, found.invoice) == (purchase.tracking_numbers, None)


async def test_the_labels_of_all_parcels_are_had_by_the_number_of_one(
    carrier: UpsCarrier, reference: str, tmp_path: Path
) -> None:
    purchase = await buy(carrier, reference, packages=tuple(Package(weight=Decimal(weight)) for weight in (1, 2, 3)))
    first, second, third = purchase.tracking_numbers
    labels = LabelStore(f"file://{tmp_path}")
    # Fetching labels neither reads nor writes the ledger.
    unused: Any = None
    recorder = Recorder(carrier, labels, unused, unused, utc_now, label_within=timedelta(seconds=10))
    recovery = Recovery(carrier, recorder, unused, utc_now)
    asked = RecoverLabel(
        job_id="job", row_number=1, tracking_numbers=(second,), reference=reference, parcels=3, since=utc_now()
    )
    told = LabelRecovered.model_validate_json(await recovery.recover_label(asked.encode()))
    assert (told.shipment_id, told.tracking_numbers) == (first, (second, first, third))
    assert [(tmp_path / key).read_bytes()[:4] for key in told.label_keys] == [b"GIF8"] * 3
    assert [key.split("-")[1] for key in told.label_keys] == [f"{number}.gif" for number in told.tracking_numbers]
    missing = asked.model_copy(update={"reference": "UNKNOWN"})
    told = LabelRecovered.model_validate_json(await recovery.recover_label(missing.encode()))
    assert (told.label_key, told.tracking_numbers) == (f"job/0000001-{second}.gif", ())


async def test_a_sale_waits_for_its_labels_no_longer_than_it_may(
    sandbox: Sandbox, carrier: UpsCarrier, reference: str, tmp_path: Path
) -> None:
    purchase = await buy(carrier, reference, packages=tuple(Package(weight=Decimal(1)) for _ in range(10)))
    unused: Any = None
    labels = LabelStore(f"file://{tmp_path}")
    hasty, patient = (
        Recorder(carrier, labels, unused, unused, utc_now, label_within=timedelta(seconds=seconds))
        for seconds in (0.3, 30)
    )
    entry = claimed("job", 1, reference=reference)
    without = dataclasses.replace(purchase, labels=())
    sandbox.fail("latency", match={"path": RECOVERY_PATH}, ms=500)
    assert await hasty._store_labels(entry, without) == ()
    sandbox.mend()
    assert len(await patient._store_labels(entry, without)) == 10
    with pytest.raises(TallyError, match="E-3006"):
        await patient.store_labels("job", 1, Purchase("1Z", ("1ZA1B2C30399999999",) * 9, None))


async def test_options_are_bought_at_the_price_quoted(carrier: UpsCarrier, reference: str) -> None:
    plain = {"service": ServiceLevel.NEXT_DAY_AIR, "packages": (Package(weight=Decimal(2)),) * 2}
    insured = Package(weight=Decimal(2), declared_value=Money(amount=Decimal(250)))
    options = {"packages": (insured, insured), "signature": Signature.ADULT, "saturday_delivery": True}
    purchase = await buy(carrier, reference, **plain | options | {"shipper": recipient()})
    assert purchase.cost == (await carrier.rate(shipment(**plain | options))).cost
    without = (await carrier.rate(shipment(**plain))).cost
    assert without.amount < purchase.cost.amount
    with pytest.raises(NothingCreatedError, match="Saturday"):
        await buy(carrier, reference, saturday_delivery=True)


@pytest.mark.parametrize(
    ("to", "service"),
    [
        ({"state": "PR", "city": "San Juan", "postal_code": "00907"}, ServiceLevel.SECOND_DAY_AIR),
        (OTTAWA, ServiceLevel.STANDARD),
        ({"residential": True}, ServiceLevel.NEXT_DAY_AIR_EARLY),
    ],
)
async def test_lanes_with_rules_of_their_own_are_served(
    sandbox: Sandbox, carrier: UpsCarrier, reference: str, to: dict[str, Any], service: ServiceLevel
) -> None:
    await buy(carrier, reference, recipient=recipient(**to), service=service)
    assert sandbox.sold(reference)[0]["references"] == [reference, "SO-1001"]
    assert len(await find(carrier, reference)) == 1


async def test_zpl_labels(sandbox: Sandbox, reference: str) -> None:
    carrier = UpsCarrier(settings(sandbox, label_format="ZPL"), utc_now)
    purchase = await buy(carrier, reference)
    assert purchase.labels[0].format == "zpl"
    assert (await carrier.label(purchase.tracking_numbers[0])).format == "zpl"
    await carrier.close()


async def test_a_row_the_carrier_refuses_fails_with_its_words(
    sandbox: Sandbox, carrier: UpsCarrier, reference: str
) -> None:
    with pytest.raises(NothingCreatedError, match=r"E-3033.*111285.*postal code") as refused:
        await buy(carrier, reference, recipient=recipient(postal_code="00000"))
    assert not refused.value.stops_job
    with pytest.raises(NothingCreatedError, match=r"E-3033.*111285"):
        await carrier.rate(shipment(recipient=recipient(postal_code="00000")))
    assert sandbox.sold(reference) == []


async def test_a_hard_400_is_sent_once(sandbox: Sandbox, carrier: UpsCarrier, reference: str) -> None:
    sandbox.fail("error", status=400, code="120207", message="Missing or invalid ship to postal code")
    before = sandbox.calls(SHIP_PATH)
    with pytest.raises(NothingCreatedError, match=r"E-3031.*120207.*Missing or invalid"):
        await buy(carrier, reference)
    assert sandbox.calls(SHIP_PATH) == before + 1


async def test_a_control_character_in_a_name_fails_the_row(
    sandbox: Sandbox, carrier: UpsCarrier, reference: str
) -> None:
    bad = recipient().model_copy(update={"name": "Zoë\x07Müller"})
    with pytest.raises(NothingCreatedError, match="E-3001"):
        await buy(carrier, reference, recipient=bad)
    assert sandbox.sold(reference) == []


async def test_a_rate_limit_is_waited_out(sandbox: Sandbox, carrier: UpsCarrier, reference: str) -> None:
    sandbox.fail("rate_limit", match={"path": SHIP_PATH, "times": 2}, retry_after=0)
    before = sandbox.calls(SHIP_PATH)
    assert (await buy(carrier, reference)).tracking_numbers
    assert sandbox.calls(SHIP_PATH) == before + 3
    assert len(sandbox.sold(reference)) == 1


async def test_a_rate_limit_beyond_the_deadline_stops_the_job(
    sandbox: Sandbox, carrier: UpsCarrier, reference: str
) -> None:
    sandbox.fail("rate_limit", retry_after=60)
    with pytest.raises(NothingCreatedError, match="E-3003") as refused:
        await buy(carrier, reference)
    assert refused.value.stops_job
    assert sandbox.sold(reference) == []


async def test_an_expired_token_is_replaced(sandbox: Sandbox, carrier: UpsCarrier, reference: str) -> None:
    await carrier.prepare()
    sandbox.fail("expire_token", match={"path": SHIP_PATH, "times": 1})
    before = sandbox.calls(TOKEN_PATH)
    assert (await buy(carrier, reference)).tracking_numbers
    assert sandbox.calls(TOKEN_PATH) == before + 1
    assert len(sandbox.sold(reference)) == 1


async def test_a_token_that_expires_at_every_call_stops_the_job(
    sandbox: Sandbox, carrier: UpsCarrier, reference: str
) -> None:
    sandbox.fail("expire_token")
    with pytest.raises(NothingCreatedError, match="E-5003") as refused:
        await buy(carrier, reference)
    assert refused.value.stops_job
    assert sandbox.sold(reference) == []


@pytest.mark.parametrize("reset", [False, True])
async def test_a_lost_answer_is_not_repeated_and_found_by_its_reference(
    sandbox: Sandbox,
    carrier: UpsCarrier,
    reference: str,
    reset: bool,
) -> None:
    await carrier.prepare()
    sandbox.fail("drop_after_commit", reset=reset)
    before = sandbox.calls(SHIP_PATH)
    with pytest.raises(UnknownOutcomeError):
        await buy(carrier, reference)
    assert sandbox.calls(SHIP_PATH) == before + 1
    (found,) = await find(carrier, reference)
    (sold,) = sandbox.sold(reference)
    assert found.tracking_numbers == tuple(sold["tracking_numbers"])
    assert found.labels


async def test_an_answer_past_the_time_out_is_found_by_its_reference(sandbox: Sandbox, reference: str) -> None:
    carrier = UpsCarrier(settings(sandbox, call_timeout=0.5), utc_now)
    await carrier.prepare()
    sandbox.fail("hang_after_commit", ms=60_000)
    with pytest.raises(UnknownOutcomeError, match="TimeoutError"):
        await buy(carrier, reference)
    assert len(await find(carrier, reference)) == 1
    assert len(sandbox.sold(reference)) == 1
    await carrier.close()


async def test_an_empty_200_with_an_error_code_created_nothing(
    sandbox: Sandbox, carrier: UpsCarrier, reference: str
) -> None:
    sandbox.fail("empty_200")
    with pytest.raises(NothingCreatedError, match="E-3001"):
        await buy(carrier, reference)
    assert sandbox.sold(reference) == []


@pytest.mark.parametrize(
    ("fault", "fields"),
    [
        ("empty_200", {"committed": True}),
        ("error", {"status": 503, "code": "10004", "committed": True}),
        ("error", {"status": 400, "code": "120001", "committed": True}),
    ],
)
async def test_a_denied_sale_is_looked_up(
    sandbox: Sandbox, carrier: UpsCarrier, reference: str, fault: str, fields: dict[str, Any]
) -> None:
    sandbox.fail(fault, **fields)
    with pytest.raises(UnknownOutcomeError):
        await buy(carrier, reference)
    assert len(await find(carrier, reference)) == 1


async def test_a_503_that_created_nothing_is_unknown_too(sandbox: Sandbox, carrier: UpsCarrier, reference: str) -> None:
    sandbox.fail("error", status=503)
    with pytest.raises(UnknownOutcomeError, match="10004"):
        await buy(carrier, reference)
    assert await find(carrier, reference) == ()


async def test_a_passed_deadline_leaves_nothing_in_the_carriers_ledger(
    sandbox: Sandbox, carrier: UpsCarrier, reference: str
) -> None:
    await buy(carrier, "TLYWARM" + reference[7:])
    before = sandbox.calls(SHIP_PATH)
    with pytest.raises(DeadlinePassedError):
        await carrier.buy(shipment(), reference, SendDeadline(5, started=time.monotonic() - 6))
    assert sandbox.calls(SHIP_PATH) == before
    assert sandbox.sold(reference) == []
    assert (await buy(carrier, reference)).tracking_numbers
    assert len(sandbox.sold(reference)) == 1


async def test_a_sale_not_yet_in_sight_is_not_found(sandbox: Sandbox, carrier: UpsCarrier, reference: str) -> None:
    sandbox.fail("delay_visibility", ms=60_000)
    await buy(carrier, reference)
    assert await find(carrier, reference) == ()


async def test_a_sale_not_yet_processed_is_not_taken_for_none(
    sandbox: Sandbox, carrier: UpsCarrier, reference: str
) -> None:
    sandbox.fail("delay_visibility", ms=60_000, answer="not_processed")
    await buy(carrier, reference)
    with pytest.raises(TallyError, match=r"E-3006.*300034"):
        await find(carrier, reference)


async def test_two_sales_under_one_reference_are_both_found(carrier: UpsCarrier, reference: str) -> None:
    bought = {(await buy(carrier, reference)).shipment_id for _ in range(2)}
    assert {found.shipment_id for found in await find(carrier, reference)} == bought


async def test_a_voided_sale_is_passed_over(sandbox: Sandbox, carrier: UpsCarrier, reference: str) -> None:
    sandbox.void((await buy(carrier, reference)).shipment_id)
    assert await find(carrier, reference) == ()
    again = await buy(carrier, reference)
    assert [found.shipment_id for found in await find(carrier, reference)] == [again.shipment_id]


async def test_a_shipment_is_given_back_whole_and_again_without_harm(
    sandbox: Sandbox, carrier: UpsCarrier, reference: str
) -> None:
    packages = tuple(Package(weight=Decimal(weight)) for weight in (3, 4))
    bought = await buy(carrier, reference, packages=packages)
    await carrier.void(bought.shipment_id)
    await carrier.void(bought.shipment_id)
    assert [shipment["voided"] for shipment in sandbox.sold(reference)] == [True]


async def test_a_shipment_the_carrier_does_not_know_is_not_given_back(carrier: UpsCarrier) -> None:
    with pytest.raises(TallyError, match=r"E-3020: .*190102"):
        await carrier.void("1ZA1B2C30399999990")


async def test_objects_for_arrays_are_read_alike(sandbox: Sandbox, carrier: UpsCarrier, reference: str) -> None:
    sandbox.fail("object_for_array", match={"path": "/api/"})
    quoted = (await carrier.rate(shipment())).cost
    purchase = await buy(carrier, reference)
    assert (purchase.cost, len(purchase.labels)) == (quoted, 1)
    assert (await find(carrier, reference))[0].tracking_numbers == purchase.tracking_numbers
    assert await carrier.label(purchase.tracking_numbers[0])


async def test_many_at_once_share_a_token_and_buy_one_each(sandbox: Sandbox, reference: str) -> None:
    carrier = UpsCarrier(settings(sandbox, max_concurrency=4), utc_now)
    before = sandbox.calls(TOKEN_PATH)
    references = [f"{reference}{number}" for number in range(12)]
    bought = await asyncio.gather(*(buy(carrier, each) for each in references))
    assert len({purchase.shipment_id for purchase in bought}) == len(references)
    assert [len(sandbox.sold(each)) for each in references] == [1] * len(references)
    assert sandbox.calls(TOKEN_PATH) == before + 1
    await carrier.close()


async def test_a_rate_that_hits_passing_trouble_is_asked_again(sandbox: Sandbox, carrier: UpsCarrier) -> None:
    sandbox.fail("error", match={"path": "/api/rating/", "times": 2}, status=503)
    assert (await carrier.rate(shipment())).cost.amount > 0


async def test_every_service_of_a_lane_has_the_price_that_it_has_alone(carrier: UpsCarrier) -> None:
    offers = {offer.service: offer for offer in await carrier.shop(shipment())}
    assert set(offers) == {
        ServiceLevel.GROUND,
        ServiceLevel.THREE_DAY_SELECT,
        ServiceLevel.SECOND_DAY_AIR,
        ServiceLevel.SECOND_DAY_AIR_AM,
        ServiceLevel.NEXT_DAY_AIR_SAVER,
        ServiceLevel.NEXT_DAY_AIR,
        ServiceLevel.NEXT_DAY_AIR_EARLY,
    }
    for service in (ServiceLevel.GROUND, ServiceLevel.NEXT_DAY_AIR):
        alone = await carrier.rate(shipment(service=service))
        assert (alone.cost, alone.negotiated) == (offers[service].cost, True)
    assert offers[ServiceLevel.NEXT_DAY_AIR].days == 1
    assert all(offer.arrival is not None for offer in offers.values())


async def test_an_account_without_rates_of_its_own_has_the_published_ones(
    sandbox: Sandbox, carrier: UpsCarrier, reference: str
) -> None:
    own = await carrier.rate(shipment())
    sandbox.fail("published_rates", match={"path": "/api/"})
    published = await carrier.rate(shipment())
    assert (published.negotiated, published.cost.amount > own.cost.amount) == (False, True)
    assert (await buy(carrier, reference)).cost == published.cost


async def test_a_sale_may_cost_more_than_was_quoted(sandbox: Sandbox, carrier: UpsCarrier, reference: str) -> None:
    quoted = (await carrier.rate(shipment())).cost
    sandbox.fail("surcharge", amount="10.00")
    charged = (await buy(carrier, reference)).cost
    assert charged is not None
    assert charged.amount - quoted.amount == Decimal("7.20")  # ten dollars by the account's own rates


async def test_an_address_is_looked_up_in_the_carriers_directory(carrier: UpsCarrier) -> None:
    known = recipient(lines=("7 Alder Court",), city="Boston", postal_code="01608").address
    finding = await carrier.check_address(known)
    assert (finding.verdict, finding.residential) == ("valid", True)
    assert str(finding.known) == "7 ALDER COURT, WORCESTER, MA 01608"
    nowhere = recipient(lines=("1 Nowhere Lane",)).address
    assert (await carrier.check_address(nowhere)).verdict == "unknown"
    abroad = recipient(country="CA", state="ON", postal_code="K1A 0B1").address
    assert await carrier.check_address(abroad) == AddressFinding()


async def test_a_directory_that_is_away_is_an_error(sandbox: Sandbox, carrier: UpsCarrier) -> None:
    sandbox.fail("error", match={"path": "/api/addressvalidation"}, status=400, code="9264030")
    with pytest.raises(TallyError, match=r"E-3006.*Address Validation.*9264030"):
        await carrier.check_address(recipient().address)
    sandbox.mend()
    sandbox.fail("drop_after_commit", match={"path": "/api/addressvalidation"})
    with pytest.raises(TallyError, match=r"E-3006.*no whole answer") as lost:
        await carrier.check_address(recipient().address)
    assert str(lost.value).count("Address Validation") == 1
