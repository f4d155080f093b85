"""Whether goods cross a customs border between two addresses."""

from __future__ import annotations

from shared.shipping.address import Address

# Countries within which goods need no commercial invoice: the United States with Puerto Rico; the European Union's
# customs territory with Monaco (Regulation (EU) No 952/2013, article 4).
_UNITED_STATES = {"US", "PR"}
_EUROPEAN_UNION = {
    *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU"),
    *("LV", "MC", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
}
# The Postal Service writes these territories as states of the US; customs treats them as countries of their own.
_TERRITORIES = frozenset({"AS", "GU", "MP", "PR", "VI"})


def country_of(address: Address) -> str:
    """The country as customs counts it: a territory that is written as a state of the US goes by its own code."""
    return address.state if address.country == "US" and address.state in _TERRITORIES else address.country


def crosses_customs(origin: Address, destination: Address) -> bool:
    """Whether what goes from `origin` to `destination` needs customs papers."""
    countries = {country_of(origin), country_of(destination)}
    return len(countries) > 1 and not any(countries <= area for area in (_UNITED_STATES, _EUROPEAN_UNION))
