"""`house.json`: where a house's bus and carrier are, and which processes it runs."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError


class ProcessState(StrEnum):
    """Where a process of the house is in its life."""

    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    STOPPED = "stopped"


class ProcessRecord(BaseModel):
    """One process. `create_time` (seconds since 1970) tells it from a later one with the same `pid`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    pid: int | None = None
    create_time: float | None = None
    state: ProcessState


class HouseRecord(BaseModel):
    """A house as its supervisor last wrote it down; `data_dir` is absolute.

    `console_token_file` is the file with the console's token, where the house made one.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    supervisor_pid: int
    nats_url: str
    carrier_url: str | None = None
    console_url: str | None = None
    console_token_file: str | None = None
    data_dir: str
    services: tuple[ProcessRecord, ...] = ()


def record_path(data_dir: Path) -> Path:
    """Where a data directory's record is."""
    return data_dir / "house.json"


def read_record(data_dir: Path) -> HouseRecord | None:
    """The record of a data directory; None where there is none, or none that names anything provably ours."""
    try:
        return HouseRecord.model_validate_json(record_path(data_dir).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None


def write_record(record: HouseRecord) -> None:
    """Replace the record atomically: whoever reads it sees the old one or the new one, whole."""
    path = record_path(Path(record.data_dir))
    temporary = path.with_name(f"{path.name}.new")
    with open(temporary, "w", encoding="utf-8", opener=_private) as file:
        file.write(record.model_dump_json(indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)  # an address may carry a token
