"""Labels to print: which rows have one, and what a page looks like."""

from __future__ import annotations

import io
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops
from pypdf import PdfReader, PdfWriter
from typer.testing import CliRunner

from services.cli.commands.labelling import LabelOrder, RowPrints, StoredFile, told_of, write_labels
from services.cli.documents import LabelsDocument
from services.cli.files.label_choice import Output, Paper, check_kinds, choose_labels
from services.cli.files.label_pages import LabelPages
from services.cli.main import app
from services.sandbox.labels import gif_label, pdf_label, zpl_label
from services.sandbox.pdf import Line, page
from shared.contracts.documents import LabelDocument, RowDocument, ShippedBefore
from shared.contracts.states import RowStatus
from shared.errors import LABEL_UNREADABLE, LABELS_OF_ANOTHER_KIND, OUTPUT_NOT_WRITTEN, TallyError
from tests.unit.cli_stand_ins import row

TRACKING = "1ZTALLY10200000017"
LETTER = (612, 792)
LABEL = (288, 432)
BEFORE = ShippedBefore(job_id="w2x5c8n4b7m1zzzz", row_number=2, tracking_numbers=(TRACKING,))


def labelled(number: int, kind: str = "gif", **changes: Any) -> RowDocument:
    return row(number, label=LabelDocument(key=f"job/{number:07}-1Z.{kind}"), **changes)


def made(paper: Paper, *labels: bytes, invoices: tuple[int, ...] = ()) -> PdfReader:
    """A PDF of labels; behind those whose places, from 1, are named comes an invoice."""
    pages = LabelPages(paper, "Labels")
    for place, label in enumerate(labels, start=1):
        pages.add_label(label)
        if place in invoices:
            pages.add_invoice(page(*LETTER, [Line(72, 700, 12, f"Invoice {place}")]))
    file = io.BytesIO()
    pages.write(file)
    return PdfReader(file)


def sizes(pdf: PdfReader) -> list[tuple[int, int]]:
    return [(round(page.mediabox.width), round(page.mediabox.height)) for page in pdf.pages]


def pictures(pdf: PdfReader) -> list[Image.Image]:
    return [image.image for page in pdf.pages for image in page.images if image.image is not None]


def matrices(pdf: PdfReader) -> list[list[float]]:
    """How each page's pictures are placed, the inner matrix of a unit square left out."""
    found = []
    for each in pdf.pages:
        each.extract_text(
            visitor_operand_before=lambda operator, operands, _current, _text: (
                found.append([float(value) for value in operands]) if operator == b"cm" else None
            )
        )
    return found


def test_rows_are_sorted_by_whether_they_have_a_label() -> None:
    due = row(2, label=LabelDocument(key=None, due=True))
    choice = choose_labels(
        [
            labelled(1),
            due,
            labelled(3, status=RowStatus.VOIDED),
            labelled(4, status=RowStatus.VOIDING),
            row(5, status=RowStatus.FAILED),
            labelled(6),
            row(7, status=RowStatus.SKIPPED, shipped_before=BEFORE),
            row(8, status=RowStatus.FAILED, shipped_before=BEFORE),
        ]
    )
    assert [each.row_number for each in choice.rows] == [1, 6]
    assert (choice.due, choice.voided, choice.not_shipped) == ((2,), (3, 4), (5, 7, 8))
    assert (choice.shipped_by, choice.never_shipped) == ({"w2x5c8n4b7m1zzzz": (7,)}, (5, 8))


def test_rows_without_a_label_in_the_file_are_told_with_why() -> None:
    order = LabelOrder("last", Path("labels.zpl"), Output.ZPL)
    document = LabelsDocument(
        job_id="k3v9",
        file="labels.zpl",
        format="zpl",
        labels=2,
        invoices=0,
        pages=None,
        rows=(1, 6),
        due=(2,),
        voided=(3, 4),
        not_shipped=(5, 7, 8),
        shipped_by={"w2x5c8n4b7m1zzzz": (7, 8)},
        invoices_left_out=1,
    )
    assert [str(line) for line in told_of(order, document)] == [
        "2 labels of job k3v9 written to labels.zpl.",
        "Row 2: the label is still to be fetched from the carrier; the house does that by itself. Try again later.",
        "Rows 3–4: voided, left out.",
        "Rows 7–8: shipped by job w2x5c8n4b7m1zzzz, which has the labels.",
        "Row 5: not shipped.",
        "1 commercial invoice is not in it: write a folder to get them.",
    ]


