"""The zip archive that a workbook is: its entries, checked before anything is unpacked, and their contents.

Reading and writing back both go through here, so what is read is what is kept when the archive is written anew.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from shared.errors import NOT_WORKBOOK, WORKBOOK_TOO_LARGE, TallyError

MAX_PACKAGE = 256 << 20  # bytes of a workbook's file
MAX_PART = 512 << 20  # bytes of one part, unpacked
MAX_UNPACKED = 1 << 30  # bytes of all parts, unpacked
MAX_ENTRIES = 10_000

_BOMB_SIZE, _BOMB_RATIO = 16 << 20, 300  # sheets rarely pack better than 50 to 1; deflate's utmost is 1032 to 1
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _UTF_8 = 1 << 0, 1 << 11
_END = struct.Struct("<4s4H2LH")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_SIZE_IS_ELSEWHERE = 0xFFFFFFFF
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class DamagedError(Exception):
    """Why bytes are no archive that can be read, in words that follow "because"."""


@dataclass(frozen=True)
class Entry:
    """One entry: `directory` spans its record in the central directory, `offset` is where its local header begins.

    Its packed bytes go from `start` to `end`.
    """

    name: str
    directory: tuple[int, int]
    offset: int
    start: int
    end: int
    method: int
    crc: int
    size: int


@dataclass(frozen=True)
class Package:
    """A workbook's archive: all its bytes, and its entries by normalised part name, in the directory's order."""

    raw: bytes
    entries: Mapping[str, Entry]
    directory: int
    label: str

    def __contains__(self, part: str) -> bool:
        return part_key(part) in self.entries

    def read(self, part: str) -> bytes:
        """The content of a part. Raises E-1020: there is none, or it is damaged."""
        entry = self.entries.get(part_key(part))
        if entry is None:
            raise TallyError(NOT_WORKBOOK, path=self.label, reason=f"it has no part {part}")
        try:
            return _unpacked(self.raw, entry)
        except (DamagedError, zlib.error) as error:
            raise TallyError(NOT_WORKBOOK, path=self.label, reason=f"its part {part} is damaged") from error


def open_package(raw: bytes, label: str) -> Package:
    """The archive in a file's bytes.

    Raises E-1020 where it is none that Excel writes, E-1021 where it unpacks to more than a workbook of orders does.
    """
    if other := _what_else(raw):
        raise TallyError(NOT_WORKBOOK, path=label, reason=other)
    if len(raw) > MAX_PACKAGE:
        reason = f"it has more than {MAX_PACKAGE >> 20} MiB"
        raise TallyError(WORKBOOK_TOO_LARGE, path=label, reason=reason)
    try:
        directory, found = _entries(raw)
    except (DamagedError, struct.error) as error:
        reason = str(error) if isinstance(error, DamagedError) else "its zip archive is cut off"
        raise TallyError(NOT_WORKBOOK, path=label, reason=reason) from error
    entries = {part_key(entry.name): entry for entry in found}
    if len(entries) < len(found):
        raise TallyError(NOT_WORKBOOK, path=label, reason="two of its parts have one name")
    if bomb := _bomb(found):
        raise TallyError(WORKBOOK_TOO_LARGE, path=label, reason=bomb)
    return Package(raw, entries, directory, label)


def part_key(name: str) -> str:
    """A part's name as it is looked up: part names do not tell case apart, and some writers use backslashes."""
    return name.replace("\\", "/").lstrip("/").lower()


def _what_else(raw: bytes) -> str | None:
    if raw.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in raw:
            return "it is encrypted with a password"
        return "it is an Excel workbook of the old kind (.xls)"
    if raw.startswith(b"%PDF"):
        return "it is a PDF document"
    if not raw:
        return "it is empty"
    return None if raw.startswith(b"PK\x03\x04") else "it is no zip archive, as every workbook is"


