"""The audit trail as a person reads it; pure: nothing here prints."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from services.cli.rendering.wording import moment, plural
from shared.contracts.audit import AuditFault, AuditRecord, AuditVerification

_FEW = 20
_CALL = "carrier."
_DIGEST = re.compile(r"[0-9a-f]{64}")
_DIGITS = 12
_LONGEST_ACTOR = 20


def audit_table(entries: Sequence[AuditRecord]) -> RenderableType:
    """Entries, a line each, by day: when, who, what, to which row."""
    if not entries:
        return "No such entries."
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("#", justify="right", no_wrap=True)
    for name in ("Time", "Who", "What"):
        table.add_column(name, no_wrap=True)
    table.add_column("Row", justify="right", no_wrap=True)
    table.add_column("Detail", overflow="fold")
    day = ""
    for entry in entries:
        date, time = moment(entry.at).split()
        if date != day:
            table.add_row("", Text(date, style="dim"))
            day = date
        row = "" if entry.row_number is None else str(entry.row_number)
        what = entry.action.replace("_", " ").replace(".", " ")
        table.add_row(str(entry.seq), time, Text(_cut(entry.actor)), what, row, Text(_in_words(entry)))
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


def _in_words(entry: AuditRecord) -> str:
    """`attempt 1, cost 12.40 USD`: what an entry says, without what it leaves open."""
    detail = dict(entry.detail)
    if not entry.action.startswith(_CALL):
        return _listed(detail)
    status, sent, took = detail.pop("status", None), detail.pop("sent", True), detail.pop("ms", 0)
    answer = f"HTTP {status}" if status is not None else "no answer" if sent else "not sent"
    detail.pop("called_at", None)
    return f"{answer} in {took:,} ms, {_listed(detail)}"


def _listed(detail: dict[str, Any]) -> str:
    told = ((name.replace("_", " "), value) for name, value in sorted(detail.items()))
    return ", ".join(f"{name} {_value(value)}" for name, value in told if value not in (None, "", [], {}, False))


def _value(value: object) -> str:
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    text = "yes" if value is True else str(value)
    return f"{text[:_DIGITS]}…" if _DIGEST.fullmatch(text) else text


def _cut(actor: str) -> str:
    return actor if len(actor) <= _LONGEST_ACTOR else f"{actor[: _LONGEST_ACTOR - 1]}…"
