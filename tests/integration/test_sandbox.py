"""The sandbox carrier as its clients meet it: a process of its own, over real HTTP."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from services.sandbox.tracking_number import is_valid

ROOT = Path(__file__).parents[2]
SHIP = "/api/shipments/v2409/ship"
RATE = "/api/rating/v2409/Rate"
SHOP = "/api/rating/v2409/Shop"
RECOVERY = "/api/labels/v1/recovery"
TRACK = "/api/track/v1/reference/details/"
TOKEN = "/security/v1/oauth/token"
TRACK_HEADERS = {"transId": "1", "transactionSrc": "test"}

Json = dict[str, Any]


@dataclass
class Process:
    """A running sandbox."""

    data_dir: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """Its standard error."""
        return self.data_dir / "log"

    def start(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TALLY_")}
        self.child = subprocess.Popen(
            [sys.executable, "-m", "services.sandbox"],
            cwd=ROOT,
            env=environment | {"TALLY_DATA_DIR": str(self.data_dir)} | self.settings,
            stdout=subprocess.PIPE,
            stderr=self.log.open("ab"),
            text=True,
        )
        assert self.child.stdout is not None
        announced = json.loads(self.child.stdout.readline())
        assert announced["event"] == "listening"
        self.url: str = announced["url"]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.child.send_signal(number)
        status = self.child.wait(20)
        assert self.child.stdout is not None
        self.child.stdout.close()
        return status


class Client:
    """A shipper's account with the sandbox."""

    def __init__(self, url: str, token: str = "") -> None:
        self.http = httpx.Client(base_url=url, timeout=10)
        self.token = token or self.sign_in().json()["access_token"]

    def sign_in(self, client_id: str = "id", secret: str = "secret", **form: str) -> httpx.Response:
        return self.http.post(TOKEN, auth=(client_id, secret), data={"grant_type": "client_credentials"} | form)

    def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} | request.pop("headers", {})
        return self.http.request(method, path, headers=headers, **request)

    def ship(self, *references: str, **request: Any) -> httpx.Response:
        return self.call("POST", SHIP, json=ship_request(*references), **request)

    def recover(self, **by: Any) -> httpx.Response:
        return self.call("POST", RECOVERY, json={"LabelRecoveryRequest": {"Request": {}, **by}})

    def recover_by_reference(self, reference: str) -> httpx.Response:
        return self.recover(ReferenceValues={"ReferenceNumber": {"Value": reference}, "ShipperNumber": "12345E"})

    def track(self, reference: str, **query: str) -> Json:
        answer = self.call("GET", TRACK + reference, headers=TRACK_HEADERS, params=query)
        (shipment,) = answer.json()["trackResponse"]["shipment"]
        return dict(shipment)

    def void(self, shipment_id: str, **query: str) -> httpx.Response:
        return self.call("DELETE", f"/api/shipments/v2409/void/cancel/{shipment_id}", params=query)

    def arm(self, *faults: Json) -> None:
        assert self.http.put("/_sandbox/faults", json=list(faults)).status_code == 200

    def sold(self, reference: str) -> list[Json]:
        return [entry for entry in self.http.get("/_sandbox/shipments").json() if reference in entry["references"]]


def party(name: str, street: str, city: str, state: str, postal_code: str, country: str = "US") -> Json:
    return {
        "Name": name,
        "AttentionName": name,
        "ShipperNumber": "12345E",
        "Phone": {"Number": "5125550100"},
        "Address": {
            "AddressLine": [street],
            "City": city,
            "StateProvinceCode": state,
            "PostalCode": postal_code,
            "CountryCode": country,
        },
    }


