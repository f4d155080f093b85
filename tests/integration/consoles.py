"""A house's console as a program calls it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.integration.house import PATIENCE, House


@dataclass
class StreamedEvent:
    """One server-sent event; `number` is its id, None where it has none."""

    number: int | None
    type: str
    body: dict[str, Any]


def console_token(house: House) -> str:
    """The token that the house made."""
    return (house.data_dir / "console.token").read_text().strip()


@contextmanager
def console_of(house: House) -> Iterator[httpx.Client]:
    """A caller with the console's token."""
    headers = {"Authorization": f"Bearer {console_token(house)}"}
    url = house.status["console_url"]
    with httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=PATIENCE) as client:
        yield client


def streamed(lines: Iterator[str]) -> Iterator[StreamedEvent]:
    """The events in a stream's lines."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
            continue
        if "data" in fields:
            number = int(fields["id"]) if "id" in fields else None
            yield StreamedEvent(number, fields["event"], json.loads(fields["data"]))
        fields = {}
