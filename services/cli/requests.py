"""What a person typed, as a job request."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from services.cli.sources import absolute_if_here, in_dialect, parse_source, with_key
from services.cli.terminal import person
from shared.contracts.requests import JobRequest
from shared.contracts.source import DatabaseSource, source_label
from shared.contracts.states import JobMode
from shared.errors import REQUEST_MALFORMED, SOURCE_UNREADABLE, TallyError


@dataclass(frozen=True)
class Wish:
    """A batch as a person asks for it on the command line."""

    source: str
    where: str | None = None
    mapping: str = "auto"
    service: str | None = None
    mode: JobMode = JobMode.CONFIRM
    request_id: str | None = None
    name: str | None = None
    reship: bool = False
    sheet: str | None = None
    sidecar: bool = False
    delimiter: str | None = None
    quote: str | None = None
    encoding: str | None = None
    key: str | None = None
    include: tuple[str, ...] = ()
    skip_invalid: bool = False


def to_request(wish: Wish, working_dir: Path, now: datetime) -> JobRequest:
    """The request for `wish`.

    Raises as `parse_source` does, E-1002 for a name that no file can have, E-2020 for what no request can hold.
    """
    try:
        named = parse_source(wish.source, working_dir, wish.sheet, sidecar=wish.sidecar)
        mapping = absolute_if_here(wish.mapping, working_dir) if Path(wish.mapping).suffix else wish.mapping
    except OSError as error:
        shown = Path(str(error.filename)).name[:80]
        raise TallyError(SOURCE_UNREADABLE, path=shown, reason=error.strerror or "input error") from error
    source = with_key(in_dialect(named, wish.delimiter, wish.quote, wish.encoding), wish.key)
    stem = source.table if isinstance(source, DatabaseSource) else Path(source.path).stem
    name = source_label(source) if isinstance(source, DatabaseSource) else Path(source.path).name
    try:
        return JobRequest(
            request_id=wish.request_id or f"{stem[:80]}-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}",
            name=(wish.name or name)[:200],
            source=source,
            where=wish.where,
            mapping=mapping,
            service=wish.service,
            mode=wish.mode,
            requested_by=person()[:200],
            reship=wish.reship,
            include=wish.include,
            skip_invalid=wish.skip_invalid,
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        reason = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
        raise TallyError(REQUEST_MALFORMED, reason=reason) from error
