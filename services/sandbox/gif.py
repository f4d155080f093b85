"""A black-and-white GIF made of strips, each compressed once and kept.

A GIF's compressor may be reset anywhere by a clear code. Every strip here starts reset and ends with as many clear
codes as fill up its last byte, so strips can be joined like text, and a label costs microseconds instead of the
tenth of a second that compressing a million pixels takes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

WHITE, BLACK = 0, 1
_CODE_SIZE = 2
_CLEAR = 1 << _CODE_SIZE
_END = _CLEAR + 1
_BLOCK = 255


def gif(width: int, height: int, strips: Iterable[bytes]) -> bytes:
    """The image; `strips`, made by `strip`, together hold its `width` x `height` pixels, row by row from the top."""
    data = strip(b"") + b"".join(strips) + bytes([_END])
    blocks = (data[start : start + _BLOCK] for start in range(0, len(data), _BLOCK))
    return b"".join(
        (
            b"GIF89a",
            struct.pack("<HHBBB", width, height, 0x80, 0, 0),  # a global palette of two colours
            b"\xff\xff\xff\x00\x00\x00",
            b",",
            struct.pack("<HHHHB", 0, 0, width, height, 0),
            bytes([_CODE_SIZE]),
            *(bytes([len(block)]) + block for block in blocks),
            b"\x00;",
        )
    )


def strip(pixels: bytes) -> bytes:
    """`pixels` (one byte each, WHITE or BLACK) compressed; few enough that the code table does not overflow."""
    known: dict[int, int] = {}
    codes: list[tuple[int, int]] = []
    free = _END + 1
    width = _CODE_SIZE + 1
    code = -1
    for pixel in pixels:
        if code < 0:
            code = pixel
            continue
        longer = code << 1 | pixel
        if longer in known:
            code = known[longer]
            continue
        codes.append((code, width))
        known[longer] = free
        # The decoder's table lags by one entry, hence the comparison before the increment.
        width += free == 1 << width
        free += 1
        code = pixel
    if code >= 0:
        codes.append((code, width))
        width += free == 1 << width
    return _packed([*codes, (_CLEAR, width)])


def _packed(codes: list[tuple[int, int]]) -> bytes:
    """The codes (value, width in bits) from the lowest bit up, filled up with clear codes to a whole byte."""
    bits = length = 0
    for value, width in codes:
        bits |= value << length
        length += width
    while length % 8:
        bits |= _CLEAR << length
        length += _CODE_SIZE + 1
    return bits.to_bytes(length // 8, "little")
