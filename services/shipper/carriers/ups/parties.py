"""Contacts and addresses as UPS writes them (Shipping v2409, Rating v2409)."""

from __future__ import annotations

from typing import Any

from shared.shipping import Address, Contact, country_of

Json = dict[str, Any]

_NORTH_AMERICAN_PHONE = 11
_TEN_DIGIT_PHONES = {"US", "PR", "CA", "VI"}
# Where postal codes are ZIP codes: UPS has room for nine characters, a ZIP+4 with its hyphen needs ten.
_WITH_ZIP_CODES = {"US", "PR"}


def party(contact: Contact) -> Json:
    """A shipper, a recipient, a ship-from or a buyer."""
    phone = _phone(contact)
    return {
        "Name": contact.company or contact.name,
        "AttentionName": contact.name,
        **({"Phone": {"Number": phone}} if phone else {}),
        **({"EMailAddress": contact.email} if contact.email else {}),
        "Address": address(contact.address),
    }


def address(place: Address) -> Json:
    """A postal address; UPS knows Puerto Rico and its like as countries, many shops export them as states of the US."""
    return {
        "AddressLine": list(place.lines),
        "City": place.city,
        **({"StateProvinceCode": place.state} if place.state else {}),
        **({"PostalCode": _postal_code(place)} if place.postal_code else {}),
        "CountryCode": country_of(place),
        **({"ResidentialAddressIndicator": "Y"} if place.residential else {}),
    }


def _postal_code(place: Address) -> str:
    return place.postal_code.replace("-", "") if place.country in _WITH_ZIP_CODES else place.postal_code


def _phone(contact: Contact) -> str:
    digits = "".join(char for char in contact.phone if char.isascii() and char.isdigit())
    # Within North America UPS wants the area code first, without the country's 1.
    if len(digits) == _NORTH_AMERICAN_PHONE and digits[0] == "1" and contact.address.country in _TEN_DIGIT_PHONES:
        return digits[1:]
    return digits
