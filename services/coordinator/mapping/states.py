"""States of the United States (with its territories and armed forces) and provinces of Canada, by name and code."""

from __future__ import annotations

from collections.abc import Mapping

from services.coordinator.mapping.text import normalised

# Codes of the United States Postal Service (Publication 28, appendix B).
_US = """
AL Alabama; AK Alaska; AS American Samoa; AZ Arizona; AR Arkansas; AA Armed Forces Americas; AE Armed Forces Europe;
AP Armed Forces Pacific; CA California; CO Colorado; CT Connecticut; DE Delaware; DC District of Columbia; FL Florida;
GA Georgia; GU Guam; HI Hawaii; ID Idaho; IL Illinois; IN Indiana; IA Iowa; KS Kansas; KY Kentucky; LA Louisiana;
ME Maine; MH Marshall Islands; MD Maryland; MA Massachusetts; MI Michigan; FM Micronesia; MN Minnesota; MS Mississippi;
MO Missouri; MT Montana; NE Nebraska; NV Nevada; NH New Hampshire; NJ New Jersey; NM New Mexico; NY New York;
NC North Carolina; ND North Dakota; MP Northern Mariana Islands; OH Ohio; OK Oklahoma; OR Oregon; PW Palau;
PA Pennsylvania; PR Puerto Rico; RI Rhode Island; SC South Carolina; SD South Dakota; TN Tennessee; TX Texas; UT Utah;
VT Vermont; VI Virgin Islands; VA Virginia; WA Washington; DC Washington DC; WV West Virginia; WI Wisconsin; WY Wyoming
"""

# Codes of Canada Post (Canadian Postal Guide).
_CA = """
AB Alberta; BC British Columbia; MB Manitoba; NB New Brunswick; NL Newfoundland and Labrador; NL Newfoundland;
NT Northwest Territories; NS Nova Scotia; NU Nunavut; ON Ontario; PE Prince Edward Island; QC Québec; SK Saskatchewan;
YT Yukon
"""


def _codes(entries: str) -> dict[str, str]:
    codes: dict[str, str] = {}
    for entry in entries.split(";"):
        code, name = entry.split(maxsplit=1)
        codes.update(dict.fromkeys((normalised(code), normalised(name)), code))
    return codes


STATE_CODES: Mapping[str, Mapping[str, str]] = {
    "US": _codes(_US),
    "CA": _codes(_CA),
    "PR": _codes("PR Puerto Rico"),
}