async def prints(*labels: StoredFile) -> AsyncIterator[RowPrints]:
    for label in labels:
        yield RowPrints((label,), StoredFile("k3v9/0000002-1Z-invoice.pdf", b"%PDF"))


async def test_labels_for_a_printer_are_one_stream_and_files_have_the_stores_names(tmp_path: Path) -> None:
    labels = [StoredFile(f"k3v9/000000{place}-1Z.zpl", zpl_label(TRACKING, str(place))) for place in (1, 2)]
    await write_labels(LabelOrder("last", tmp_path / "l.zpl", Output.ZPL), "k3v9", prints(*labels))
    assert (tmp_path / "l.zpl").read_bytes() == labels[0].content + labels[1].content
    await write_labels(LabelOrder("last", tmp_path / "new" / "files", Output.FILES), "k3v9", prints(*labels))
    written = sorted((tmp_path / "new" / "files").iterdir())
    assert [file.name for file in written] == ["0000001-1Z.zpl", "0000002-1Z-invoice.pdf", "0000002-1Z.zpl"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in written} == {0o600}


async def test_a_file_that_cannot_be_written_or_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    label = StoredFile("k3v9/0000001-1Z.gif", b"GIF89a, cut short")
    for path in (tmp_path / "nowhere" / "labels.pdf", tmp_path / "file" / "labels"):
        with pytest.raises(TallyError) as caught:
            await write_labels(LabelOrder("last", path, Output.of(path)), "k3v9", prints())
        assert caught.value.kind is OUTPUT_NOT_WRITTEN
    path = tmp_path / "labels.pdf"
    with pytest.raises(TallyError) as caught:
        await write_labels(LabelOrder("last", path, Output.PDF), "k3v9", prints(label))
    assert (caught.value.kind, label.key in str(caught.value), path.exists()) == (LABEL_UNREADABLE, True, False)


@pytest.mark.parametrize(
    "words", [("-o", "labels.docx"), ("-o", "l.zpl", "--format", "letter"), ("-o", "l.pdf", "--row", "two"), ()]
)
def test_what_makes_no_sense_is_refused_as_it_is_typed(words: tuple[str, ...]) -> None:
    assert CliRunner().invoke(app, ["labels", "last", *words]).exit_code == 2


@pytest.mark.parametrize(
    ("name", "output"),
    [("labels.pdf", Output.PDF), ("L.ZPL", Output.ZPL), ("l.epl", Output.EPL), ("labels", Output.FILES)],
)
def test_a_paths_name_says_what_is_written(tmp_path: Path, name: str, output: Output) -> None:
    assert Output.of(tmp_path / name) is output


def test_an_existing_folder_takes_files_whatever_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "labels.pdf"
    folder.mkdir()
    assert Output.of(folder) is Output.FILES
    with pytest.raises(ValueError, match=r"\.pdf, \.zpl or \.epl"):
        Output.of(tmp_path / "labels.docx")


@pytest.mark.parametrize(("kind", "output"), [("gif", Output.ZPL), ("zpl", Output.PDF), ("zpl", Output.EPL)])
def test_a_label_that_cannot_be_in_the_file_is_named(kind: str, output: Output) -> None:
    rows = [labelled(1, output.value if output is not Output.PDF else "gif"), labelled(2, kind)]
    with pytest.raises(TallyError) as caught:
        check_kinds(rows, output)
    assert (caught.value.kind, caught.value.body.row) == (LABELS_OF_ANOTHER_KIND, 2)
    check_kinds(rows, Output.FILES)


def test_a_page_is_a_label_in_its_own_size_and_order() -> None:
    labels = [gif_label(TRACKING, zip_code) for zip_code in ("01002", "78701", "94110")]
    pdf = made(Paper.LABEL, *labels)
    assert sizes(pdf) == [LABEL] * 3
    for label, shown in zip(labels, pictures(pdf), strict=True):
        whole = Image.open(io.BytesIO(label)).convert("L")
        # UPS's picture is an inch longer than the label; every dot of the label itself is there.
        assert shown.size == (1200, 800)
        assert ImageChops.difference(whole.crop((0, 0, 1200, 800)), shown.convert("L")).getbbox() is None
        assert whole.crop((1200, 0, 1400, 800)).getextrema() == (255, 255)


