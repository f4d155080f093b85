"""Labels as a PDF to print: one on each page of 4 x 6 inches, or two on a letter sheet, upright and in full size.

A carrier's picture may lie on its side, or have a blank strip below the label; both are mended, the label is not.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import IO

from PIL import Image
from pypdf import PageObject, PdfReader, PdfWriter, Transformation
from pypdf.errors import PyPdfError
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject, NumberObject

from services.cli.files.label_choice import Paper

INCH = 72.0
_SHORT, _LONG = 4 * INCH, 6 * INCH
_PROPORTION = 1.5
_LETTER_WIDTH, _LETTER_HEIGHT = 8.5 * INCH, 11 * INCH
_WHITE = 255
_IMAGE_NAME = NameObject("/Label")


@dataclass(frozen=True)
class _Box:
    """A place on a page, in points from its lower left corner."""

    left: float
    bottom: float
    width: float
    height: float


_WHOLE_PAGE = _Box(0, 0, _SHORT, _LONG)
# A half of a letter sheet is higher than a label is wide, so that labels lie on it, their tops to the left.
_HALF = _LETTER_HEIGHT / 2
_HALVES = tuple(
    _Box((_LETTER_WIDTH - _LONG) / 2, bottom + (_HALF - _SHORT) / 2, _LONG, _SHORT) for bottom in (_HALF, 0.0)
)


class LabelPages:
    """A PDF that labels and invoices are put into, in the order in which they are to be printed.

    Content that is neither a picture nor a PDF raises ValueError.
    """

    def __init__(self, paper: Paper, title: str) -> None:
        self._paper = paper
        self._writer = PdfWriter()
        self._writer.add_metadata({"/Title": title})
        self._sheet: PageObject | None = None
        self._after_sheet: list[PdfReader] = []

    @property
    def count(self) -> int:
        """How many pages there are."""
        return len(self._writer.pages)

    def add_label(self, content: bytes) -> None:
        """Put a label (a picture or a PDF) onto the next free place."""
        for source in _pages_of(content):
            if self._paper is Paper.LABEL:
                _place(source, self._writer.add_blank_page(_SHORT, _LONG), _WHOLE_PAGE)
            elif self._sheet is None:
                self._sheet = self._writer.add_blank_page(_LETTER_WIDTH, _LETTER_HEIGHT)
                _place(source, self._sheet, _HALVES[0])
            else:
                _place(source, self._sheet, _HALVES[1])
                self._end_sheet()

    def add_invoice(self, content: bytes) -> None:
        """Put an invoice (PDF) behind the last label, pages as they are; on letter paper behind that label's sheet."""
        pages = _pdf(content)
        if self._sheet is not None:
            self._after_sheet.append(pages)
        else:
            self._append(pages)

    def write(self, file: IO[bytes]) -> None:
        """Write the PDF."""
        self._end_sheet()
        self._writer.write(file)

    def _end_sheet(self) -> None:
        self._sheet = None
        for pages in self._after_sheet:
            self._append(pages)
        self._after_sheet = []

    def _append(self, pages: PdfReader) -> None:
        for page in pages.pages:
            self._writer.add_page(page)


def _pages_of(content: bytes) -> list[PageObject]:
    """A label's content as pages: a PDF's, or one that a picture fills. Raises ValueError."""
    try:
        if not content.startswith(b"%PDF"):
            return [_page_of_picture(content)]
        pages = list(PdfWriter(clone_from=io.BytesIO(content)).pages)
        for page in pages:
            page.transfer_rotation_to_content()
    except (OSError, PyPdfError, Image.DecompressionBombError) as error:
        raise ValueError("it is neither a picture nor a PDF") from error
    return pages


def _pdf(content: bytes) -> PdfReader:
    """A PDF that can be read. Raises ValueError."""
    try:
        pages = PdfReader(io.BytesIO(content))
        len(pages.pages)
    except (OSError, PyPdfError) as error:
        raise ValueError("it is no PDF") from error
    return pages


def _place(source: PageObject, page: PageObject, box: _Box) -> None:
    """Draw `source` on `page`, as large as `box` allows and in its middle; turned where one lies and the other stands.

    A label that lies has its top to the left.
    """
    area = source.cropbox
    width, height = float(area.width), float(area.height)
    turned = (width > height) != (box.width > box.height)
    move = Transformation().translate(-float(area.left), -float(area.bottom))
    if turned and width > height:
        move = move.rotate(-90).translate(0, width)
    elif turned:
        move = move.rotate(90).translate(height, 0)
    if turned:
        width, height = height, width
    scale = min(box.width / width, box.height / height)
    left = box.left + (box.width - width * scale) / 2
    bottom = box.bottom + (box.height - height * scale) / 2
    page.merge_transformed_page(source, move.scale(scale, scale).translate(left, bottom))


def _page_of_picture(content: bytes) -> PageObject:
    with Image.open(io.BytesIO(content)) as opened:
        picture = _trimmed(_in_grey(opened))
    has_two_tones = len(picture.getcolors() or ()) in {1, 2} and set(picture.getextrema()) <= {0, _WHITE}
    if has_two_tones:
        picture = picture.convert("1", dither=Image.Dither.NONE)
    width, height = picture.size
    stream = DecodedStreamObject()
    stream.set_data(picture.tobytes())
    image = stream.flate_encode()
    image.update(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Image"),
            NameObject("/Width"): NumberObject(width),
            NameObject("/Height"): NumberObject(height),
            NameObject("/ColorSpace"): NameObject("/DeviceGray"),
            NameObject("/BitsPerComponent"): NumberObject(1 if has_two_tones else 8),
        }
    )
    drawing = DecodedStreamObject()
    drawing.set_data(b"q %d 0 0 %d 0 0 cm %s Do Q" % (width, height, _IMAGE_NAME.encode()))
    writer = PdfWriter()
    page = writer.add_blank_page(width, height)
    # pypdf has no public way to add an object to a document, and a stream has to be one.
    image_place, drawing_place = (writer._add_object(stream) for stream in (image, drawing))  # noqa: SLF001 - as above
    resources = DictionaryObject({NameObject("/XObject"): DictionaryObject({_IMAGE_NAME: image_place})})
    page.update({NameObject("/Resources"): resources, NameObject("/Contents"): drawing_place})
    return page


def _in_grey(picture: Image.Image) -> Image.Image:
    """The picture in shades of grey, on white where it is transparent."""
    if picture.has_transparency_data:
        colours = picture.convert("RGBA")
        white = Image.new("RGBA", colours.size, "white")
        picture = Image.alpha_composite(white, colours)
    return picture.convert("L")


def _trimmed(picture: Image.Image) -> Image.Image:
    """The picture without what is below the label, if that is blank: UPS's are 7 inches long, labels 6."""
    width, height = picture.size
    lies = width > height
    long, short = max(width, height), min(width, height)
    end = round(short * _PROPORTION)
    if long <= end:
        return picture
    rest = (end, 0, width, height) if lies else (0, end, width, height)
    if picture.crop(rest).getextrema() != (_WHITE, _WHITE):
        return picture
    return picture.crop((0, 0, end, height) if lies else (0, 0, width, end))