def ship_request(*references: str, recipient: str = "Ann Lee", packages: int = 1, label: str = "GIF") -> Json:
    package = {
        "Packaging": {"Code": "02"},
        "PackagingType": {"Code": "02"},
        "PackageWeight": {"UnitOfMeasurement": {"Code": "LBS"}, "Weight": "2.5"},
        "ReferenceNumber": [{"Value": reference} for reference in references],
    }
    ship_to = party(recipient, "7 Elm St", "Amherst", "MA", "01002")
    ship_to["Address"]["ResidentialAddressIndicator"] = ""
    return {
        "ShipmentRequest": {
            "Request": {"RequestOption": "nonvalidate", "TransactionReference": {"CustomerContext": "context"}},
            "Shipment": {
                "Shipper": party("Warehouse", "100 Congress Ave", "Austin", "TX", "78701"),
                "ShipTo": ship_to,
                "PaymentInformation": {"ShipmentCharge": [{"Type": "01", "BillShipper": {"AccountNumber": "12345E"}}]},
                "ShipmentRatingOptions": {"NegotiatedRatesIndicator": "Y"},
                "Service": {"Code": "03"},
                "Package": [package] * packages,
            },
            "LabelSpecification": {"LabelImageFormat": {"Code": label}, "HTTPUserAgent": "Mozilla/4.5"},
        }
    }


def rate_request(**changes: Any) -> Json:
    shipment = ship_request()["ShipmentRequest"]["Shipment"]
    del shipment["Package"][0]["ReferenceNumber"]
    return {"RateRequest": {"Request": {}, "Shipment": shipment | changes}}


def results(answer: httpx.Response) -> Json:
    assert answer.status_code == 200, answer.text
    response = answer.json()["ShipmentResponse"]
    assert response["Response"]["ResponseStatus"]["Code"] == "1"
    return dict(response["ShipmentResults"])


def refused(answer: httpx.Response) -> tuple[int, str]:
    (error,) = answer.json()["response"]["errors"]
    assert answer.headers["apierrorcode"] == error["code"]
    assert answer.headers["apierrormsg"] == error["message"]
    return answer.status_code, error["code"]


