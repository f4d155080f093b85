import base64
import re
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sandbox import labels
from services.sandbox.gif import BLACK, gif, strip
from services.sandbox.replies import RefusedError

NUMBER, POSTAL_CODE = "1Z12345E0300012345", "01002"


def sub_blocks(data: bytes) -> bytes:
    parts, at = [], 0
    while size := data[at]:
        parts.append(data[at + 1 : at + 1 + size])
        at += size + 1
    assert data[at:] == b"\x00;"
    return b"".join(parts)


def codes(data: bytes) -> Iterator[bytes]:
    """The pixels each code of a GIF's data stands for, with a code size of two bits; a textbook decoder."""
    bits = int.from_bytes(data, "little")
    clear, end = 4, 5
    table: list[bytes] = []
    width, previous = 3, b""
    while True:
        code = bits & ((1 << width) - 1)
        bits >>= width
        if code == end:
            return
        if code == clear:
            table, width, previous = [b"\0", b"\1", b"", b"", b"", b""], 3, b""
            continue
        entry = table[code] if code < len(table) else previous + previous[:1]
        if previous:
            assert code <= len(table)
            table.append(previous + entry[:1])
        width = max(width, min(12, len(table).bit_length()))
        previous = entry
        yield entry


def decoded(image: bytes) -> tuple[int, int, bytes]:
    assert image[:6] == b"GIF89a"
    width, height, flags, _, _ = struct.unpack_from("<HHBBB", image, 6)
    assert flags == 0x80
    start = 13 + 6
    assert image[start : start + 10] == b"," + struct.pack("<HHHHB", 0, 0, width, height, 0)
    assert image[start + 10] == 2
    return width, height, b"".join(codes(sub_blocks(image[start + 11 :])))


@given(st.lists(st.binary(max_size=400).map(lambda data: bytes(byte & 1 for byte in data)), max_size=8))
def test_joined_strips_decode_to_their_pixels(pieces: list[bytes]) -> None:
    pixels = b"".join(pieces)
    image = gif(len(pixels), 1, [strip(piece) for piece in pieces])
    assert decoded(image) == (len(pixels), 1, pixels)


@given(st.binary(min_size=1, max_size=60), st.integers(1, 200))
def test_a_strip_with_long_repetitions_decodes_to_its_pixels(pattern: bytes, times: int) -> None:
    pixels = bytes(byte & 1 for byte in pattern) * times
    assert decoded(gif(len(pixels), 1, [strip(pixels)]))[2] == pixels


def test_the_label_is_a_landscape_of_1400_by_800_with_three_lines_of_upright_text() -> None:
    width, height, pixels = decoded(labels.gif_label(NUMBER, POSTAL_CODE))
    assert (width, height, len(pixels)) == (1400, 800, 1400 * 800)
    rows = [pixels[start : start + width] for start in range(0, len(pixels), width)]
    upright = ["".join("#" if row[depth] else "." for row in reversed(rows)) for depth in range(width)]
    inked = [depth for depth, line in enumerate(upright) if "#" in line]
    assert {(depth // 450) for depth in inked} == {0, 1, 2}
    assert upright[150].startswith("....################")  # the top of the S of SAMPLE


def test_a_label_shows_its_own_number_and_postal_code() -> None:
    images = {
        labels.gif_label(*shown) for shown in ((NUMBER, "01002"), (NUMBER, "01003"), (NUMBER[:-1] + "6", "01002"))
    }
    assert len(images) == 3
    assert labels.gif_label(NUMBER, POSTAL_CODE) == labels.gif_label(NUMBER, POSTAL_CODE)


@pytest.mark.parametrize("postal_code", ["", "K1A 0B1", "787011234", "78701-1234-too-long", "\N{SNOWMAN}"])
def test_any_postal_code_leaves_the_image_whole(postal_code: str) -> None:
    width, height, pixels = decoded(labels.gif_label(NUMBER, postal_code))
    assert len(pixels) == width * height
    assert BLACK in pixels


def test_zpl_epl_and_pdf_carry_the_number_and_the_postal_code() -> None:
    for label_format in ("zpl", "EPL", "PDF"):
        text = base64.b64decode(labels.drawn(label_format, NUMBER, POSTAL_CODE)).decode("ascii")
        assert NUMBER in text
        assert POSTAL_CODE in text


def test_printer_language_in_a_postal_code_is_left_out() -> None:
    text = base64.b64decode(labels.drawn("ZPL", NUMBER, '9^XZ~JA")')).decode("ascii")
    assert text.count("^XZ") == 1
    assert "~" not in text


def test_every_object_of_the_pdf_lies_where_its_table_says() -> None:
    document = base64.b64decode(labels.drawn("PDF", NUMBER, POSTAL_CODE))
    table = int(re.findall(rb"startxref\n(\d+)", document)[0])
    assert document[table:].startswith(b"xref")
    offsets = [int(offset) for offset in re.findall(rb"(\d{10}) 00000 n", document[table:])]
    assert [document[offset:].split(b" ", 1)[0] for offset in offsets] == [
        b"%d" % n for n in range(1, len(offsets) + 1)
    ]
    ((length, content),) = re.findall(rb"/Length (\d+) >>\nstream\n(.*)\nendstream", document)
    assert int(length) == len(content)


def test_pdf_comes_from_label_recovery_only_and_other_formats_from_nowhere() -> None:
    assert labels.drawable_on_create("gif")
    assert not labels.drawable_on_create("PDF")
    with pytest.raises(RefusedError):
        labels.drawn("TIFF", NUMBER, POSTAL_CODE)
