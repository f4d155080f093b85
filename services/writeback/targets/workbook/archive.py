"""A zip archive written anew with some parts changed: every other entry keeps its bytes, packed as they were."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

from shared.sources.excel_package import Entry, Package, part_key

_DEFLATED = 8
_DESCRIPTOR_FOLLOWS = 1 << 3
_SIZES_64_BIT = 0x0001  # the extra field that only stands beside sizes too large for the header


def rewritten(package: Package, parts: Mapping[str, bytes]) -> bytes:
    """The archive with `parts`, each of which it has, in place of what they were; order, times and names stay."""
    changed = {part_key(part): content for part, content in parts.items()}
    ordered = sorted(package.entries.items(), key=lambda item: item[1].offset)
    begins = [entry.offset for _, entry in ordered]
    pieces = [package.raw[: begins[0]]]
    position = begins[0]
    records: dict[int, bytes] = {}
    for (key, entry), end in zip(ordered, [*begins[1:], package.directory], strict=True):
        record = bytearray(package.raw[slice(*entry.directory)])
        is_kept = key not in changed
        piece = package.raw[entry.offset : end] if is_kept else _entry(package.raw, entry, changed[key], record)
        struct.pack_into("<L", record, 42, position)
        records[entry.directory[0]] = bytes(record)
        pieces.append(piece)
        position += len(piece)
    end_record = bytearray(package.raw[max(entry.directory[1] for _, entry in ordered) :])
    struct.pack_into("<L", end_record, 16, position)
    return b"".join([*pieces, *(records[at] for at in sorted(records)), end_record])


def _entry(raw: bytes, entry: Entry, content: bytes, record: bytearray) -> bytes:
    """An entry with another content, packed the way it was; its directory `record` is brought in line."""
    packed = _packed(content) if entry.method == _DEFLATED else content
    sizes = struct.pack("<3L", zlib.crc32(content), len(packed), len(content))
    name_length, extra_length = struct.unpack_from("<2H", raw, entry.offset + 26)
    header = bytearray(raw[entry.offset : entry.offset + 30])
    name = raw[entry.offset + 30 :][:name_length]
    extra = _without_64_bit_sizes(raw[entry.offset + 30 + name_length :][:extra_length])
    for fields, flags_at, sizes_at in ((header, 6, 14), (record, 8, 16)):
        (flags,) = struct.unpack_from("<H", fields, flags_at)
        struct.pack_into("<H", fields, flags_at, flags & ~_DESCRIPTOR_FOLLOWS)
        fields[sizes_at : sizes_at + len(sizes)] = sizes
    struct.pack_into("<H", header, 28, len(extra))
    return b"".join((header, name, extra, packed))


def _packed(content: bytes) -> bytes:
    packing = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packing.compress(content) + packing.flush()


def _without_64_bit_sizes(extra: bytes) -> bytes:
    kept, at = b"", 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind != _SIZES_64_BIT:
            kept += extra[at : at + 4 + length]
        at += 4 + length
    return kept + extra[at:]
