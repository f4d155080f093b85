"""What `tally doctor` found, as a person reads it: problems first."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from services.cli.doctor.finding import Finding, State
from services.cli.rendering.wording import plural

_ORDER = (State.PROBLEM, State.LOOK, State.OK)
_WORDS = {
    State.PROBLEM: Text("problem", style="red"),
    State.LOOK: Text("look", style="yellow"),
    State.OK: Text("ok", style="green"),
}


def findings_table(findings: Sequence[Finding]) -> RenderableType:
    """Each finding in a row, what to do below it; then how many problems there are."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for finding in sorted(findings, key=lambda finding: _ORDER.index(finding.state)):
        said = Text(finding.what)
        if finding.do:
            said.append(f"\n→ {finding.do}", style="bold")
        table.add_row(_WORDS[finding.state], finding.check, said)
    return Group(table, Text(), Text(_conclusion(findings)))


def _conclusion(findings: Sequence[Finding]) -> str:
    problems = sum(finding.state is State.PROBLEM for finding in findings)
    looks = sum(finding.state is State.LOOK for finding in findings)
    if problems:
        return f"{plural(problems, 'problem')}."
    return f"No problem; {plural(looks, 'thing')} to look at." if looks else "All is well."
