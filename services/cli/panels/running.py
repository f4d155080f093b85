"""What the panels' commands have in common: how they are run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from services.cli.outcomes import run
from shared.contracts.states import JobStatus, RowStatus


def values(states: type[JobStatus | RowStatus]) -> str:
    """The states' names, for an option's help."""
    return ", ".join(states)


def run_with_offer(
    command: Callable[[], int], data: Path | None, *, as_json: bool, named: str | None = None
) -> NoReturn:
    """Run a command; before it, a person is told of interrupted jobs, but for the one `named`."""

    def after_offer() -> int:
        from services.cli.commands import interrupted

        if not as_json:
            interrupted.offer(data, named)
        return command()

    run(after_offer, as_json=as_json)


def order(order: str, job: str, data: Path | None, *, as_json: bool) -> NoReturn:
    """Run an order that needs nothing but its job: approve, reject, pause or cancel."""
    from services.cli.commands import control

    named = job if order == control.Order.CANCEL else None
    run_with_offer(
        lambda: control.control(control.Order(order), data, job, as_json=as_json), data, as_json=as_json, named=named
    )
