"""The services: one of each at least, each with what it needs, all of one release and one time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from services.cli.doctor.finding import Finding, look, ok, problem
from shared.contracts.api import ServiceStatus

NEEDED = ("coordinator", "shipper", "writeback")
# Commands expire five minutes after they were made, by the clock of whoever takes them.
SKEW_TO_LOOK_AT = timedelta(seconds=5)
SKEW_TOO_LARGE = timedelta(seconds=60)


def findings(processes: Sequence[ServiceStatus], now: datetime, took: timedelta) -> list[Finding]:
    """What is to be said of the processes that answered by `now`, at most `took` after they were asked."""
    found = [each for name in _names(processes) for each in _service(name, processes)]
    found += _releases(processes)
    found += (each for process in processes for each in _clock(process, now, took))
    return found


def _names(processes: Sequence[ServiceStatus]) -> list[str]:
    others = {process.name for process in processes} - set(NEEDED)
    return [*NEEDED, *sorted(others)]


def _service(name: str, processes: Sequence[ServiceStatus]) -> Iterator[Finding]:
    mine = [process for process in processes if process.name == name]
    if not mine:
        yield problem(name, f"No {name} answers.", f"Start a {name}; its log says why it stopped.")
        return
    found = [each for process in mine for each in _process(process)]
    release = f", release {mine[0].release}" if mine[0].release else ""
    yield from found or [ok(name, f"{len(mine)} running{release}.")]


def _process(process: ServiceStatus) -> Iterator[Finding]:
    where = f"{process.name} {process.pid} on {process.host}"
    for check, what in (process.lacking or {}).items():
        yield problem(process.name, f"{where} lacks {check}: {what}.", _REMEDIES.get(check, "See its log."))
    if process.parked:
        yield look(
            process.name,
            f"{where} left {process.parked} messages of a newer version to others.",
            "Finish the upgrade: a process of the newer release takes them.",
        )


def _releases(processes: Sequence[ServiceStatus]) -> Iterator[Finding]:
    releases = sorted({process.release for process in processes if process.release})
    if len(releases) > 1:
        yield look(
            "releases",
            f"Releases {', '.join(releases)} run side by side.",
            "During an upgrade that is how it should be; finish it (docs/guides/upgrading.md).",
        )


def _clock(process: ServiceStatus, now: datetime, took: timedelta) -> Iterator[Finding]:
    if process.at is None:
        return
    skew = max(process.at - now, now - process.at - took)
    if skew <= SKEW_TO_LOOK_AT:
        return
    what = f"The clock of {process.name} {process.pid} on {process.host} is {skew.total_seconds():.0f} s off this one."
    say = problem if skew > SKEW_TOO_LARGE else look
    yield say("clocks", what, "Keep the machines' clocks with NTP: commands expire by them.")


_REMEDIES = {
    "bus": "See that it reaches the NATS servers of TALLY_NATS_URL.",
    "consumers": "Restart a coordinator: it makes what is missing.",
    "database": "See that the job database runs and TALLY_DATABASE_URL leads to it.",
    "source_roots": "Mount the folders of TALLY_SOURCE_ROOTS.",
    "label_store": "See that the label store of TALLY_LABELS_URL is there and can be written to.",
    "schema": "Run the migration: python -m services.coordinator migrate.",
    "service": "It is starting or stopping; ask again.",
}
