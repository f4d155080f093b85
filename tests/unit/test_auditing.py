"""What `make audit` makes of pip-audit's answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.audit.auditing import code, told

SOUND: dict[str, Any] = {"name": "sound", "version": "1.0", "vulns": []}
WEAK = {"name": "weak", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}
UNKNOWN = {"name": "unknown", "skip_reason": "not found"}


def test_a_known_vulnerability_fails_the_audit(capsys: pytest.CaptureFixture[str]) -> None:
    assert told("a.txt", [SOUND, WEAK]) == 1
    assert "weak 1.0 has PYSEC-1, fixed in 1.1" in capsys.readouterr().out


def test_packages_that_nobody_could_look_up_are_not_called_sound(capsys: pytest.CaptureFixture[str]) -> None:
    assert told("a.txt", [UNKNOWN, UNKNOWN]) == 0
    assert "NOT CHECKED" in capsys.readouterr().out
    assert told("a.txt", [SOUND, UNKNOWN]) == 0
    said = capsys.readouterr().out
    assert "1 packages checked, 0 vulnerable" in said
    assert "NOT CHECKED, unknown to the database: unknown" in said


def test_bandit_finds_nothing_that_is_not_explained_where_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    """The part of `make audit` that needs no database of vulnerabilities."""
    assert code() == 0, capsys.readouterr().out
