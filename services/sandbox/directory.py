"""What the sandbox's address validation knows: some places by their ZIP codes, and words that are often misspelt.

Every other place is taken as it is written.
"""

from __future__ import annotations

_PLACES = """
01060 NORTHAMPTON MA|01608 WORCESTER MA|02143 SOMERVILLE MA|02906 PROVIDENCE RI|04101 PORTLAND ME|05401 BURLINGTON VT
06103 HARTFORD CT|06511 NEW HAVEN CT|07030 HOBOKEN NJ|07102 NEWARK NJ|08540 PRINCETON NJ|11215 BROOKLYN NY
19107 PHILADELPHIA PA|30308 ATLANTA GA|33130 MIAMI FL|37206 NASHVILLE TN|53703 MADISON WI|55401 MINNEAPOLIS MN
60614 CHICAGO IL|70115 NEW ORLEANS LA|78701 AUSTIN TX|78704 AUSTIN TX|80205 DENVER CO|87501 SANTA FE NM
90012 LOS ANGELES CA|91011 LA CANADA FLINTRIDGE CA|92101 SAN DIEGO CA|94107 SAN FRANCISCO CA|94612 OAKLAND CA
94704 BERKELEY CA|95814 SACRAMENTO CA|96814 HONOLULU HI|97214 PORTLAND OR|98107 SEATTLE WA|99501 ANCHORAGE AK
"""
_MISSPELT = {"AVENEU": "AVENUE", "COUTR": "COURT", "LAEN": "LANE", "STRET": "STREET", "STREEET": "STREET"}
_NO_STREET = "NOWHERE"


def _places() -> dict[str, tuple[str, str]]:
    places = {}
    for entry in _PLACES.strip().replace("\n", "|").split("|"):
        code, *city, state = entry.split()
        places[code] = (" ".join(city), state)
    return places


_BY_CODE = _places()


def place_of(code: str, city: str, state: str) -> tuple[str, str]:
    """The city and state of a ZIP code, in capitals; those given where it is not known."""
    return _BY_CODE.get(code, (city.upper(), state.upper()))


def spelt(line: str) -> str:
    """A street as the directory spells it, in capitals."""
    return " ".join(_MISSPELT.get(word, word) for word in line.upper().split())


def has_street(line: str) -> bool:
    """Whether there is such a street."""
    return _NO_STREET not in line.upper().split()
