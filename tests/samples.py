"""Any number of distinct, valid orders, the same ones for the same seed."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path

HEADERS = (
    "order_number",
    "name",
    "company",
    "address_1",
    "address_2",
    "city",
    "state",
    "zip",
    "country",
    "phone",
    "email",
    "residential",
    "weight",
    "service",
)

_FIRST_NAMES = (
    "Maya", "José", "Zoë", "Łukasz", "Søren", "Priya", "Robert", "Chloé", "Daniel", "Aoife", "Grace", "Željko",
    "Hannah", "Tomás", "Emily", "Samuel", "Inês", "Walter", "Nadia", "Björn", "Leilani", "Marcus", "Renée", "Viktor",
)  # fmt: skip
_LAST_NAMES = (
    "Okafor", "Muñoz", "Müller", "Wójcik", "Østergaard", "Raman", "Tanner", "Lefèvre", "Kim", "O'Brien", "Whitfield",
    "Marković", "Lindqvist", "Peña", "Chen", "Adeyemi", "Gonçalves", "Hughes", "Haddad", "Åkesson", "Kahale", "Bell",
)  # fmt: skip
_COMPANIES = ("Atlas Supply, Inc.", 'The "Corner" Shop', "Muñoz & Hijos", "Harbor Labs", "Quarry Tools, LLC")
_STREETS = ("Alder Court", "Mission Row", "Orchard Lane", "Chapel Yard", "Fjord Street", "Lantern Avenue", "Cañada Way")
_UNITS = ("Apt", "Unit", "Suite", "#")
_CITIES = (
    ("Somerville", "MA", "02143"), ("Worcester", "MA", "01608"), ("Hoboken", "NJ", "07030"),
    ("Princeton", "NJ", "08540"), ("New Haven", "CT", "06511"), ("Hartford", "CT", "06103"),
    ("Providence", "RI", "02906"), ("Portland", "ME", "04101"), ("Burlington", "VT", "05401"),
    ("San Francisco", "CA", "94107"), ("Oakland", "CA", "94612"), ("Los Angeles", "CA", "90012"),
    ("San Diego", "CA", "92101"), ("Sacramento", "CA", "95814"), ("Austin", "TX", "78704"),
    ("Santa Fe", "NM", "87501"), ("Brooklyn", "NY", "11215"), ("Chicago", "IL", "60614"),
    ("Minneapolis", "MN", "55401"), ("Seattle", "WA", "98107"), ("Portland", "OR", "97214"),
    ("Denver", "CO", "80205"), ("New Orleans", "LA", "70115"), ("Honolulu", "HI", "96814"),
    ("Anchorage", "AK", "99501"), ("Miami", "FL", "33130"), ("Atlanta", "GA", "30308"),
    ("Madison", "WI", "53703"), ("Philadelphia", "PA", "19107"), ("Nashville", "TN", "37206"),
)  # fmt: skip
_AREAS = (206, 212, 303, 312, 415, 503, 504, 512, 615, 617, 619, 808, 907)
_SERVICES = ("Ground", "Ground", "Ground", "2nd Day Air", "Next Day Air")


def orders(count: int, *, seed: int = 1) -> Iterator[dict[str, str]]:
    """`count` orders by header, distinct in their order number; the first ones do not depend on `count`."""
    chance = random.Random(seed)
    for number in range(1, count + 1):
        first, last = chance.choice(_FIRST_NAMES), chance.choice(_LAST_NAMES)
        city, state, postal_code = chance.choice(_CITIES)
        commercial = chance.random() < 0.4
        yield {
            "order_number": f"S{seed}-{number:07}",
            "name": f"{first} {last}",
            "company": chance.choice(_COMPANIES) if commercial else "",
            "address_1": f"{chance.randint(1, 9999)} {chance.choice(_STREETS)}",
            "address_2": f"{chance.choice(_UNITS)} {chance.randint(1, 99)}" if chance.random() < 0.4 else "",
            "city": city,
            "state": state,
            "zip": postal_code,
            "country": "US",
            "phone": f"({_AREAS[chance.randint(201, 989) % len(_AREAS)]}) 555-01{chance.randint(0, 99):02}",
            "email": f"order{number}@example.com",
            "residential": "no" if commercial else "yes",
            "weight": f"{chance.randint(1, 700) / 10:.1f}",
            "service": chance.choice(_SERVICES),
        }


def write_orders(path: Path, count: int, *, seed: int = 1) -> None:
    """Write a CSV file of `count` orders to `path`: UTF-8, a header line, LF line ends."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEADERS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(orders(count, seed=seed))
