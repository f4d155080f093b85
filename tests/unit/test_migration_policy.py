"""Migrations expand, then contract: a coordinator of the release before works with the schema of this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.coordinator.database import migration
from tests.unit.migration_policy import breaches

VERSIONS = Path(migration.__file__).parent / "migrations" / "versions"
FIRST = "def upgrade() -> None:\n    op.drop_table('anything')\n"


def sources() -> dict[str, str]:
    """Every revision's module, the first revision's first."""
    files = {path.stem.partition("_")[0]: path for path in VERSIONS.glob("[0-9]*.py")}
    return {revision: files[revision].read_text(encoding="utf-8") for revision in migration.revisions()}


def judged(body: str, head: str = "") -> list[str]:
    return breaches({"0001": FIRST, "0002": f"{head}\ndef upgrade() -> None:\n    {body}\n"})


def test_every_revision_keeps_to_it() -> None:
    assert breaches(sources()) == []


def test_there_is_one_line_of_revisions_each_named_by_its_file() -> None:
    assert len(sources()) == len(list(VERSIONS.glob("[0-9]*.py")))


@pytest.mark.parametrize(
    "body",
    [
        "op.create_table('notes', sa.Column('note', sa.String(20), nullable=False))",
        "op.create_index('ix_rows_zone', 'rows', ['zone'])",
        "op.add_column('rows', sa.Column('note', sa.String(20)))",
        "op.add_column('rows', sa.Column('note', sa.String(20), nullable=False, server_default=''))",
    ],
)
def test_a_revision_may_add_what_nobody_has_to_fill(body: str) -> None:
    assert judged(body) == []


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("op.drop_column('rows', 'zone')", "calls drop_column"),
        ("op.drop_table('rows')", "calls drop_table"),
        ("op.alter_column('rows', 'zone', nullable=False)", "calls alter_column"),
        ("op.rename_table('rows', 'lines')", "calls rename_table"),
        ("op.execute('ALTER TABLE rows DROP COLUMN zone')", "calls execute"),
        ("op.create_unique_constraint('uq', 'rows', ['zone'])", "calls create_unique_constraint"),
        ("op.create_index('ix', 'rows', ['zone'], unique=True)", "adds a unique index"),
        ("op.add_column('rows', sa.Column('note', sa.String(20), nullable=False))", "adds a column"),
        ("with op.batch_alter_table('rows') as batch:\n        batch.drop_column('zone')", "calls drop_column"),
    ],
)
def test_a_revision_may_take_nothing_and_ask_for_nothing(body: str, what: str) -> None:
    (found,) = judged(body)
    assert found.startswith(f"0002 {what}")


def test_a_contract_step_names_the_earlier_revision_that_it_ends() -> None:
    assert judged("op.drop_column('rows', 'zone')", "CONTRACTS = '0001'") == []
    (found,) = judged("op.drop_column('rows', 'zone')", "CONTRACTS = '0003'")
    assert found == "0002 is the contract step of 0003, which is no earlier revision"
