"""Label images: GIF, ZPL and EPL on create, PDF besides from Label Recovery.

Nothing is stored: a label is drawn from the shipment whenever it is asked for, the same each time.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache

from services.sandbox.gif import WHITE, gif, strip
from services.sandbox.glyphs import COLUMNS, columns
from services.sandbox.pdf import Line, page
from services.sandbox.replies import RefusedError

WIDTH, HEIGHT = 1400, 800
_SCALE, _TALL = 4, 8
_CHARACTER = (COLUMNS + 1) * _SCALE
# Distance of each line of text from the upright label's top edge, in pixels.
_MARK_AT, _POSTAL_CODE_AT, _TRACKING_NUMBER_AT = 150, 600, 1050
_MARK = "SAMPLE"
_POSTAL_CODE_ROOM = 9


def drawn(label_format: str, tracking_number: str, postal_code: str) -> str:
    """The label's image in base64; raises RefusedError for a format UPS does not draw."""
    draw = _FORMATS.get(label_format.upper())
    if draw is None:
        raise RefusedError("10002", f"The label image format {label_format} is not supported")
    return base64.b64encode(draw(tracking_number, postal_code)).decode()


def drawable_on_create(label_format: str) -> bool:
    """Whether Shipping itself returns the format; PDF comes from Label Recovery only."""
    return label_format.upper() in _FORMATS.keys() - {"PDF"}


def gif_label(tracking_number: str, postal_code: str) -> bytes:
    """A GIF of 1400 x 800 pixels, lying on its side as UPS's do: turn it clockwise for 4 x 6 inches.

    The upright label's lines start one after the other from left to right, so that each strip holds one character
    and can be kept compressed.
    """
    text = [(character, _MARK_AT) for character in _MARK]
    text += [(character, _POSTAL_CODE_AT) for character in postal_code[:_POSTAL_CODE_ROOM].ljust(_POSTAL_CODE_ROOM)]
    text += [(character, _TRACKING_NUMBER_AT) for character in tracking_number]
    text = text[: HEIGHT // _CHARACTER]
    rest = HEIGHT - len(text) * _CHARACTER
    # Upright left is the bottom of the picture.
    strips = [_character_strip(character, place) for character, place in reversed(text)]
    return gif(WIDTH, HEIGHT, [_blank_strip(rest), *strips])


def zpl_label(tracking_number: str, postal_code: str) -> bytes:
    """A ZPL II label of 4 x 6 inches at 203 dots per inch."""
    return (
        "^XA^PW812^LL1218"
        f"^FO40,80^A0N,60,60^FD{_MARK}^FS"
        f"^FO40,240^A0N,90,90^FD{_plain(postal_code)}^FS"
        f"^FO40,480^BY3^BCN,200,N,N,N,A^FD{tracking_number}^FS"
        f"^FO40,720^A0N,60,60^FD{tracking_number}^FS"
        "^XZ\n"
    ).encode("ascii")


def epl_label(tracking_number: str, postal_code: str) -> bytes:
    """An EPL2 label of 4 x 6 inches at 203 dots per inch."""
    lines = (_MARK, _plain(postal_code), tracking_number)
    text = "".join(f'A40,{80 + 200 * place},0,5,1,1,N,"{line}"\n' for place, line in enumerate(lines))
    return f'\nN\nq812\nQ1218,24\n{text}B40,760,0,1,3,6,200,N,"{tracking_number}"\nP1\n'.encode("ascii")


def pdf_label(tracking_number: str, postal_code: str) -> bytes:
    """A PDF page of 4 x 6 inches."""
    lines = (_MARK, _plain(postal_code), tracking_number)
    return page(288, 432, [Line(24, 380 - 80 * place, 22, line) for place, line in enumerate(lines)])


_FORMATS: dict[str, Callable[[str, str], bytes]] = {
    "GIF": gif_label,
    "ZPL": zpl_label,
    "EPL": epl_label,
    "PDF": pdf_label,
}


def _plain(postal_code: str) -> str:
    """Letters, digits, blanks and hyphens only: printer languages and PDF give other characters a meaning."""
    return "".join(
        character for character in postal_code if character.isascii() and (character.isalnum() or character in " -")
    )


@cache
def _character_strip(character: str, place: int) -> bytes:
    """The rows of the lying label that show one character, its top `place` pixels from the left edge."""
    blank = (WHITE,)
    return strip(b"".join(_row(column, place) * _SCALE for column in [blank, *reversed(columns(character))]))


def _row(column: tuple[int, ...], place: int) -> bytes:
    """One row of the lying label: a character's column, read from its top."""
    pixels = b"".join(bytes([pixel]) * _TALL for pixel in column)
    return pixels.rjust(place + len(pixels), bytes([WHITE])).ljust(WIDTH, bytes([WHITE]))


@cache
def _blank_strip(rows: int) -> bytes:
    return strip(bytes([WHITE]) * (WIDTH * rows))
