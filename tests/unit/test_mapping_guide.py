from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.coordinator.mapping.fields import FIELDS, NEEDED, TEXT_LIMITS
from services.coordinator.mapping.mapping import Mapping, parse_mapping
from services.coordinator.mapping.templates import _PLAIN_FILTERS

GUIDE = (Path(__file__).parents[2] / "docs/guides/mapping.md").read_text(encoding="utf-8")
ROW = {
    "Ship To Name": "Ada",
    "City": "Austin",
    "Postal-Code": "78704",
    "First": "Ada",
    "Last": "King",
    "Notes": "n" * 80,
    "Company": "",
    "Speed": "Rush",
}
EXPECTED = {
    "US": "US",
    '{{ row["Ship To Name"] }}': "Ada",
    "{{ City }}": "Austin",
    '{{ pick("zip", "postal code") }}': "78704",
    '{{ First ~ " " ~ Last }}': "Ada King",
    '{{ pick("company") or "n/a" }}': "n/a",
    "{{ Notes[:50] }}": "n" * 50,
    "{% if Company %}no{% else %}yes{% endif %}": "yes",
    '{{ {"Rush": "next_day_air", "Std": "ground"}[Speed] }}': "next_day_air",
    '{{ {"Rush": "next_day_air"}[Speed] | default("ground") }}': "next_day_air",
}


def table_rows(section: str) -> list[list[str]]:
    text = GUIDE.split(f"## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def mapping_of(template: str) -> Mapping:
    quoted = template.replace("'", "''")
    text = f"fields:\n  recipient_name: n\n  address_1: a\n  city: c\n  description: '{quoted}'\n"
    return parse_mapping("guide", text.encode())


def test_the_guides_mapping_loads_and_renders() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    mapping = parse_mapping("guide", block.encode())
    row = {"Ship To Name": "Ada", "Street": "1 Way", "Town": "Bath", "State": "ME", "ZIP": "04530", "Weight (oz)": "17"}
    mapping.check(list(row))
    fields = mapping.render(row)
    assert not fields.problems
    given = [fields.texts[name] for name in ("recipient_name", "address_1", "city", "state", "postal_code", "country")]
    assert given == ["Ada", "1 Way", "Bath", "ME", "04530", "US"]
    assert fields.texts["weight"] == "1.1"


@pytest.mark.parametrize("template", [row[0].strip("`") for row in table_rows("Templates")])
def test_every_template_in_the_guide_gives_what_it_says(template: str) -> None:
    assert mapping_of(template).render(ROW).texts["description"] == EXPECTED[template]


@pytest.mark.parametrize(("template", "value", "result"), table_rows("Filters"))
def test_every_filter_in_the_guide_gives_what_it_says(template: str, value: str, result: str) -> None:
    fields = mapping_of(template.strip("`")).render({"value": value.strip("`")})
    if result.startswith("error: "):
        assert fields.problems["description"].message.endswith(f"{result.removeprefix('error: ')}.")
    else:
        assert fields.texts["description"] == result.strip("`")


def test_the_guide_names_every_field_its_limit_and_every_plain_filter() -> None:
    rows = {name: row for row in table_rows("Fields") for name in re.findall("`([a-z_0-9]+)`", row[0])}
    assert set(rows) == set(FIELDS)
    assert all(f"at most {limit} characters" in rows[field][1] for field, limit in TEXT_LIMITS.items())
    assert all(any("needed" in rows[field][2] for field in choice) for choice in NEEDED)
    assert all(f"`{name}`" in GUIDE for name in _PLAIN_FILTERS if name != "d")
