"""Database values as texts, keys back from them, and how a connection is set."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import types

from shared.errors import TallyError
from shared.settings import CoordinatorSettings, WritebackSettings, load
from shared.sources.database_values import key_value, moment_kind, stored_moment, text_of
from shared.sources.rows import join_key, split_key


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("Ann\0Lee", "Ann\N{REPLACEMENT CHARACTER}Lee"),
        (True, "true"),
        (5, "5"),
        (5.0, "5"),
        (1e-7, "0.0000001"),
        (1e22, "10000000000000000000000"),
        (float("nan"), "nan"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1.50"), "1.50"),
        (date(2026, 11, 21), "2026-11-21"),
        (time(10, 15), "10:15:00"),
        (datetime(2026, 11, 21, 10, 15), "2026-11-21T10:15:00"),  # noqa: DTZ001 - columns without a time zone exist
        (datetime(2026, 11, 21, 10, 15, tzinfo=timezone(timedelta(hours=2))), "2026-11-21T08:15:00+00:00"),
        (b"\x00\xff", "00ff"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ({"b": [1, Decimal("2.5")], "a": "é"}, '{"a": "é", "b": [1, "2.5"]}'),
        (timedelta(hours=1), "1:00:00"),
    ],
)
def test_a_value_is_the_text_that_a_file_would_have(value: object, text: str) -> None:
    assert text_of(value) == text


@given(
    st.one_of(
        st.tuples(st.just(types.Integer()), st.integers()),
        st.tuples(st.just(types.Numeric()), st.decimals(allow_nan=False, allow_infinity=False)),
        st.tuples(st.just(types.Uuid()), st.uuids()),
        st.tuples(st.just(types.Date()), st.dates()),
        st.tuples(st.just(types.DateTime()), st.datetimes()),
        st.tuples(st.just(types.LargeBinary()), st.binary(min_size=1)),
        st.tuples(st.just(types.String()), st.text(st.characters(exclude_characters="\0"))),
    )
)
def test_a_key_has_its_value_again_from_its_text(given_key: tuple[types.TypeEngine[Any], object]) -> None:
    column, value = given_key
    assert key_value(text_of(value), column, "postgresql") == value


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_a_key_of_several_columns_comes_apart_again(texts: list[str]) -> None:
    assert split_key(join_key(texts), len(texts)) == texts


def test_a_moment_goes_in_as_its_column_holds_it() -> None:
    moment = datetime(2026, 11, 21, 23, 30, 1, 999, tzinfo=timezone(timedelta(hours=-5)))
    stored: dict[types.TypeEngine[Any], object] = {
        types.DateTime(timezone=True): datetime(2026, 11, 22, 4, 30, 1, tzinfo=UTC),
        types.DateTime(): datetime(2026, 11, 22, 4, 30, 1),  # noqa: DTZ001 - columns without a time zone exist
        types.Date(): date(2026, 11, 22),
        types.String(20): "2026-11-22T04:30:01Z",
    }
    for column, expected in stored.items():
        kind = moment_kind(column, "postgresql")
        assert kind is not None
        assert stored_moment(moment, kind) == expected
    assert moment_kind(types.String(19), "postgresql") is None
    assert moment_kind(types.Integer(), "mariadb") is None


def test_connections_are_set_by_name_as_url_table_or_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text("mysql://u:hush@h/d\n")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tally.toml").write_text('[connections]\nold = "sqlite:///old.db"\n')
    monkeypatch.setenv("TALLY_CONNECTIONS__STORE_FILE", str(secret))
    monkeypatch.setenv("TALLY_CONNECTIONS__Shop", "postgresql://u:hush@h/d")
    monkeypatch.setenv("TALLY_CONNECTIONS__ERP__URL", "sqlite:////srv/erp.db")
    monkeypatch.setenv("TALLY_CONNECTIONS__ERP__MARK_TABLE", "false")
    for connections in (load(CoordinatorSettings).connections, load(WritebackSettings).connections):
        urls = {name: (each.url.get_secret_value(), each.mark_table) for name, each in connections.items()}
        assert urls == {
            "old": ("sqlite:///old.db", True),
            "store": ("mysql://u:hush@h/d", True),
            "shop": ("postgresql://u:hush@h/d", True),
            "erp": ("sqlite:////srv/erp.db", False),
        }
        assert "hush" not in repr(connections)


@pytest.mark.parametrize(("name", "url"), [("MY.SHOP", "postgresql://u:hush@h/d"), ("SHOP__PORT", "hush")])
def test_a_connection_set_wrongly_is_told_without_its_url(
    name: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"TALLY_CONNECTIONS__{name}", url)
    with pytest.raises(TallyError, match="E-5002: TALLY_CONNECTIONS__") as caught:
        load(WritebackSettings)
    assert "hush" not in str(caught.value)
