from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.coordinator.mapping import load_mapping
from services.coordinator.mapping.mapping import parse_mapping
from shared.errors import ErrorBody, TallyError

GOOD = """\
fields:
  recipient_name: '{{ row["Ship To Name"] }}'
  address_1: '{{ Street }}'
  city: '{{ pick("city", "town") }}'
"""


def error_of(text: str | bytes) -> ErrorBody:
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(TallyError) as caught:
        parse_mapping("own.yaml", content)
    return caught.value.body


def error_loading(name: str, root: Path) -> ErrorBody:
    with pytest.raises(TallyError) as caught:
        load_mapping(name, [root])
    return caught.value.body


def test_a_mapping_file_under_a_source_root_is_loaded_with_its_checksum(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(GOOD, encoding="utf-8")
    mapping = load_mapping("own.yaml", [tmp_path])
    assert mapping.name == "own.yaml"
    assert mapping.checksum == hashlib.sha256(GOOD.encode()).hexdigest()
    assert mapping.render({"Ship To Name": "Ada", "Street": "1 Way", "Town": "Bath"}).texts["city"] == "Bath"


def test_the_built_in_mapping_needs_no_root() -> None:
    assert load_mapping("default", []).name == "default"


@pytest.mark.parametrize("name", ["nonsense", "nothing.yaml", "orders.csv", "", "../default"])
def test_an_unknown_mapping_is_e_2001(name: str, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("a,b\n", encoding="utf-8")
    assert error_loading(name, tmp_path).code == "E-2001"


def test_a_path_out_of_the_source_roots_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "outside.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "inside" / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    for name in ("../outside.yaml", str(tmp_path / "outside.yaml"), "link.yaml"):
        assert error_loading(name, tmp_path / "inside").code == "E-1006"


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "huge.yaml").write_text(GOOD + "#" * 70000, encoding="utf-8")
    error = error_loading("huge.yaml", tmp_path)
    assert (error.code, error.message) == ("E-2002", "Mapping huge.yaml is invalid: it is larger than 65536 bytes.")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("fields:\n  city: 'x\n", "line 3: found unexpected end of stream"),
        ("fields:\n  city: a: b\n", "line 2: mapping values are not allowed here"),
        ("fields:\n  city: {{ city }}\n", "line 2, field city: the value must be text; put a template in quotes"),
        ("", "it needs the key fields, with a line for each field below it"),
        ("- city\n", "it needs the key fields, with a line for each field below it"),
        (
            "city: x\n",
            "line 1: there is no key city; the keys are fields, group_by, packages, customs, leave_out, match, skip",
        ),
        (
            GOOD + "name: x\n",
            "line 5: there is no key name; the keys are fields, group_by, packages, customs, leave_out, match, skip",
        ),
        ("fields: text\n", "fields needs a line for each field below it, such as 'country: US'"),
        (GOOD + "  zip: '{{ zip }}'\n", "line 5: there is no field zip; the fields are recipient_name, company, phone"),
        (GOOD + "  city: x\n", "line 5, field city: it was given before, on line 4"),
        (GOOD + "  state: '{{ state'\n", "line 5, field state: unexpected end of template"),
        (GOOD + "  state: '{% for s in state %}{% endfor %}'\n", "line 5, field state: {% for %} is not allowed; use"),
        ("fields:\n  city: x\n  company: x\n", "field address_1 is not mapped"),
        ("fields:\n  city: x\n  address_1: x\n", "field recipient_name or company is not mapped"),
        ("fields: " + "[" * 5000, "it is not YAML text, or nested too deeply"),
        ("fields:\n  city: \x07\n", "it is not YAML text, or nested too deeply"),
        (b"fields:\n  city: \xff\n", "it is not UTF-8 text"),
        ("a: 1\n---\nb: 2\n", "line 2: but found another document"),
    ],
)
def test_an_invalid_mapping_is_e_2002_with_line_and_field(text: str | bytes, reason: str) -> None:
    error = error_of(text)
    assert error.code == "E-2002"
    assert error.message.startswith(f"Mapping own.yaml is invalid: {reason}")


def test_every_value_is_text_and_no_yaml_type_touches_it() -> None:
    more = "  postal_code: 02134\n  residential: yes\n  weight: 1.10\n  country: NO\n"
    texts = parse_mapping("own.yaml", (GOOD + more).encode()).render({"Ship To Name": "", "Street": ""}).texts
    assert texts["postal_code"] == "02134"
    assert texts["residential"] == "yes"
    assert texts["weight"] == "1.10"
    assert texts["country"] == "NO"


@given(st.text(max_size=80))
@example("!!python/object/apply:os.system ['true']")
@example("&a [*a]")
def test_any_text_is_a_mapping_or_e_2002(text: str) -> None:
    try:
        parse_mapping("own.yaml", ("fields:\n  " + text).encode(errors="surrogatepass"))
    except TallyError as error:
        assert error.body.code == "E-2002"  # noqa: PT017 - a text that happens to be a mapping is right, too


def test_missing_columns_are_told_once_for_the_mapping() -> None:
    mapping = parse_mapping("own.yaml", GOOD.encode())
    mapping.check(["Ship To Name", "Street", "Town"])
    with pytest.raises(TallyError) as caught:
        mapping.check(["Name", "Town"])
    error = caught.value.body
    assert error.code == "E-2003"
    assert error.message == (
        "Field recipient_name of mapping own.yaml names column Ship To Name, which the source does not have."
    )
    assert error.action == "Use one of: Name, Town."
    assert [detail.message for detail in error.details] == [
        "Field address_1 of mapping own.yaml names column Street, which the source does not have."
    ]


def test_a_needed_field_that_can_pick_from_no_column_is_told_once_as_well() -> None:
    with pytest.raises(TallyError) as caught:
        parse_mapping("own.yaml", GOOD.encode()).check(["Ship To Name", "Street"])
    assert caught.value.body.code == "E-2003"
    assert "Field city of mapping own.yaml names column city or town" in caught.value.body.message


def test_a_needed_field_with_a_value_of_its_own_needs_no_column() -> None:
    own = GOOD.replace('{{ pick("city", "town") }}', '{{ pick("city") or "Bath" }}')
    parse_mapping("own.yaml", own.encode()).check(["Ship To Name", "Street"])
