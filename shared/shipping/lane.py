"""Whether goods cross a customs border between two countries."""

from __future__ import annotations

from shared.shipping.address import Address

# Countries within which goods need no commercial invoice: the United States with Puerto Rico; the European Union's
# customs territory with Monaco (Regulation (EU) No 952/2013, article 4).
UNITED_STATES = frozenset({"US", "PR"})
EUROPEAN_UNION = frozenset(
    {
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU"),
        *("LV", "MC", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    }
)
# The Postal Service writes these territories as states of the US; customs treats them as countries of their own.
_TERRITORIES = frozenset({"AS", "GU", "MP", "PR", "VI"})


def customs_country(country: str, state: str) -> str:
    """A country as customs counts it: a territory that is written as a state of the US goes by its own code."""
    return state if country == "US" and state in _TERRITORIES else country


def country_of(address: Address) -> str:
    """An address's country as customs counts it."""
    return customs_country(address.country, address.state)


def crosses_customs(origin: str, destination: str) -> bool:
    """Whether what goes between two countries, as customs counts them, needs customs papers."""
    countries = {origin, destination}
    return len(countries) > 1 and not any(countries <= area for area in (UNITED_STATES, EUROPEAN_UNION))