def test_a_picture_that_lies_is_turned_clockwise_and_fills_the_page() -> None:
    a, b, c, d, e, f = (float(value) for value in matrices(made(Paper.LABEL, gif_label(TRACKING, "78701")))[0])
    corners = [(a * x + c * y + e, b * x + d * y + f) for x, y in ((0, 0), (0, 800), (1200, 800))]
    # The lower left corner goes to the upper left, the upper left one to the upper right.
    assert [(round(x), round(y)) for x, y in corners] == [(0, 432), (288, 432), (288, 0)]


def test_a_letter_sheet_has_two_labels_in_full_size() -> None:
    labels = [gif_label(TRACKING, zip_code) for zip_code in ("01002", "78701", "94110")]
    pdf = made(Paper.LETTER, *labels)
    assert sizes(pdf) == [LETTER] * 2
    assert [len(page.images) for page in pdf.pages] == [2, 1]
    placed = [matrix for matrix in matrices(pdf) if matrix[0] != 1200]
    assert [[round(value, 3) for value in matrix] for matrix in placed] == [
        [0.36, 0, 0, 0.36, 90, 450],
        [0.36, 0, 0, 0.36, 90, 54],
        [0.36, 0, 0, 0.36, 90, 450],
    ]


def test_an_invoice_is_behind_its_label_or_its_labels_sheet() -> None:
    labels = [gif_label(TRACKING, "78701")] * 3
    assert sizes(made(Paper.LABEL, *labels, invoices=(1, 3))) == [LABEL, LETTER, LABEL, LABEL, LETTER]
    sheets = made(Paper.LETTER, *labels, invoices=(1, 3))
    assert sizes(sheets) == [LETTER] * 4
    assert [bool(page.images) for page in sheets.pages] == [True, False, True, False]


def test_a_pdf_label_keeps_its_words_upright_or_turned() -> None:
    turned = PdfWriter(clone_from=io.BytesIO(pdf_label(TRACKING, "78701")))
    turned.pages[0].rotate(90)
    lying = io.BytesIO()
    turned.write(lying)
    for label in (pdf_label(TRACKING, "78701"), lying.getvalue()):
        for paper, size in ((Paper.LABEL, LABEL), (Paper.LETTER, LETTER)):
            pdf = made(paper, label)
            assert sizes(pdf) == [size]
            assert TRACKING in pdf.pages[0].extract_text()


def test_a_picture_with_something_below_the_label_is_made_smaller_instead_of_cut() -> None:
    picture = Image.new("L", (1400, 800), 255)
    picture.paste(0, (1390, 10, 1399, 20))
    file = io.BytesIO()
    picture.save(file, "PNG")
    pdf = made(Paper.LABEL, file.getvalue())
    assert pictures(pdf)[0].size == (1400, 800)
    a, b, c, d, e, f = matrices(pdf)[0]
    assert (a, d) == pytest.approx((0, 0), abs=1e-9)
    assert -b == c == pytest.approx(432 / 1400, abs=1e-5)
    assert (e, f) == pytest.approx(((288 - 800 * c) / 2, 432), abs=1e-3)


def test_shades_of_grey_and_transparency_are_kept_as_they_look() -> None:
    picture = Image.new("RGBA", (800, 1200), (0, 0, 0, 0))
    picture.paste((90, 90, 90, 255), (100, 100, 200, 200))
    file = io.BytesIO()
    picture.save(file, "PNG")
    shown = pictures(made(Paper.LABEL, file.getvalue()))[0].convert("L")
    assert (shown.getpixel((0, 0)), shown.getpixel((150, 150))) == (255, 90)


@pytest.mark.parametrize("content", [b"^XA^XZ", b"%PDF-1.4\nnothing", b"GIF89a"])
def test_what_is_no_picture_and_no_pdf_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="neither a picture nor a PDF"):
        LabelPages(Paper.LABEL, "Labels").add_label(content)
