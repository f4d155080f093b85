from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.coordinator.mapping.mapping import Mapping, parse_mapping
from services.coordinator.mapping.templates import TemplateRefusedError, compile_field

ROW = {"Ship To Name": "Ada", "city": "Austin", "Weight": "2", "Code": "G", "note": "n" * 1200}


def rendered(template: str, values: dict[str, str] | None = None) -> str:
    fields = mapping_of(description=template).render(values or ROW)
    assert not fields.problems, fields.problems["description"].message
    return fields.texts.get("description", "")


def problem(template: str, values: dict[str, str] | None = None) -> str:
    fields = mapping_of(description=template).render(values or ROW)
    assert fields.texts["description"] == ""
    return fields.problems["description"].message


def mapping_of(**fields: str) -> Mapping:
    given_fields = {"recipient_name": "n", "address_1": "a", "city": "c"} | fields
    lines = [f"  {name}: {quoted(template)}" for name, template in given_fields.items()]
    return parse_mapping("test", "\n".join(["fields:", *lines]).encode())


def quoted(template: str) -> str:
    return "'" + template.replace("'", "''") + "'"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain text", "plain text"),
        ('{{ row["Ship To Name"] }}', "Ada"),
        ("{{ city }}", "Austin"),
        ('{{ city ~ ", " ~ Weight }}', "Austin, 2"),
        ('{{ pick("no such", "SHIP-TO name") }}', "Ada"),
        ('{{ pick("no such") }}', ""),
        ('{{ pick("no such") or "none" }}', "none"),
        ('{% if Code == "G" %}ground{% else %}{{ Code }}{% endif %}', "ground"),
        ('{{ {"G": "ground"}[Code] }}', "ground"),
        ('{{ {"X": "air"}[Code] | default(Code) }}', "G"),
        ('{{ "yes" if city in ["Austin", "Dallas"] else "no" }}', "yes"),
        ("{{ city[:3] | upper }}", "AUS"),
        ("{{ city[-2:] }}", "in"),
        ('{{ city | replace("Au", "Bo") }}', "Bostin"),
        ('{{ Weight | weight("kg") }}', "4.5"),
        ("{{ '02134' | zip }}", "02134"),
        ('{{ "" | weight }}', ""),
        ("{# nothing #}", ""),
    ],
)
def test_a_template_chooses_and_joins_values(template: str, text: str) -> None:
    assert rendered(template) == text


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{% for c in city %}{{ c }}{% endfor %}", "{% for %}"),
        ("{% macro m() %}{% endmacro %}", "{% macro %}"),
        ("{% include 'x' %}", "{% include %}"),
        ("{% import 'x' as x %}", "{% import %}"),
        ("{% extends 'x' %}", "{% extends %}"),
        ("{% block b %}{% endblock %}", "{% block %}"),
        ("{% set x = 1 %}", "{% set %}"),
        ("{% set x %}1{% endset %}", "{% set %}"),
        ("{% filter upper %}x{% endfilter %}", "{% filter %}"),
        ("{% with %}{% endwith %}", "{% with %}"),
        ('{{ "x" * 1000000000 }}', "arithmetic"),
        ("{{ 9 ** 9 ** 9 }}", "arithmetic"),
        ('{{ "%9999999d" % 1 }}', "arithmetic"),
        ("{{ city.__class__ }}", ".__class__"),
        ("{{ city.upper }}", ".upper"),
        ("{{ city.format(1) }}", "a call"),
        ("{{ city is defined }}", "is defined"),
        ("{{ range(9) }}", "a call"),
    ],
)
def test_what_could_loop_grow_or_reach_out_is_refused(template: str, reason: str) -> None:
    with pytest.raises(TemplateRefusedError, match="is not allowed; use text") as caught:
        compile_field(template)
    assert str(caught.value).startswith(f"{reason} is not allowed")


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ row }}", 'row is used as row["Column"]'),
        ("{{ row[city] }}", 'row is used as row["Column"]'),
        ("{{ row.city }}", ".city is not allowed"),
        ("{{ pick }}", "pick is used as"),
        ("{{ pick() }}", "pick is used as"),
        ("{{ pick(city) }}", "pick is used as"),
        ('{{ pick("a", *city) }}', "pick is used as"),
        ("{{ self }}", 'column self is named row["self"]'),
        ("{{ 1.5 }}", "a number with a point is written in quotes"),
        ("{{ city | nonsense }}", "there is no filter nonsense; the filters are capitalize"),
        ("{% if city %}{{ city | join }}{% endif %}", "there is no filter join"),
        ("{{ city", "unexpected end of template"),
        ("{{ city }", "unexpected '}'"),
        ("{% if city %}", "Unexpected end of template"),
        ("{{ " + "(" * 1500 + "city" + ")" * 1500 + " }}", "it is too deeply nested"),
        ("x" * 5000, "the template has 5000 characters; at most 4000"),
        ("{{ city }}" * 101, "it uses more than 100 values of the row"),
    ],
)
def test_a_bad_template_is_refused_with_its_reason(template: str, reason: str) -> None:
    with pytest.raises(TemplateRefusedError) as caught:
        compile_field(template)
    assert str(caught.value).startswith(reason)