def _entries(raw: bytes) -> tuple[int, list[Entry]]:
    """Where the central directory begins, and its entries. Raises DamagedError or struct.error."""
    at = raw.rfind(b"PK\x05\x06", max(0, len(raw) - (1 << 16) - _END.size))
    if at < 0:
        raise DamagedError("its zip archive is cut off")
    _, disk, first_disk, here, count, size, directory, comment = _END.unpack_from(raw, at)
    if _SIZE_IS_ELSEWHERE in (size, directory) or raw[at - 20 : at - 16] == b"PK\x06\x07":
        raise DamagedError("its zip archive has 64-bit fields; Excel saves none")
    if disk or first_disk or here != count or directory + size != at or at + _END.size + comment != len(raw):
        raise DamagedError("its zip archive is damaged")
    if count > MAX_ENTRIES:
        raise DamagedError(f"it has {count} parts")
    entries = []
    position = directory
    for _ in range(count):
        entry, position = _entry(raw, position)
        entries.append(entry)
    if position != at:
        raise DamagedError("its zip directory is damaged")
    _expect_apart(entries, directory)
    return directory, entries


def _entry(raw: bytes, position: int) -> tuple[Entry, int]:
    fields = _CENTRAL.unpack_from(raw, position)
    signature, flags, method, crc, packed, size = fields[0], fields[3], fields[4], *fields[7:10]
    name_length, extra_length, comment_length, offset = *fields[10:13], fields[16]
    after = position + _CENTRAL.size + name_length + extra_length + comment_length
    name = raw[position + _CENTRAL.size :][:name_length]
    if signature != b"PK\x01\x02" or not name or b"\0" in name:
        raise DamagedError("its zip directory is damaged")
    if _SIZE_IS_ELSEWHERE in (packed, size, offset):
        raise DamagedError("its zip archive has 64-bit fields; Excel saves none")
    local = _LOCAL.unpack_from(raw, offset)
    start = offset + _LOCAL.size + local[9] + local[10]
    if local[0] != b"PK\x03\x04" or raw[offset + _LOCAL.size :][: local[9]] != name:
        raise DamagedError("its zip directory does not fit its contents")
    shown = name.decode("utf-8" if flags & _UTF_8 else "cp437", "replace")
    if flags & _ENCRYPTED:
        raise DamagedError("it is encrypted with a password")
    if method not in (_STORED, _DEFLATED):
        raise DamagedError("its parts are packed in a way Excel does not use")
    return Entry(shown, (position, after), offset, start, start + packed, method, crc, size), after


def _expect_apart(entries: list[Entry], directory: int) -> None:
    """Entries that share bytes make an archive unpack to far more than it holds."""
    ordered = sorted(entries, key=lambda entry: entry.offset)
    ends = [entry.end for entry in ordered]
    if any(end > begin for end, begin in zip(ends, [*(entry.offset for entry in ordered[1:]), directory], strict=True)):
        raise DamagedError("its zip entries overlap")


def _bomb(entries: list[Entry]) -> str | None:
    for entry in entries:
        if entry.size > MAX_PART:
            return f"its part {entry.name} has more than {MAX_PART >> 20} MiB"
        if entry.size > _BOMB_SIZE and entry.size > _BOMB_RATIO * (entry.end - entry.start):
            return f"its part {entry.name} unpacks to {_BOMB_RATIO} times its size, which no sheet of orders does"
    if sum(entry.size for entry in entries) > MAX_UNPACKED:
        return f"it unpacks to more than {MAX_UNPACKED >> 20} MiB"
    return None


def _unpacked(raw: bytes, entry: Entry) -> bytes:
    packed = memoryview(raw)[entry.start : entry.end]
    if entry.method == _STORED:
        content = bytes(packed)
    else:
        unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
        # One byte beyond the declared size shows an entry that lies about it.
        content = unpacking.decompress(packed, entry.size + 1)
        if not unpacking.eof or unpacking.unused_data:
            raise DamagedError
    if len(content) != entry.size or zlib.crc32(content) != entry.crc:
        raise DamagedError
    return content
