"""Conditions: what they mean over columns of text, and what they may not say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.source import CsvSource
from shared.errors import TallyError
from shared.sources.condition import MAX_LENGTH, parse_condition
from shared.sources.csv import CsvSnapshot, open_csv

COLUMNS = ("order", "name", "Ship State", "zip", "weight", "price", "date", 'odd"name')


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CsvSnapshot]:
    path = tmp_path_factory.mktemp("conditions") / "orders.csv"
    path.write_text(
        'order,name,Ship State,zip,weight,price,date,"odd""name"\n'
        "1,Ada Lovelace,CA,01002,5,19.99,2026-11-20,x\n"
        "2,Ben O'Neil,NY,10001,25,5,2026-11-21,\n"
        "12345678901234567,Çelik,ca,90210,,n/a,,x\n"
        "12345678901234568,100%,TX,1002,9.5,0.1,2026-11-22,\n"
    )
    with open_csv(path, CsvSource(path="orders.csv")) as snapshot:
        yield snapshot


def refusal(where: str) -> str:
    with pytest.raises(TallyError) as caught:
        parse_condition(where, COLUMNS, label="orders.csv")
    return str(caught.value)


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        ("zip = '01002'", [1]),
        ("zip = 1002", [1, 4]),
        ("weight < 20", [1, 4]),
        ("20 > weight", [1, 4]),
        ("weight <= 5", [1]),
        ("weight >= 9.5", [2, 4]),
        ("NOT weight < 20", [2]),
        ("weight <> 5", [2, 4]),
        ("weight BETWEEN 5 AND 10", [1, 4]),
        ("weight NOT BETWEEN 5 AND 10", [2]),
        ("weight IN (5, 25)", [1, 2]),
        ("weight NOT IN (5, 25)", [4]),
        ("weight * 2 > 18.5 AND weight - 1 < 20", [4]),
        ("-weight < -5", [2, 4]),
        ("weight / 2 = 2.5 OR weight % 10 = 5", [1, 2]),
        ("weight * price > 100", [2]),
        ("round(price, 0) = 20", [1]),
        ("abs(price) = 0.1", [4]),
        ("length(zip) = 4", [4]),
        ("order = 12345678901234567", [3]),
        ("order = '12345678901234567'", [3]),
        ("\"Ship State\" = 'CA'", [1]),
        ("\"ship state\" ILIKE 'ca'", [1, 3]),
        ("lower(\"Ship State\") = 'ca' AND NAME LIKE '%Love%'", [1]),
        ("upper(name) NOT LIKE '%A%'", [2, 3, 4]),
        ("name LIKE '100!%' ESCAPE '!'", [4]),
        ("name NOT ILIKE '%e%'", [4]),
        ("name = 'Ben O''Neil'", [2]),
        ('"odd""name" = \'x\'', [1, 3]),
        ("weight IS NULL", [3]),
        ("weight IS NOT NULL", [1, 2, 4]),
        ("coalesce(weight, '0') = 0", [3]),
        ('coalesce("odd""name", name) = \'x\'', [1, 3]),
        ("date >= DATE '2026-11-21'", [2, 4]),
        ("date = '2026-11-21'", [2]),
        ("CAST(date AS TIMESTAMP) > TIMESTAMP '2026-11-20 12:00:00' AND date <> ''", [2, 4]),
        ("TRY_CAST(price AS DECIMAL(10, 2)) = 5", [2]),
        ("trim(zip, '0') = '1002' AND ltrim(zip, '0') = '1002'", [1, 4]),
        ("substring(zip, 1, 2) = '01' OR left(zip, 2) = '90' OR right(zip, 1) = '1'", [1, 2, 3]),
        ("starts_with(name, 'A') OR ends_with(name, 'l')", [1, 2]),
        ("contains(name, 'eli')", [3]),
        ("regexp_matches(zip, '^0[0-9]{4}$')", [1]),
        ("regexp_matches(name, '^ada', 'i')", [1]),
        ("replace(zip, '0', '') = '12' AND zip || '-' = '01002-'", [1]),
        ("weight IS DISTINCT FROM 5", [2, 3, 4]),
        ("(((weight < 20)))", [1, 4]),
        ("TRUE", [1, 2, 3, 4]),
        ("weight < 20 OR weight = 25 AND zip = '10001'", [1, 2, 4]),
        (" OR ".join(f"weight = {number}" for number in range(200)), [1, 2]),
    ],
)
def test_a_condition_over_text_columns_means_what_it_says(orders: CsvSnapshot, where: str, numbers: list[int]) -> None:
    assert [row.number for row in orders.rows(where)] == numbers
    assert orders.count(where) == len(numbers)


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("", "it is empty"),
        ("   ", "it is empty"),
        ("zip = '1'; DROP TABLE orders", "it holds a semicolon"),
        ("zip = '1';", "it holds a semicolon"),
        ("zip = '1' -- AND weight < 20", "it holds a comment"),
        ("zip = '1' /* */", "it holds a comment"),
        ("-- nothing", "it is empty"),
        ("ATTACH 'x.db'", "ATTACH is a statement"),
        ("COPY orders TO 'x.csv'", "COPY is a statement"),
        ("PRAGMA database_list", "PRAGMA is a statement"),
        ("SELECT 1", "SELECT is a statement"),
        ("SET threads = 2", "SET is a statement"),
        ("INSTALL httpfs", "INSTALL is a statement"),
        ("read_csv('/etc/passwd')", "function read_csv is not allowed"),
        ("zip = read_text('/etc/passwd')", "function read_text is not allowed"),
        ("getenv('HOME') = 'x'", "function getenv is not allowed"),
        ("zip = current_setting('threads')", "function current_setting is not allowed"),
        ("zip IN (SELECT zip FROM orders)", "is not allowed"),
        ("zip = (SELECT 1)", "a subquery is not allowed"),
        ("EXISTS (SELECT 1)", "a subquery is not allowed"),
        ("EXISTS (FROM read_csv('/etc/passwd'))", "not"),
        ("zip = ANY (SELECT 1)", "not allowed"),
        ("zip = ALL (SELECT 1)", "not allowed"),
        ("1 = 1 UNION SELECT 1", "it makes no sense near UNION"),
        ("orders.zip = '1'", "orders.zip is not allowed"),
        ("COLUMNS(*) = '1'", "not allowed"),
        ("*", "not allowed"),
        ("#1 = '1'", "not allowed"),
        ("zip = $1", "not allowed"),
        ("zip = ?", "not allowed"),
        ("zip = current_date", "function current_date is not allowed"),
        ("count(*) > 1", "function count is not allowed"),
        ("lower(zip) OVER () = '1'", "not allowed"),
        ("lower(DISTINCT zip) = '1'", "not allowed"),
        ("zip ~ '1'", "~ is not allowed; use regexp_matches"),
        ("zip COLLATE nocase = 'a'", "not allowed"),
        ("zip[1] = '0'", "not allowed"),
        ("[zip] = ['0']", "not allowed"),
        ("zip -> '$.a' = '0'", "not allowed"),
        ("zip = E'\\n'", "not allowed"),
        ("zip = NULL", "NULL can only follow IS"),
        ("CAST(zip AS BLOB) = '1'", "a cast to BLOB is not allowed"),
        ("CAST(zip AS INTEGER[]) = '1'", "not allowed"),
        ("CASE WHEN zip = '1' THEN TRUE END", "not allowed"),
        ("date > INTERVAL 1 DAY", "not allowed"),
        ("weight BETWEEN SYMMETRIC 3 AND 1", "not allowed"),
        ("zip", "zip is neither true nor false"),
        ("1", "1 is neither true nor false"),
        ("zip = '1' AND weight", "weight is neither true nor false"),
        ("NOT weight", "weight is neither true nor false"),
        ("weight = 5 = 'x' = 3", "cannot be compared"),
        ("zip = '1", "a quote or comment in it is not closed"),
        ("zip = = 1", "it makes no sense"),
        ("zip '1'", "it makes no sense"),
        ("(" * 1900 + "1 = 1" + ")" * 1900, "it is nested too deeply"),
        ("zip = '" + "1" * MAX_LENGTH + "'", f"it has more than {MAX_LENGTH} characters"),
    ],
)
def test_whatever_is_not_one_condition_is_refused_with_its_reason(where: str, reason: str) -> None:
    said = refusal(where)
    assert said.startswith("E-1010: The condition ")
    assert reason in said
    assert len(said) < 600
    assert "\n" not in said


def test_an_unknown_column_is_named_with_those_there_are() -> None:
    assert refusal("state = 'CA'") == (
        "E-1011: The condition names column state, which orders.csv does not have. "
        'Use one of: order, name, Ship State, zip, weight, price, date, odd"name.'
    )


def test_text_in_double_quotes_is_a_column() -> None:
    assert refusal('zip = "01002"').startswith("E-1011: The condition names column 01002")


def test_identifiers_and_texts_are_quoted() -> None:
    condition = parse_condition("\"ODD\"\"NAME\" = 'a''b' AND Weight < 20", COLUMNS)
    assert condition.sql == '(("odd""name" = \'a\'\'b\') AND (TRY_CAST("weight" AS DECIMAL(38, 9)) < 20))'


def test_a_pattern_that_is_none_fails_when_it_is_evaluated(orders: CsvSnapshot) -> None:
    with pytest.raises(TallyError, match="E-1012"):
        orders.count("regexp_matches(name, '(')")


def outcome(where: str) -> str:
    """ok, or the code of the refusal; any other exception is a failure of the test."""
    try:
        parse_condition(where, COLUMNS)
    except TallyError as error:
        return error.body.code
    return "ok"


@given(st.text(st.sampled_from("zipweight '\"();-/*=<>,.$?[]{}:|&%~^#1\n"), max_size=40))
def test_no_text_does_anything_but_parse_or_be_refused(where: str) -> None:
    assert outcome(where) in {"ok", "E-1010", "E-1011"}


WORDS = (
    "zip weight AND OR NOT ( ) = < 1 '1' IN , LIKE IS NULL lower( CAST( AS INT - * || . [ ] BETWEEN CASE SELECT :: -> "
    "? COLLATE DISTINCT FROM DATE INTERVAL round( coalesce( trim( ESCAPE EXISTS( ANY ALL TRUE"
)


@given(st.lists(st.sampled_from(WORDS.split()), max_size=14))
def test_no_order_of_words_does_anything_but_parse_or_be_refused(words: list[str]) -> None:
    assert outcome(" ".join(words)) in {"ok", "E-1010", "E-1011"}