def test_a_text_longer_than_any_field_could_take_is_a_problem() -> None:
    assert problem("{{ note }}") == "description is not rendered: its text is longer than 1000 characters."
    assert problem("{{ note ~ note }}") == "description is not rendered: its text is longer than 1000 characters."
    assert rendered("{{ note[:50] }}") == "n" * 50


def test_nested_replacing_cannot_multiply_a_text_without_bound() -> None:
    nested = "city" + '|replace("", "0123456789")' * 40
    assert "replace works on at most 1000 characters" in problem(f"{{{{ {nested} }}}}")


def test_a_filter_that_refuses_a_value_names_field_value_and_reason() -> None:
    message = problem("{{ Weight | zip }}")
    assert message == "description is '2': 1 digits; a ZIP code has 5 or 9."


def test_a_dictionary_without_the_value_is_a_problem_and_never_a_method() -> None:
    assert "has no attribute 'items'" in problem('{{ {"G": "ground"}["items"] }}')
    assert "has no attribute 'G'" in problem('{{ {"X": "air"}[Code] }}')


def test_a_column_that_a_row_lacks_is_a_problem() -> None:
    assert "'City' is undefined" in problem("{{ City }}")
    assert "has no attribute 'City'" in problem('{{ row["City"] }}')


def test_a_null_counts_as_blank() -> None:
    fields = mapping_of(company="{{ city }}", email='{{ pick("email") }}x').render({"city": None, "email": None})
    assert (fields.texts["company"], fields.texts["email"]) == ("", "x")


CRAFTED = '", "service": "next_day_air", "x": "'


@given(st.text(max_size=200))
@example(CRAFTED)
@example("{{ service }}{% if 1 %}")
@example("Ada\nservice: next_day_air")
@example("}}{{ '")
def test_a_crafted_name_changes_no_other_field(name: str) -> None:
    mapping = mapping_of(
        recipient_name="{{ name }}",
        company='{{ row["name"] | trim }}',
        city='{{ pick("city") }}',
        state="{{ state }}",
        service="{% if rush %}next_day_air{% else %}ground{% endif %}",
    )
    values = {"name": name, "city": "Austin", "state": "TX", "rush": ""}
    fields = mapping.render(values)
    plain = mapping.render(values | {"name": "Ada"})
    own = {"recipient_name", "company"}
    assert not fields.problems
    assert fields.texts["recipient_name"] == name
    assert {f: text for f, text in fields.texts.items() if f not in own} == {
        f: text for f, text in plain.texts.items() if f not in own
    }


@given(st.text(alphabet="{}%\"'[]()|~ abrow+-*.:,#pick0", max_size=60))
def test_any_template_compiles_or_is_refused(template: str) -> None:
    try:
        field = compile_field(template)
    except TemplateRefusedError:
        return
    assert isinstance(field.columns, tuple)
