from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sandbox.consignment import RATING, SHIPPING, Dialect, read
from services.sandbox.rates import SERVICES, Parcel
from services.sandbox.replies import RefusedError
from services.sandbox.wire import Json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def request() -> Json:
    return {
        "Shipper": {
            "Name": "Warehouse",
            "ShipperNumber": "12345E",
            "Address": {
                "AddressLine": ["100 Congress Ave"],
                "City": "Austin",
                "StateProvinceCode": "TX",
                "PostalCode": "78701",
                "CountryCode": "US",
            },
        },
        "ShipTo": {
            "Name": "Ann Lee",
            "AttentionName": "Ann Lee",
            "Phone": {"Number": "5125550100"},
            "Address": {
                "AddressLine": ["7 Elm St", "Apt 4"],
                "City": "Amherst",
                "StateProvinceCode": "MA",
                "PostalCode": "01002",
                "CountryCode": "US",
                "ResidentialAddressIndicator": "",
            },
        },
        "Service": {"Code": "03"},
        "ShipmentRatingOptions": {"NegotiatedRatesIndicator": "Y"},
        "Package": [
            {
                "Packaging": {"Code": "02"},
                "PackagingType": {"Code": "02"},
                "PackageWeight": {"UnitOfMeasurement": {"Code": "LBS"}, "Weight": "2.5"},
                "Dimensions": {"UnitOfMeasurement": {"Code": "IN"}, "Length": "10", "Width": "8", "Height": "4"},
                "ReferenceNumber": [{"Value": "REF1"}, {"Value": "ORDER1"}],
            }
        ],
    }


def changed(path: str, value: object) -> Json:
    """The request with `value` at the dotted `path`; None takes the element away."""
    document = deepcopy(request())
    node: Any = document
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
    for step in steps:
        node = node[step]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return document


def abroad(**references: object) -> Json:
    document = changed("Service.Code", "65")
    document["ShipTo"]["Address"].update(StateProvinceCode="ON", PostalCode="K1A 0B1", CountryCode="CA")
    del document["Package"][0]["ReferenceNumber"]
    return document | references


def code_of(document: object, dialect: Dialect = SHIPPING) -> str:
    with pytest.raises(RefusedError) as refused:
        read(document, dialect)
    return refused.value.code


def test_a_request_is_read_into_what_is_priced_and_sold() -> None:
    consignment = read(request(), SHIPPING)
    assert consignment.shipper_number == "12345E"
    assert consignment.recipient.postal_code == "01002"
    assert consignment.recipient.residential
    assert consignment.service == SERVICES["03"]
    assert consignment.parcels == (Parcel(Decimal("2.5"), (Decimal(10), Decimal(8), Decimal(4))),)
    assert consignment.references == ("REF1", "ORDER1")
    assert consignment.negotiated


def test_one_package_given_as_an_object_reads_like_an_array_of_one() -> None:
    document = changed("Package", request()["Package"][0])
    assert read(document, SHIPPING) == read(request(), SHIPPING)


