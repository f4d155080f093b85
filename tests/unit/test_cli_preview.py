"""What a preview prints, looked at in 80 columns and in 200."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from services.cli.files.errors import write_errors
from services.cli.files.preview import HEADERS, write_preview
from services.cli.preview_progress import PreviewBar, shown_preview
from services.cli.rendering.jobs import job_details
from services.cli.rendering.preview import (
    PreviewLine,
    PreviewTable,
    estimate_in_words,
    job_preview,
    nothing_to_ship,
    source_preview,
)
from services.cli.rendering.refusals import Refusals
from services.cli.rendering.repeats import Repeats
from services.cli.rendering.rows import row_details
from shared.contracts.api import PreviewProgress
from shared.contracts.documents import PreviewDocument, PreviewRow, RowCounts, RowDocument, ShippedBefore, SkippedBy
from shared.contracts.refusals import RefusedOrder
from shared.contracts.source import CsvSource
from shared.contracts.states import JobStatus, RowStatus
from shared.contracts.warning import RowWarning, WarningCode
from shared.errors import CARRIER_REJECTED, ErrorBody, TallyError
from tests.unit.cli_stand_ins import dollars, job, row

SUGGESTED = RowWarning(
    code=WarningCode.ADDRESS_SUGGESTED,
    message="The carrier knows this address otherwise.",
    suggestion="100 Congress Ave, Austin, TX 78701",
)
RESIDENTIAL = RowWarning(code=WarningCode.RESIDENTIAL, message="The carrier takes this address for a home.")


def printed(renderable: RenderableType, width: int = 80) -> str:
    console = Console(record=True, width=width, file=io.StringIO())
    console.print(renderable)
    text = console.export_text()
    assert all(len(line.rstrip()) <= width for line in text.splitlines())
    return "\n".join(line.rstrip() for line in text.splitlines())


def test_a_preview_shows_twenty_rows_and_says_how_many_more() -> None:
    rows = [row(number, RowStatus.PENDING, cost=None) for number in range(1, 21)]
    rows[4] = row(5, RowStatus.SKIPPED)
    document = job(status=JobStatus.AWAITING_APPROVAL, rows=RowCounts(total=30, skipped=1, rated=29))
    lines = printed(job_preview(document, rows, Repeats.of_job(document, ()))).splitlines()
    assert lines[0] == "/work/orders.csv"
    assert lines[1].split() == ["#", "Recipient", "City,", "State", "Service", "Est.", "Cost", "Warnings"]
    assert lines[2].split() == ["1", "Zoë", "Ng", "Agawam,", "MA", "2nd", "Day", "Air", "$12.40"]
    assert lines[6].endswith("skipped")
    assert lines[-2] == "… and 10 more"
    assert lines[-1] == "29 rows to ship, 372.00 USD; 1 row skipped"


def test_a_recipient_in_brackets_is_no_markup() -> None:
    rows = [row(1, recipient="[bold] Ng", destination="[/] MA")]
    assert "[bold] Ng" in printed(job_preview(job(), rows, Repeats.of_job(job(), ())))


def skipped_rows() -> list[RowDocument]:
    by_job = ShippedBefore(job_id="old", row_number=7, tracking_numbers=("1ZOLD",))
    by_source = ShippedBefore(job_id=None, tracking_numbers=("1ZHAND",))
    note = ErrorBody(code="E-4006", message="Already shipped by job old, row 7: 1ZOLD.")
    in_source = "The source already has tracking number 1ZHAND for it."
    return [
        row(1, RowStatus.SKIPPED, shipped_before=by_job, error=note),
        row(2, RowStatus.SKIPPED, shipped_before=by_job, error=note),
        row(3, RowStatus.SKIPPED, shipped_before=by_source, error=note.model_copy(update={"message": in_source})),
    ]


def test_a_preview_names_the_job_and_the_number_of_what_is_skipped_row_by_row_and_below() -> None:
    skipped = skipped_rows()
    document = job(status=JobStatus.AWAITING_APPROVAL, rows=RowCounts(total=30, skipped=3, rated=27))
    text = " ".join(printed(job_preview(document, skipped, Repeats.of_job(document, skipped))).split())
    assert text.endswith(
        "27 rows to ship, 372.00 USD; 3 rows skipped 2 rows are shipped by job old, 1 row has a tracking"
        " number in the source; --reship ships them again. Row 1 is skipped: Already shipped by job old, row 7: 1ZOLD."
        " Row 2 is skipped: Already shipped by job old, row 7: 1ZOLD."
        " Row 3 is skipped: The source already has tracking number 1ZHAND for it."
    )


def test_where_more_is_skipped_than_was_compared_it_says_of_which_rows_it_tells() -> None:
    document = job(rows=RowCounts(total=3000, skipped=2500))
    (line,) = Repeats.of_job(document, skipped_rows()).lines()
    assert line.startswith("Of the first ones, 2 rows are shipped by job old")


def test_a_preview_tells_what_ships_again() -> None:
    before = ShippedBefore(job_id="old", row_number=7, tracking_numbers=("1ZOLD",))
    document = job(status=JobStatus.AWAITING_APPROVAL, rows=RowCounts(total=2, shipped_again=2))
    text = printed(
        job_preview(document, [row(1, RowStatus.PENDING, shipped_before=before)], Repeats.of_job(document, ()))
    )
    assert "2 rows are shipped already and ship again, under a new number." in text
    assert "Row 1 ships again: job old, row 7, has 1ZOLD" in text


def test_a_preview_without_a_job_says_what_is_skipped_and_what_has_no_price() -> None:
    error = TallyError(CARRIER_REJECTED, carrier_code="111285", carrier_message="no such ZIP").body
    preview = PreviewDocument(
        source=CsvSource(path="orders.csv"),
        where=None,
        mapping="default",
        total=3,
        to_ship=2,
        skipped=1,
        estimate=dollars("12.40"),
        rated=1,
        unrated=1,
        rows=(
            PreviewRow(row_number=1, recipient="A", destination="B", service="ground", estimate=dollars("12.40")),
            PreviewRow(row_number=2, recipient="A", destination="B", service="ground", skipped="shipped before"),
            PreviewRow(row_number=3, recipient="A", destination="B", service="ground", error=error),
        ),
    )
    text = printed(source_preview(preview))
    assert "2 rows to ship, 12.40 USD, without the 1 row that has no price; 1 row skipped" in text
    assert "Row 2 is skipped: shipped before" in text
    assert "Row 3 has no price: E-3001" in text


def test_where_every_row_is_skipped_one_line_says_so() -> None:
    assert printed(nothing_to_ship(Repeats(1, ()))) == "Nothing to ship: 1 row is already shipped."
    told = printed(nothing_to_ship(Repeats(30, (SkippedBy(job_id="old", count=30),))))
    assert told.splitlines() == [
        "Nothing to ship: 30 rows are already shipped.",
        "30 rows are shipped by job old; --reship ships them again.",
    ]


def preview(*rows: PreviewRow, **changes: object) -> PreviewDocument:
    """A preview of a file, every row rated."""
    return PreviewDocument(
        source=CsvSource(path="orders.csv"),
        where=None,
        mapping="default",
        total=len(rows),
        to_ship=len(rows),
        skipped=0,
        estimate=dollars("12.40"),
        rated=len(rows),
        unrated=0,
        rows=rows,
    ).model_copy(update=changes)


def line(number: int = 1, **changes: object) -> PreviewRow:
    return PreviewRow(
        row_number=number,
        recipient="Zoë Ng",
        destination="Agawam, MA",
        service="2nd_day_air",
        estimate=dollars("12.40"),
    ).model_copy(update=changes)


def test_names_are_cut_to_the_terminals_width() -> None:
    long = line(
        recipient="Wolfeschlegelsteinhausenbergerdorff, Hubert Blaine senior",
        destination="Llanfairpwllgwyngyllgogerychwyrn, WA",
        warnings=(SUGGESTED, RESIDENTIAL),
    )
    narrow = printed(source_preview(preview(long, line(2))), 80).splitlines()
    assert narrow[2:4] == [
        "1  Wolfeschlegelste…  Llanfairpwllgwy…  2nd Day Air     $12.40  address suggest…",
        "2  Zoë Ng             Agawam, MA        2nd Day Air     $12.40",
    ]
    wide = printed(source_preview(preview(long, line(2))), 200).splitlines()[2]
    assert "Wolfeschlegelsteinhausenbergerdorff, Hubert Blaine senior" in wide
    assert "Llanfairpwllgwyngyllgogerychwyrn, WA" in wide
    assert wide.endswith("address suggested, residential")


@pytest.mark.parametrize("width", [80, 200])
def test_expanded_it_shows_a_rows_warnings_in_full_under_it(width: int) -> None:
    shown = preview(line(warnings=(SUGGESTED, RESIDENTIAL)), line(2), warned=1)
    lines = printed(source_preview(shown, expand=True), width).splitlines()
    assert lines[2].split()[0] == "1"
    under = " ".join(" ".join(lines[3:-2]).split())
    assert under == f"{SUGGESTED} {RESIDENTIAL}"
    assert all(told.startswith("    ") for told in lines[3:-2])
    assert lines[-2].split()[0] == "2"
    assert lines[-1] == "2 rows to ship, 12.40 USD; 1 row with warnings"


@pytest.mark.parametrize("expand", [False, True])
def test_warnings_of_rows_that_are_not_shown_are_told_of(expand: bool) -> None:
    rows = [line(number, warnings=(RESIDENTIAL,) if number in {2, 21} else ()) for number in range(1, 23)]
    shown = preview(*rows, total=22, to_ship=22, warned=2)
    told = printed(source_preview(shown, expand=expand))
    assert told.endswith("\n1 row with warnings further down: tally preview --expand --all shows it.")
    assert "further down" not in printed(source_preview(shown, shown=None, expand=expand))


def test_expanded_it_says_under_a_row_why_it_does_not_ship_and_not_below_once_more() -> None:
    shown = preview(line(1, estimate=None, skipped="Already shipped."), line(2), to_ship=1, skipped=1)
    assert printed(source_preview(shown, expand=True)).count("Row 1 is skipped: Already shipped.") == 1
    assert printed(source_preview(shown)).endswith("Row 1 is skipped: Already shipped.")


def test_of_many_rows_that_do_not_ship_the_first_are_told_of_and_how_to_see_the_others() -> None:
    repeated = [line(number, estimate=None, skipped="Already shipped.") for number in range(1, 13)]
    shown = preview(*repeated, line(13), total=13, to_ship=1, skipped=12)
    told = printed(source_preview(shown)).splitlines()
    assert told[-6:-1] == [f"Row {number} is skipped: Already shipped." for number in range(1, 6)]
    assert told[-1] == "… and 7 more such rows; --expand tells of each."
    assert printed(source_preview(shown, expand=True)).count("is skipped: Already shipped.") == 12
    further = preview(*repeated, line(13), total=40, to_ship=1, skipped=39)
    assert printed(source_preview(further)).endswith("\n… and more such rows; --expand --all tells of each.")
    nothing = preview(*repeated, total=12, to_ship=0, skipped=12)
    assert printed(source_preview(nothing)).splitlines()[-1] == told[-1]
    assert printed(source_preview(nothing, expand=True)).count("is skipped: Already shipped.") == 12


def test_what_was_not_rated_in_time_is_said_to_be_estimated() -> None:
    rows = [line(1), line(2, estimated=True)]
    shown = preview(*rows, total=500, to_ship=500, rated=180, estimated=320, estimate=dollars("312.40"))
    lines = printed(source_preview(shown)).splitlines()
    assert [found.split()[-1] for found in lines[2:4]] == ["$12.40", "~$12.40"]
    assert lines[-1] == "500 rows to ship, 312.40 USD, of which 180 rows rated, 320 estimated"
    document = job(
        status=JobStatus.AWAITING_APPROVAL,
        estimate=dollars("312.40"),
        rows=RowCounts(total=500, rated=180, estimated=310, warned=2),
    )
    pending = [row(1, RowStatus.PENDING, cost=None, estimated=True)]
    told = " ".join(printed(job_preview(document, pending, Repeats.of_job(document, ()))).split())
    assert "~$12.40" in told
    assert told.endswith(
        "500 rows to ship, 312.40 USD, of which 180 rows rated, 310 estimated, without the 10 rows that have no price;"
        " 2 rows with warnings"
        " 2 rows with warnings further down: tally preview --expand --all shows them."
    )
    details = " ".join(printed(job_details(document)).split())
    assert "(estimate 312.40 USD, of which 180 rows rated, 310 estimated)" in details


def test_an_amount_that_is_all_rated_needs_no_more_words() -> None:
    assert estimate_in_words(dollars("1312.4"), 500, 0) == "1,312.40 USD"


def test_every_row_is_shown_where_all_are_asked_for() -> None:
    rows = [line(number) for number in range(1, 51)]
    assert len(printed(source_preview(preview(*rows), shown=None)).splitlines()) == 53
    assert printed(source_preview(preview(*rows))).splitlines()[-2] == "… and 30 more"


def test_a_row_of_a_job_that_has_no_price_says_why() -> None:
    error = TallyError(CARRIER_REJECTED, carrier_code="111210", carrier_message="Not available").body
    document = job(status=JobStatus.AWAITING_APPROVAL, rows=RowCounts(total=2, rated=1))
    rows = [row(1, RowStatus.PENDING, cost=None, estimate=None, error=error), row(2, RowStatus.PENDING, cost=None)]
    lines = printed(job_preview(document, rows, Repeats.of_job(document, ())), 200).splitlines()
    assert lines[2].split()[-3:] == ["-", "no", "price"]
    assert lines[-1].startswith("Row 1 has no price: E-3001")


def test_a_table_without_rows_has_its_header() -> None:
    assert printed(PreviewTable("", [])).split()[:2] == ["#", "Recipient"]


def test_what_is_wide_in_a_terminal_is_cut_by_its_width() -> None:
    wide = PreviewLine(1, "株式会社" * 10, "東京都" * 10, "Ground", "$12.40", "")
    assert "株" in printed(PreviewTable("", [wide]))


def test_a_file_has_every_row_with_its_warnings_in_full(tmp_path: Path) -> None:
    error = TallyError(CARRIER_REJECTED, carrier_code="111210", carrier_message="Not available").body
    path = tmp_path / "preview.csv"
    write_preview(
        preview(
            line(1, recipient="=cmd()", warnings=(RESIDENTIAL,)),
            line(2, estimated=True),
            line(3, estimate=None, skipped="Already shipped."),
            line(4, estimate=None, error=error),
        ),
        path,
    )
    with path.open(encoding="utf-8", newline="") as file:
        first, *rows = csv.reader(file)
    assert tuple(first) == HEADERS
    assert [found[1] for found in rows][:2] == ["'=cmd()", "Zoë Ng"]
    assert [found[4:7] for found in rows] == [
        ["12.40", "USD", "rated"],
        ["12.40", "USD", "estimated"],
        ["", "", "skipped"],
        ["", "", "none"],
    ]
    assert [found[7:] for found in rows] == [
        [str(RESIDENTIAL), ""],
        ["", ""],
        ["", "Already shipped."],
        ["", str(error)],
    ]


def test_a_bar_tells_how_far_a_preview_is() -> None:
    told: list[dict[str, object]] = []
    bar = PreviewBar(lambda **changes: told.append(changes))
    bar.heard(PreviewProgress(read=0))
    bar.heard(PreviewProgress(read=1500))
    bar.heard(PreviewProgress(read=2000, to_rate=1800, rated=180))
    bar.changed(job(status=JobStatus.PENDING, rows=RowCounts(total=500, skipped=20, rated=200, estimated=10)), None)
    assert [change["description"] for change in told] == [
        "Reading the orders …",
        "Reading the orders … 1,500",
        "Pricing 180 of 1,800 rows",
        "Pricing 210 of 480 rows",
    ]
    assert told[-1]["completed"] == 210


def test_elsewhere_than_on_a_terminal_there_is_no_bar() -> None:
    for console, quiet in (
        (Console(file=io.StringIO()), False),
        (Console(file=io.StringIO(), force_terminal=True), True),
    ):
        with shown_preview(console, quiet=quiet) as bar:
            bar.heard(PreviewProgress(read=10))
        assert isinstance(console.file, io.StringIO)
        assert console.file.getvalue() == ""
    terminal = Console(file=io.StringIO(), force_terminal=True, width=80)
    with shown_preview(terminal, quiet=False) as bar:
        bar.heard(PreviewProgress(read=10, to_rate=10, rated=4))
    assert isinstance(terminal.file, io.StringIO)
    assert "Pricing 4 of 10 rows" in terminal.file.getvalue()


NO_ZIP = ErrorBody(code="E-2011", message="postal_code is missing.", action="Fill it in.", row=3, field="postal_code")
TOO_LIGHT = ErrorBody(code="E-2012", message="weight is '-6': it is negative.", row=3, field="weight")
REFUSED = NO_ZIP.model_copy(update={"details": (TOO_LIGHT,)})
REFUSAL = (
    "1 row cannot ship and is left out: E-2011 (row 3): postal_code is missing. Fill it in."
    " E-2012 (row 3): weight is '-6': it is negative."
)


def test_rows_that_cannot_ship_are_told_with_every_reason() -> None:
    refused = line(3, estimate=None, skipped=NO_ZIP.message, error=REFUSED)
    shown = preview(line(1), refused, to_ship=1, skipped=1, refused=1, problems=(NO_ZIP, TOO_LIGHT))
    lines = printed(source_preview(shown)).splitlines()
    assert lines[3].split()[-3:] == ["skipped", "cannot", "ship"]
    assert " ".join(" ".join(lines[4:]).split()) == f"1 row to ship, 12.40 USD {REFUSAL}"
    expanded = printed(source_preview(shown, expand=True))
    assert expanded.count("weight is '-6'") == 2
    document = job(status=JobStatus.AWAITING_APPROVAL, rows=RowCounts(total=2, rated=1, skipped=1, refused=1))
    rows = [row(1, RowStatus.PENDING, cost=None), row(3, RowStatus.SKIPPED, error=REFUSED)]
    repeats, refusals = Repeats.of_job(document, rows[1:]), Refusals.of_job(document, rows[1:])
    told = " ".join(printed(job_preview(document, rows, repeats, refusals)).split())
    assert told.endswith(f"cannot ship 1 row to ship, 372.00 USD {REFUSAL}")
    details = " ".join(printed(row_details(rows[1])).split())
    assert "postal_code is missing. Fill it in. Error E-2012 (row 3): weight is '-6': it is negative." in details
    assert "0 of 1 shipped, 1 left out, as they cannot ship" in " ".join(printed(job_details(document)).split())


def test_of_many_rows_that_cannot_ship_the_first_are_told() -> None:
    lines = Refusals(700, (NO_ZIP,) * 500).lines()
    assert (lines[0], len(lines)) == ("700 rows cannot ship and are left out:", 22)
    assert lines[-1] == "  … and more; --errors-out FILE writes them all."
    assert Refusals().lines() == []


def test_where_the_rest_cannot_ship_it_is_told_what_is_shipped_and_what_is_not() -> None:
    document = job(rows=RowCounts(total=3, skipped=3, refused=1))
    skipped = [*skipped_rows()[:2], row(3, RowStatus.SKIPPED, error=REFUSED)]
    repeats, refusals = Repeats.of_job(document, skipped), Refusals.of_job(document, skipped)
    text = " ".join(printed(job_preview(document, skipped, repeats, refusals)).split())
    assert text.startswith(f"Nothing to ship: 2 rows are already shipped. {REFUSAL} 2 rows are shipped by job old")


def test_a_file_of_errors_has_a_line_for_each_problem_and_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "errors.csv"
    order = RefusedOrder(source_row=3, order_number="=1+1", recipient="Zoë Ng", problems=(NO_ZIP, TOO_LIGHT))
    write_errors([order], path)
    assert path.stat().st_mode & 0o777 == 0o600
    with path.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["Row", "Order number", "Recipient", "Field", "Code", "Reason", "What to do"],
            ["3", "'=1+1", "Zoë Ng", "postal_code", "E-2011", "postal_code is missing.", "Fill it in."],
            ["3", "'=1+1", "Zoë Ng", "weight", "E-2012", "weight is '-6': it is negative.", ""],
        ]
    write_errors([], path)
    assert path.read_text(encoding="utf-8").count("\n") == 1
