"""The audit trail as a person reads it; pure: nothing here prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from services.cli.wording import moment, plural
from shared.contracts.audit import AuditFault, AuditRecord, AuditVerification

_FEW = 20


def audit_table(entries: Sequence[AuditRecord]) -> RenderableType:
    """Entries, a line each: when, who, what, to which row."""
    if not entries:
        return "No such entries."
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("#", "Time", "Who", "What"):
        table.add_column(name, no_wrap=True)
    table.add_column("Row", justify="right", no_wrap=True)
    table.add_column("Detail", overflow="fold")
    for entry in entries:
        row = "" if entry.row_number is None else str(entry.row_number)
        what = entry.action.replace("_", " ").replace(".", " ")
        table.add_row(str(entry.seq), moment(entry.at), Text(entry.actor), what, row, Text(_in_words(entry.detail)))
    return table


def told_of(found: AuditVerification, job_id: str | None) -> RenderableType:
    """What a check of the trails found."""
    whose = f"of job {job_id}" if job_id is not None else f"of {plural(found.jobs, 'job')}"
    if found.intact:
        lines = [Text(f"The audit trail {whose} is as it was written: {found.entries:,} entries.")]
    else:
        lines = [Text(f"The audit trail {whose} is not as it was written:", style="bold red")]
        lines += [Text(_fault_in_words(fault), style="red") for fault in found.faults[:_FEW]]
        if len(found.faults) > _FEW:
            lines.append(Text(f"… and {len(found.faults) - _FEW} more", style="dim"))
    lines.append(Text(f"Head of the register: {found.head}", style="dim"))
    return Group(*lines)


def _fault_in_words(fault: AuditFault) -> str:
    where = "The register" if fault.job_id is None else f"Job {fault.job_id}"
    return f"{where}, entry {fault.seq}: {fault.what}."


def _in_words(detail: dict[str, Any]) -> str:
    """`attempt 1, cost 12.40 USD`: what an entry says, without what it leaves open."""
    told = ((name.replace("_", " "), value) for name, value in sorted(detail.items()))
    return ", ".join(f"{name} {_value(value)}" for name, value in told if value not in (None, "", [], False))


def _value(value: object) -> str:
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    return "yes" if value is True else str(value)