def test_kilograms_and_centimetres_become_pounds_and_inches() -> None:
    document = changed("Package.0.PackageWeight", {"UnitOfMeasurement": {"Code": "KGS"}, "Weight": "1"})
    document["Package"][0]["Dimensions"] = {
        "UnitOfMeasurement": {"Code": "CM"},
        "Length": "25.4",
        "Width": "2.54",
        "Height": "2.54",
    }
    parcels = read(document, SHIPPING).parcels
    assert parcels == (Parcel(Decimal("2.20462"), (Decimal(10), Decimal(1), Decimal(1))),)


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("Shipper", None, "120100"),
        ("Shipper.ShipperNumber", "12345", "120100"),
        ("ShipTo.Name", None, "120200"),
        ("ShipTo.Name", "N" * 36, "120200"),
        ("ShipTo.AttentionName", "N" * 36, "120201"),
        ("ShipTo.Address.AddressLine", [], "120202"),
        ("ShipTo.Address.AddressLine", ["L" * 36], "120202"),
        ("ShipTo.Address.AddressLine", ["1", "2", "3", "4"], "120202"),
        ("ShipTo.Address.City", "", "120205"),
        ("ShipTo.Address.City", "C" * 31, "120205"),
        ("ShipTo.Address.StateProvinceCode", "ZZ", "120206"),
        ("ShipTo.Address.StateProvinceCode", None, "120206"),
        ("ShipTo.Address.PostalCode", None, "120207"),
        ("ShipTo.Address.CountryCode", "USA", "120208"),
        ("ShipTo.Phone.Number", "1" * 16, "120209"),
        ("ShipTo.Address.PostalCode", "1002", "111285"),
        ("ShipTo.Address.PostalCode", "99999", "111285"),
        ("ShipTo.Address.PostalCode", "0100A", "111285"),
        ("Service.Code", "99", "120500"),
        ("Service", None, "120500"),
        ("Service.Code", "65", "120124"),
        ("Package", [], "120600"),
        ("Package.0.Packaging", None, "120601"),
        ("Package.0.PackageWeight.UnitOfMeasurement.Code", "OZ", "120602"),
        ("Package.0.PackageWeight.Weight", "0", "120603"),
        ("Package.0.PackageWeight.Weight", "-1", "120603"),
        ("Package.0.PackageWeight.Weight", "151", "120603"),
        ("Package.0.PackageWeight.Weight", "heavy", "120603"),
        ("Package.0.PackageWeight.Weight", "1.2345", "120603"),
        ("Package.0.Dimensions.Length", "0", "120604"),
        ("Package.0.ReferenceNumber", [{"Value": "1"}, {"Value": "2"}, {"Value": "3"}], "120541"),
        ("Package.0.ReferenceNumber", [{"Value": "R" * 36}], "120541"),
    ],
)
def test_what_ups_refuses_is_refused_with_its_code(path: str, value: object, code: str) -> None:
    assert code_of(changed(path, value)) == code


@pytest.mark.parametrize("postal_code", ["01002", "01002-1234", "010021234"])
def test_zip_codes_of_five_and_nine_digits_are_taken(postal_code: str) -> None:
    assert read(changed("ShipTo.Address.PostalCode", postal_code), SHIPPING).recipient.postal_code == postal_code


def test_references_belong_to_the_package_at_home_and_to_the_shipment_abroad() -> None:
    reference = [{"Value": "REF1"}]
    assert read(abroad(ReferenceNumber=reference), SHIPPING).references == ("REF1",)
    assert code_of({**request(), "ReferenceNumber": reference}) == "120541"
    document = abroad()
    document["Package"][0]["ReferenceNumber"] = reference
    assert code_of(document) == "120542"


def test_references_repeated_on_every_package_count_once_in_the_order_given() -> None:
    document = request()
    document["Package"].append(deepcopy(document["Package"][0]))
    assert read(document, SHIPPING).references == ("REF1", "ORDER1")


def test_a_lane_abroad_needs_a_phone_number() -> None:
    document = abroad()
    del document["ShipTo"]["Phone"]
    assert code_of(document) == "120209"


def test_a_rate_needs_neither_names_nor_streets_nor_a_shipper_number() -> None:
    document = request()
    for party in ("Shipper", "ShipTo"):
        document[party] = {"Address": {"PostalCode": "78701", "CountryCode": "US"}}
    assert read(document, RATING).service == SERVICES["03"]
    assert read(document, RATING, shop=True).service is None
    assert code_of(changed("Service.Code", "99"), RATING) == "111100"
    assert code_of(changed("ShipTo.Address.PostalCode", "1002"), RATING) == "111285"


def test_the_ship_from_address_sets_the_lane() -> None:
    document = request()
    document["ShipFrom"] = deepcopy(document["ShipTo"])
    assert read(document, SHIPPING).origin.state == "MA"


@given(JSON, st.sampled_from(["Shipper", "ShipTo", "Service", "Package", "ReferenceNumber", "ShipFrom"]))
def test_any_document_is_read_or_refused(junk: object, element: str) -> None:
    for document in (junk, {**request(), element: junk}):
        try:
            read(document, SHIPPING)
        except RefusedError:
            continue


@given(JSON, st.sampled_from(["Dimensions", "PackageWeight", "Packaging", "ReferenceNumber"]))
def test_any_package_is_read_or_refused(junk: object, element: str) -> None:
    document = request()
    document["Package"][0][element] = junk
    try:
        read(document, SHIPPING)
    except RefusedError:
        return