def until(condition: Callable[[], bool]) -> None:
    """Ask until the condition holds, at most ten seconds."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = Process(tmp_path_factory.mktemp("sandbox"))
    process.start()
    yield process
    assert process.end() == 0


@pytest.fixture
def client(sandbox: Process) -> Iterator[Client]:
    client = Client(sandbox.url)
    yield client
    client.http.delete("/_sandbox/faults")
    client.http.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Process]:
    """A sandbox for one test alone, not yet started."""
    process = Process(tmp_path)
    yield process
    if process.child.poll() is None:
        process.end(signal.SIGKILL)


_references = count()


@pytest.fixture
def reference() -> str:
    return f"REF{os.getpid()}X{next(_references)}"


# Signing in


def test_a_token_comes_with_strings_only(client: Client) -> None:
    answer = client.sign_in().json()
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == "14399"
    assert answer["status"] == "approved"
    assert all(isinstance(value, str) for value in answer.values())


def test_missing_credentials_and_another_grant_are_refused(client: Client) -> None:
    assert refused(client.sign_in("", "")) == (401, "10401")
    assert refused(client.sign_in(grant_type="password")) == (400, "10400")
    assert refused(client.http.post(TOKEN, headers={"Authorization": "Basic ***"})) == (401, "10401")


def test_a_call_without_a_valid_token_creates_nothing(client: Client, reference: str) -> None:
    assert refused(client.http.post(SHIP, json=ship_request(reference))) == (401, "250003")
    client.token = "forged"
    assert refused(client.ship(reference)) == (401, "250002")
    assert client.sold(reference) == []


# Rating


def test_the_rate_quoted_is_what_the_shipment_costs(client: Client, reference: str) -> None:
    (rated,) = client.call("POST", RATE, json=rate_request()).json()["RateResponse"]["RatedShipment"]
    shipped = results(client.ship(reference))
    assert rated["Service"]["Code"] == "03"
    assert rated["TotalCharges"] == shipped["ShipmentCharges"]["TotalCharges"]
    assert rated["NegotiatedRateCharges"] == shipped["NegotiatedRateCharges"]
    assert rated["BillingWeight"]["Weight"] == "3.0"
    cost = client.sold(reference)[0]["cost"]
    assert cost == {"amount": rated["NegotiatedRateCharges"]["TotalCharge"]["MonetaryValue"], "currency": "USD"}


def test_negotiated_rates_come_only_when_asked_for(client: Client) -> None:
    request = rate_request(ShipmentRatingOptions={})
    (rated,) = client.call("POST", RATE, json=request).json()["RateResponse"]["RatedShipment"]
    assert "NegotiatedRateCharges" not in rated
    assert Decimal(rated["TotalCharges"]["MonetaryValue"]) > 0


def test_shop_offers_every_domestic_service_with_its_time_in_transit(client: Client) -> None:
    answer = client.call("POST", SHOP, json=rate_request(), params={"additionalinfo": "timeintransit"})
    offers = {offer["Service"]["Code"]: offer for offer in answer.json()["RateResponse"]["RatedShipment"]}
    assert set(offers) == {"01", "02", "03", "12", "13", "14", "59"}
    arrival = offers["01"]["TimeInTransit"]["ServiceSummary"]["EstimatedArrival"]
    assert arrival["BusinessDaysInTransit"] == "1"


def test_a_rate_for_an_invalid_zip_code_is_refused(client: Client) -> None:
    request = rate_request(ShipTo=party("Ann", "7 Elm St", "Amherst", "MA", "1002"))
    assert refused(client.call("POST", RATE, json=request)) == (400, "111285")


# Shipping


def test_a_shipment_sold_has_a_valid_number_a_label_and_a_place_in_the_ledger(client: Client, reference: str) -> None:
    shipped = results(client.ship(reference, "ORDER7"))
    (package,) = shipped["PackageResults"]
    assert is_valid(package["TrackingNumber"])
    assert shipped["ShipmentIdentificationNumber"] == package["TrackingNumber"]
    image = base64.b64decode(package["ShippingLabel"]["GraphicImage"])
    assert image[:10] == b"GIF89a" + (1400).to_bytes(2, "little") + (800).to_bytes(2, "little")
    (entry,) = client.sold(reference)
    assert entry["tracking_numbers"] == [package["TrackingNumber"]]
    assert (entry["reference"], entry["references"]) == (reference, [reference, "ORDER7"])
    assert entry["voided"] is False
    assert entry["recipient_postal_code"] == "01002"


def test_the_same_request_twice_is_two_shipments(client: Client, reference: str) -> None:
    first, second = (results(client.ship(reference)) for _ in range(2))
    assert first["ShipmentIdentificationNumber"] != second["ShipmentIdentificationNumber"]
    assert len(client.sold(reference)) == 2


def test_every_package_gets_a_number_and_a_label(client: Client, reference: str) -> None:
    request = ship_request(reference, packages=3, label="ZPL")
    packages = results(client.call("POST", SHIP, json=request))["PackageResults"]
    numbers = [package["TrackingNumber"] for package in packages]
    assert len(set(numbers)) == 3
    for package in packages:
        assert package["TrackingNumber"].encode() in base64.b64decode(package["ShippingLabel"]["GraphicImage"])
    assert client.sold(reference)[0]["tracking_numbers"] == numbers


def test_a_hard_error_creates_nothing(client: Client, reference: str) -> None:
    request = ship_request(reference)
    request["ShipmentRequest"]["Shipment"]["ShipTo"]["Address"]["PostalCode"] = "N\N{LATIN SMALL LETTER E WITH ACUTE}"
    answer = client.call("POST", SHIP, json=request)
    assert answer.status_code == 400
    assert answer.headers["apierrorcode"] == "111285"
    del request["ShipmentRequest"]["Shipment"]["ShipTo"]["Address"]["PostalCode"]
    assert refused(client.call("POST", SHIP, json=request)) == (400, "120207")
    assert refused(client.call("POST", SHIP, content=b"{")) == (400, "10001")
    assert refused(client.call("POST", SHIP, json={})) == (400, "10002")
    assert refused(client.call("POST", SHIP, json=ship_request(reference, label="PDF"))) == (400, "10002")
    assert client.sold(reference) == []


def test_a_control_character_gets_an_empty_200_with_an_error_code(client: Client, reference: str) -> None:
    answer = client.call("POST", SHIP, json=ship_request(reference, recipient="Ann\x07Lee"))
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["apierrorcode"] == "1"
    assert client.sold(reference) == []


def international_forms(buyer: dict[str, Any]) -> dict[str, Any]:
    return {
        "FormType": "01",
        "InvoiceNumber": "1001",
        "InvoiceDate": "20261121",
        "ReasonForExport": "SALE",
        "CurrencyCode": "USD",
        "Contacts": {"SoldTo": {"AttentionName": "Ann Lee", **buyer}},
        "Product": {
            "Description": "Hardback books",
            "OriginCountryCode": "US",
            "Unit": {"Number": "3", "UnitOfMeasurement": {"Code": "PCS"}, "Value": "24.50"},
        },
    }


def test_a_shipment_abroad_comes_with_its_form(client: Client, reference: str) -> None:
    request = ship_request()
    shipment = request["ShipmentRequest"]["Shipment"]
    shipment["ShipTo"] = party("Ann Lee", "7 Elm St", "Ottawa", "ON", "K1A 0B1", "CA")
    shipment["Service"]["Code"] = "11"
    shipment["ReferenceNumber"] = {"Value": reference}
    shipment["ShipmentServiceOptions"] = {"InternationalForms": international_forms(shipment["ShipTo"])}
    del shipment["Package"][0]["ReferenceNumber"]
    form = results(client.call("POST", SHIP, json=request))["Form"]
    invoice = base64.b64decode(form["Image"]["GraphicImage"])
    assert invoice.startswith(b"%PDF")
    assert b"3 x Hardback books" in invoice
    assert client.sold(reference)[0]["recipient_country"] == "CA"


# Label Recovery, Track, Void, address validation


def test_a_lost_label_is_recovered_by_number_and_by_reference(client: Client, reference: str) -> None:
    (package,) = results(client.ship(reference, "ORDER7"))["PackageResults"]
    for answer in (client.recover(TrackingNumber=package["TrackingNumber"]), client.recover_by_reference(reference)):
        response = answer.json()["LabelRecoveryResponse"]
        (label,) = response["LabelResults"]
        assert label["TrackingNumber"] == response["ShipmentIdentificationNumber"] == package["TrackingNumber"]
        assert label["LabelImage"]["GraphicImage"] == package["ShippingLabel"]["GraphicImage"]
    pdf = client.recover(
        TrackingNumber=package["TrackingNumber"], LabelSpecification={"LabelImageFormat": {"Code": "PDF"}}
    )
    (label,) = pdf.json()["LabelRecoveryResponse"]["LabelResults"]
    assert base64.b64decode(label["LabelImage"]["GraphicImage"]).startswith(b"%PDF")


def test_recovery_tells_none_several_and_voided_apart(client: Client, reference: str) -> None:
    assert refused(client.recover_by_reference(reference)) == (400, "300007")
    assert refused(client.recover(TrackingNumber="1Z999AA10123456784")) == (400, "300007")
    shipment_ids = [results(client.ship(reference))["ShipmentIdentificationNumber"] for _ in range(2)]
    assert refused(client.recover_by_reference(reference)) == (400, "300035")
    client.void(shipment_ids[0])
    recovered = client.recover_by_reference(reference).json()["LabelRecoveryResponse"]
    assert recovered["ShipmentIdentificationNumber"] == shipment_ids[1]
    client.void(shipment_ids[1])
    assert refused(client.recover_by_reference(reference)) == (400, "300033")


def test_recovery_for_another_shipper_finds_nothing(client: Client, reference: str) -> None:
    client.ship(reference)
    values = {"ReferenceNumber": {"Value": reference}, "ShipperNumber": "99999X"}
    assert refused(client.recover(ReferenceValues=values)) == (400, "300007")


def test_track_by_reference_shows_what_was_sold_and_to_where(client: Client, reference: str) -> None:
    order = f"{reference} 7/8"
    shipment_id = results(client.ship(reference, order))["ShipmentIdentificationNumber"]
    for asked in (reference, quote(order, safe="")):
        (package,) = client.track(asked, shipperNum="12345E")["package"]
        assert package["trackingNumber"] == shipment_id
        assert package["packageAddress"][0]["address"]["postalCode"] == "01002"
        assert [number["number"] for number in package["referenceNumber"]] == [reference, order]
        assert package["currentStatus"]["type"] == "M"
    client.void(shipment_id)
    (package,) = client.track(reference)["package"]
    assert package["currentStatus"]["type"] == "MV"


def test_track_outside_the_window_or_of_nothing_is_a_warning(client: Client, reference: str) -> None:
    client.ship(reference)
    for found in (client.track("NOTHING"), client.track(reference, fromPickUpDate="20200101", toPickUpDate="20200102")):
        assert found["warnings"][0]["code"] == "TW0001"
        assert "package" not in found


def test_track_needs_a_transaction_id_and_its_source(client: Client) -> None:
    assert refused(client.call("GET", TRACK + "R")) == (400, "VSS002")
    assert refused(client.call("GET", TRACK + "R", headers={"transId": "1"})) == (400, "VSS003")
    answer = client.call("GET", TRACK + "R", headers=TRACK_HEADERS, params={"fromPickUpDate": "today"})
    assert refused(answer) == (400, "10002")


def test_a_shipment_is_voided_once(client: Client, reference: str) -> None:
    shipment_id = results(client.ship(reference))["ShipmentIdentificationNumber"]
    status = client.void(shipment_id).json()["VoidShipmentResponse"]["SummaryResult"]["Status"]
    assert status == {"Code": "1", "Description": "Voided"}
    assert client.sold(reference)[0]["voided"] is True
    assert refused(client.void(shipment_id)) == (400, "190117")
    assert refused(client.void("1Z999AA10123456784")) == (400, "190102")


def test_one_package_of_several_is_voided_alone(client: Client, reference: str) -> None:
    request = ship_request(reference, packages=2)
    shipment_id = results(client.call("POST", SHIP, json=request))["ShipmentIdentificationNumber"]
    (entry,) = client.sold(reference)
    second = entry["tracking_numbers"][1]
    (voided,) = client.void(shipment_id, trackingnumber=second).json()["VoidShipmentResponse"]["PackageLevelResult"]
    assert voided["TrackingNumber"] == second
    (entry,) = client.sold(reference)
    assert (entry["voided"], entry["voided_tracking_numbers"]) == (False, [second])
    assert refused(client.recover(TrackingNumber=second)) == (400, "300033")
    assert len(client.recover_by_reference(reference).json()["LabelRecoveryResponse"]["LabelResults"]) == 1


@pytest.mark.parametrize(
    ("street", "postal_code", "verdict", "classification"),
    [
        ("7 Elm St Apt 4", "01002", "ValidAddressIndicator", "2"),
        ("100 Main St Ste 4", "01002", "ValidAddressIndicator", "1"),
        ("Elm St", "01002", "AmbiguousAddressIndicator", "0"),
        ("7 Elm St", "1002", "NoCandidatesIndicator", None),
    ],
)
def test_an_address_is_judged(
    client: Client, street: str, postal_code: str, verdict: str, classification: str | None
) -> None:
    address = {
        "AddressLine": [street],
        "PoliticalDivision2": "Amherst",
        "PoliticalDivision1": "MA",
        "PostcodePrimaryLow": postal_code,
        "CountryCode": "US",
    }
    answer = client.call("POST", "/api/addressvalidation/v2/3", json={"XAVRequest": {"AddressKeyFormat": address}})
    response = answer.json()["XAVResponse"]
    assert response[verdict] == ""
    assert response.get("AddressClassification", {}).get("Code") == classification


# Faults


def test_drop_after_commit_sells_the_shipment_and_cuts_the_connection(client: Client, reference: str) -> None:
    client.arm({"match": {"reference": reference, "times": 1}, "fault": "drop_after_commit"})
    with pytest.raises(httpx.RemoteProtocolError):
        client.ship(reference)
    (entry,) = client.sold(reference)
    recovered = client.recover_by_reference(reference).json()["LabelRecoveryResponse"]
    assert recovered["ShipmentIdentificationNumber"] == entry["shipment_id"]


def test_a_dropped_connection_may_be_reset(client: Client, reference: str) -> None:
    client.arm({"fault": "drop_after_commit", "reset": True})
    with pytest.raises(httpx.ReadError):
        client.ship(reference)
    assert len(client.sold(reference)) == 1


def test_hang_after_commit_sells_the_shipment_and_keeps_the_client_waiting(client: Client, reference: str) -> None:
    client.arm({"match": {"reference": reference}, "fault": "hang_after_commit"})
    with pytest.raises(httpx.ReadTimeout):
        client.ship(reference, timeout=0.5)
    assert len(client.sold(reference)) == 1


def test_a_client_that_waits_gets_the_late_answer(client: Client, reference: str) -> None:
    client.arm({"fault": "hang_after_commit", "ms": 100})
    started = time.monotonic()
    assert results(client.ship(reference))["ShipmentIdentificationNumber"]
    assert time.monotonic() - started >= 0.1


def test_an_error_before_the_commit_creates_nothing_and_after_it_hides_a_sale(client: Client, reference: str) -> None:
    client.arm({"match": {"times": 1, "path": SHIP}, "fault": "error"})
    assert refused(client.ship(reference)) == (503, "10004")
    assert client.sold(reference) == []
    client.arm({"fault": "error", "status": 500, "code": "20001", "message": "General failure", "committed": True})
    assert refused(client.ship(reference)) == (500, "20001")
    assert len(client.sold(reference)) == 1


def test_a_hard_error_can_be_given_to_one_recipient(client: Client, reference: str) -> None:
    fault = {"fault": "error", "status": 400, "code": "120207", "message": "Missing/Invalid ShipTo PostalCode"}
    client.arm({"match": {"recipient": "Bad Row"}, **fault})
    assert refused(client.call("POST", SHIP, json=ship_request(reference, recipient="Bad Row"))) == (400, "120207")
    results(client.call("POST", SHIP, json=ship_request(reference, recipient="Good Row")))
    assert len(client.sold(reference)) == 1


def test_an_empty_200_is_told_apart_by_its_header(client: Client, reference: str) -> None:
    client.arm({"fault": "empty_200"})
    nothing = client.ship(reference)
    assert (nothing.status_code, nothing.content, nothing.headers["apierrorcode"]) == (200, b"", "1")
    assert client.sold(reference) == []
    client.arm({"fault": "empty_200", "committed": True})
    nasty = client.ship(reference)
    assert (nasty.status_code, nasty.content) == (200, b"")
    assert "apierrorcode" not in nasty.headers
    assert len(client.sold(reference)) == 1


def test_a_rate_limit_says_when_to_come_back(client: Client, reference: str) -> None:
    client.arm({"match": {"times": 1}, "fault": "rate_limit", "retry_after": 2})
    answer = client.ship(reference)
    assert refused(answer) == (429, "10429")
    assert answer.headers["Retry-After"] == "2"
    results(client.ship(reference))
    assert len(client.sold(reference)) == 1


def test_an_expired_token_stays_expired_and_a_new_one_works(client: Client, reference: str) -> None:
    client.arm({"match": {"nth": 1}, "fault": "expire_token"})
    for _ in range(2):
        assert refused(client.ship(reference)) == (401, "250002")
    assert client.sold(reference) == []
    client.token = client.sign_in().json()["access_token"]
    results(client.ship(reference))


def test_look_ups_do_not_see_a_delayed_shipment_but_the_ledger_does(client: Client, reference: str) -> None:
    client.arm({"fault": "delay_visibility", "ms": 600_000})
    number = results(client.ship(reference))["ShipmentIdentificationNumber"]
    assert refused(client.recover_by_reference(reference)) == (400, "300007")
    assert refused(client.recover(TrackingNumber=number)) == (400, "300007")
    assert client.track(reference)["warnings"][0]["code"] == "TW0001"
    assert client.sold(reference)[0]["shipment_id"] == number


def test_look_ups_see_a_delayed_shipment_in_the_end(client: Client, reference: str) -> None:
    client.arm({"fault": "delay_visibility", "ms": 50})
    number = results(client.ship(reference))["ShipmentIdentificationNumber"]
    until(lambda: client.recover_by_reference(reference).status_code == 200)
    assert client.track(reference)["package"][0]["trackingNumber"] == number


def test_a_delayed_shipment_may_be_said_to_be_unprocessed(client: Client, reference: str) -> None:
    client.arm({"fault": "delay_visibility", "ms": 60_000, "answer": "not_processed"})
    client.ship(reference)
    assert refused(client.recover_by_reference(reference)) == (400, "300034")


def test_one_item_arrays_can_come_as_objects(client: Client, reference: str) -> None:
    client.arm({"fault": "object_for_array"})
    assert is_valid(results(client.ship(reference))["PackageResults"]["TrackingNumber"])
    rated = client.call("POST", RATE, json=rate_request()).json()["RateResponse"]["RatedShipment"]
    assert rated["Service"]["Code"] == "03"


def test_the_nth_matching_request_alone_is_hit_and_the_faults_in_force_are_shown(
    client: Client, reference: str
) -> None:
    fault = {"match": {"nth": 2, "reference": reference}, "fault": "rate_limit"}
    client.arm(fault)
    assert [client.ship(reference).status_code for _ in range(3)] == [200, 429, 200]
    assert client.http.get("/_sandbox/faults").json() == [{**fault, "seen": 3, "hits": 1}]
    assert client.http.delete("/_sandbox/faults").json() == []
    assert client.http.get("/_sandbox/faults").json() == []


def test_a_fault_on_the_token_path_hits_signing_in(client: Client) -> None:
    client.arm({"match": {"path": TOKEN}, "fault": "error", "status": 403, "code": "10403", "message": "Blocked"})
    assert refused(client.sign_in()) == (403, "10403")


def test_a_fault_that_is_none_is_refused_and_those_in_force_stay(client: Client) -> None:
    client.arm({"fault": "rate_limit"})
    assert client.http.put("/_sandbox/faults", json=[{"fault": "explode"}]).status_code == 422
    assert client.http.put("/_sandbox/faults", content=b"[").status_code == 422
    assert len(client.http.get("/_sandbox/faults").json()) == 1


def test_calls_are_counted_by_path_refused_ones_included(client: Client, reference: str) -> None:
    before = client.http.get("/_sandbox/calls").json()
    client.ship(reference)
    client.http.post(SHIP)
    client.track(reference)
    after = client.http.get("/_sandbox/calls").json()
    assert after[SHIP] - before.get(SHIP, 0) == 2
    assert after[TRACK + "{reference}"] - before.get(TRACK + "{reference}", 0) == 1
    assert client.http.get("/_sandbox/health").json() == {"status": "ok"}


# The process


def test_what_was_sold_and_the_token_outlive_kill_9(own: Process, reference: str) -> None:
    own.start()
    client = Client(own.url)
    client.arm({"fault": "drop_after_commit"})
    with pytest.raises(httpx.RemoteProtocolError):
        client.ship(reference)
    before = client.http.get("/_sandbox/shipments").json()
    assert own.end(signal.SIGKILL) == -signal.SIGKILL
    own.start()
    client = Client(own.url, client.token)
    assert client.http.get("/_sandbox/shipments").json() == before
    number = before[0]["shipment_id"]
    assert client.recover(TrackingNumber=number).status_code == 200
    assert results(client.ship(reference))["ShipmentIdentificationNumber"] != number


def test_sigterm_ends_it_at_once_though_a_call_hangs(own: Process, reference: str) -> None:
    own.start()
    client = Client(own.url)
    client.arm({"fault": "hang_after_commit"})
    lost: list[BaseException] = []

    def hang() -> None:
        try:
            client.ship(reference)
        except httpx.TransportError as error:
            lost.append(error)

    caller = threading.Thread(target=hang)
    caller.start()
    until(lambda: bool(Client(own.url).sold(reference)))
    started = time.monotonic()
    assert own.end() == 0
    assert time.monotonic() - started < 4
    caller.join(10)
    assert len(lost) == 1


def test_settings_name_the_credentials_and_the_latency(own: Process) -> None:
    own.settings = {"TALLY_CLIENT_ID": "me", "TALLY_CLIENT_SECRET": "mine", "TALLY_LATENCY_MS": "150"}
    own.start()
    client = Client(own.url, "none")
    assert refused(client.sign_in("me", "other")) == (401, "10401")
    client.token = client.sign_in("me", "mine").json()["access_token"]
    started = time.monotonic()
    assert client.call("POST", RATE, json=rate_request()).status_code == 200
    assert time.monotonic() - started >= 0.15


def test_a_caller_that_is_cut_off_is_a_line_of_the_log_without_what_it_sent(own: Process, reference: str) -> None:
    own.start()
    place = httpx.URL(own.url)
    head = "{} HTTP/1.1\r\nHost: carrier\r\nContent-Length: 900\r\n\r\n"
    for call in (f"POST {SHIP}", "PUT /_sandbox/credentials", "no HTTP"):
        with socket.create_connection((place.host, place.port or 0)) as caller:
            caller.sendall(head.format(call).encode() + b'{"Name": "Zebulon Quixworth')
    until(lambda: own.log.read_bytes().count(b"\n") == 3)
    client = Client(own.url)
    client.arm({"fault": "hang_after_commit"})
    with pytest.raises(httpx.ReadTimeout):
        client.ship(reference, timeout=0.5)
    assert own.end() == 0
    lines = [json.loads(line) for line in own.log.read_text().splitlines()]
    left = "a caller left before its request was whole"
    told = {(line["service"], line["level"], line["event"], line.get("method")) for line in lines}
    assert told == {
        ("sandbox", "info", left, "POST"),
        ("sandbox", "info", left, "PUT"),
        ("sandbox", "warning", "Invalid HTTP request received.", None),
    }
    assert len(lines) == len(told)
    assert "Zebulon" not in own.log.read_text()


def test_others_may_be_let_in_and_every_token_ends_with_that(own: Process, reference: str) -> None:
    own.start()
    client = Client(own.url)
    told = client.http.put("/_sandbox/credentials", json={"client_id": "me"})
    assert (told.status_code, client.ship(reference).status_code) == (422, 200)
    told = client.http.put("/_sandbox/credentials", json={"client_id": "me", "client_secret": "mine"})
    assert (told.status_code, told.content) == (204, b"")
    assert refused(client.ship(reference)) == (401, "250002")
    assert client.sign_in().status_code == 401
    client.token = client.sign_in("me", "mine").json()["access_token"]
    assert client.ship(reference).status_code == 200
    assert len(client.sold(reference)) == 2


def test_a_token_expires_after_its_lifetime(own: Process) -> None:
    own.settings = {"TALLY_TOKEN_LIFETIME": "1"}
    own.start()
    client = Client(own.url)
    assert client.sign_in().json()["expires_in"] == "1"
    until(lambda: client.call("POST", RATE, json=rate_request()).status_code == 401)


def test_a_port_in_use_is_one_line_on_standard_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "services.sandbox"],
            cwd=ROOT,
            env=os.environ | {"TALLY_DATA_DIR": str(tmp_path), "TALLY_PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith("E-5002: TALLY_PORT:")
    assert ended.stderr.count("\n") == 1
