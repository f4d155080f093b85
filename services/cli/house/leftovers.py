"""Ending what a killed supervisor left running, and nothing else."""

from __future__ import annotations

import time

import psutil

from services.cli.house.record import HouseRecord, ProcessRecord

# psutil derives a creation time from the boot time, which the kernel gives in whole seconds and shifts with the clock.
_SAME_CREATION = 1.5
_LOOK_EVERY = 0.02


def is_ours(record: ProcessRecord) -> bool:
    """Whether the recorded process is alive and provably the one that was recorded."""
    return _process_of(record) is not None


def end_leftovers(record: HouseRecord, grace: float) -> tuple[str, ...]:
    """End the recorded processes that live on, the last started first; returns their names.

    Each gets SIGTERM, and SIGKILL after `grace` seconds. A process whose creation time is not the recorded one is
    another program's by now and gets no signal.
    """
    ended: list[str] = []
    for service in reversed(record.services):
        process = _process_of(service)
        if process is None:
            continue
        ended.append(service.name)
        _end(process, grace)
    return tuple(ended)


def _process_of(record: ProcessRecord) -> psutil.Process | None:
    if record.pid is None or record.create_time is None:
        return None
    try:
        process = psutil.Process(record.pid)
        if abs(process.create_time() - record.create_time) > _SAME_CREATION:
            return None
        return process if _lives(process) else None
    except psutil.NoSuchProcess:
        return None


def _end(process: psutil.Process, grace: float) -> None:
    for signal in (process.terminate, process.kill):
        try:
            signal()  # psutil compares the creation time once more before it signals
        except psutil.NoSuchProcess:
            return
        deadline = time.monotonic() + grace
        while time.monotonic() < deadline:
            if not _lives(process):
                return
            time.sleep(_LOOK_EVERY)


def _lives(process: psutil.Process) -> bool:
    """Whether it runs; a zombie only waits for its parent to take note, which may be never in a container."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
