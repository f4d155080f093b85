"""A job's report: its sections, and what they look like in a terminal, a workbook, a table and a page."""

from __future__ import annotations

import csv
import io
import stat
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook
from rich.console import Console
from typer.testing import CliRunner

from services.cli.commands.reporting import write_report
from services.cli.main import app
from services.cli.reports.sections import Section, sections_of
from services.cli.reports.terminal import report_lines
from shared.contracts.documents import JobDocument, RowCounts, WriteBackCounts
from shared.contracts.report import ChargedRow, ReportDocument, SlowRow, UnsettledRow, UnwrittenRow, ZoneCost
from shared.contracts.states import JobStatus, RowStatus
from shared.errors import ErrorBody
from tests.unit.cli_stand_ins import dollars, job

EVIL = '=HYPERLINK("http://evil.example")<script>alert(1)</script>'


def cost(service: str, zone: str, rows: int, estimate: str, charged: str, **changes: object) -> ZoneCost:
    return ZoneCost(
        service=service,
        zone=zone,
        rows=rows,
        second_labels=0,
        without_cost=0,
        cost=dollars(charged),
        compared=rows,
        estimate=dollars(estimate),
        charge=dollars(charged),
    ).model_copy(update=changes)


def finished(**changes: object) -> JobDocument:
    return job(
        status=JobStatus.FAILED,
        rows=RowCounts(total=30, shipped=24, voided=1, failed=1, in_doubt=1),
        write_back=WriteBackCounts(due=1, written=22, failed=1),
    ).model_copy(update=changes)


REPORT = ReportDocument(
    job=finished(cost=dollars("360.50"), error=ErrorBody(code="E-3001", message=EVIL, action="", row=7)),
    costs=(
        cost("ground", "2", 10, "100.00", "100.00"),
        cost("ground", "", 4, "40.00", "50.50", compared=3, second_labels=1, charge=dollars("39.00")),
        cost("next_day_air", "10", 10, "200.00", "210.00", without_cost=1, compared=9),
    ),
    charged_more=1,
    charged_less=2,
    charges=(ChargedRow(row_number=17, estimate=dollars("20.00"), charge=dollars("30.00"), estimated=True),),
    timed=24,
    median_ms=210,
    longest_ms=1220,
    slowest=(SlowRow(row_number=3, attempt=1, carrier_ms=1220), SlowRow(row_number=9, attempt=2, carrier_ms=400)),
    unsettled=(
        UnsettledRow(
            row_number=7,
            source_row=8,
            status=RowStatus.FAILED,
            error=ErrorBody(code="E-3001", message=EVIL, action=""),
        ),
    ),
    unwritten=(UnwrittenRow(row_number=5, source_row=6, error=ErrorBody(code="E-4010", message="Gone.", action="")),),
)


def section(title: str, report: ReportDocument = REPORT) -> Section:
    return next(found for found in sections_of(report) if found.title.startswith(title))


def counts(title: str) -> dict[object, object]:
    return {row[0]: row[1] for row in section(title).rows}


def test_costs_add_up_by_service_by_zone_and_by_both() -> None:
    by_service = section("Cost by service (")
    assert by_service.headers == ("Service", "Rows", "Estimate", "Charge", "Difference")
    assert by_service.rows == (
        ("Ground", 14, Decimal("140.00"), Decimal("150.50"), Decimal("-1.00")),
        ("Next Day Air", 10, Decimal("200.00"), Decimal("210.00"), Decimal("10.00")),
    )
    total = (24, Decimal("340.00"), Decimal("360.50"), Decimal("9.00"))
    assert by_service.total == ("Total", *total)
    # A zone that the carrier did not name is none of its zones.
    assert [row[0] for row in section("Cost by zone").rows] == ["2", "10", "not told"]
    both = section("Cost by service and zone")
    places = [("Ground", "2", 10), ("Ground", "not told", 4), ("Next Day Air", "10", 10)]
    assert [row[:3] for row in both.rows] == places
    assert both.total == ("Total", "", *total)
    assert by_service.remark == (
        "1 row without an estimate, which the difference leaves out; "
        "1 second label in the charge, not in the estimate; "
        "1 row whose charge is not known yet"
    )


def test_the_estimate_is_compared_with_the_charge_of_the_same_rows() -> None:
    compared = section("Estimate against charge")
    assert compared.remark == ("22 rows: 340.00 USD estimated, 349.00 USD charged (+2.6 %); 1 charged more, 2 less")
    assert compared.rows == ((17, Decimal("20.00"), Decimal("30.00"), Decimal("10.00"), "estimated by rows like it"),)


def test_what_is_open_is_listed_and_what_is_cut_is_said() -> None:
    assert counts("Rows") == {"shipped": 24, "voided": 1, "failed": 1, "in doubt": 1, "not sent": 3}
    unsettled = section("Failed and in doubt")
    assert (unsettled.rows, unsettled.remark) == (((7, 8, "failed", f"E-3001 {EVIL}"),), "and 1 more")
    assert counts("Write-back") == {"due": 1, "written": 22, "failed": 1}
    assert section("Not written back").rows == ((5, 6, "E-4010 Gone."),)
    assert section("Slowest rows").remark == "24 purchases: median 210 ms, longest 1,220 ms"


def test_a_report_of_nothing_has_no_empty_sections() -> None:
    nothing = ReportDocument(job=finished(rows=RowCounts(total=2), write_back=WriteBackCounts(), cost=dollars("0.00")))
    assert [found.title for found in sections_of(nothing)] == ["Rows"]


@pytest.mark.parametrize("width", [80, 200])
def test_a_terminal_shows_it_at_any_width(width: int) -> None:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    for line in report_lines(REPORT):
        console.print(line)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert all(len(line) <= width for line in lines)
    text = " ".join(" ".join(lines).split())
    assert "Ground 14 140.00 150.50 -1.00" in text
    assert "Total 24 340.00 360.50 9.00" in text


def test_a_workbook_has_every_section_and_charts_of_excels_own(tmp_path: Path) -> None:
    path = tmp_path / "report.xlsx"
    write_report(REPORT, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    workbook = load_workbook(path)
    assert workbook.sheetnames == [
        "Report",
        "Rows",
        "Cost by service",
        "Cost by zone",
        "Cost by service and zone",
        "Estimate against charge",
        "Slowest rows",
        "Failed and in doubt",
        "Write-back",
        "Not written back",
    ]
    assert [cell.value for cell in workbook["Cost by service"][4]] == ["Total", 24, 340, 360.5, 9]
    reason = workbook["Failed and in doubt"]["D2"]
    assert (reason.data_type, reason.value) == ("s", f"E-3001 {EVIL}")
    with ZipFile(path) as archive:
        charts = [name for name in archive.namelist() if name.startswith("xl/charts/chart")]
        first = archive.read("xl/charts/chart1.xml").decode()
    assert len(charts) == 3
    assert "'Cost by service'!$C$2:$C$3" in first
    assert "'Cost by service'!$D$2:$D$3" in first


def test_a_csv_file_is_one_table_of_every_section(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    write_report(REPORT, path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    ground = [row for row in rows if row["Section"] == "Cost by service (USD)" and row["Service"] == "Ground"]
    assert [(row["Rows"], row["Estimate"], row["Charge"]) for row in ground] == [("14", "140.00", "150.50")]
    failed = next(row for row in rows if row["Section"] == "Failed and in doubt")
    assert (failed["Row"], failed["State"]) == ("7", "failed")


class Page(HTMLParser):
    """The tags of a page that are open, and those there were."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links += [name for name, _ in attrs if name in {"src", "href", "srcset"} or name.startswith("on")]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_page_is_whole_and_needs_neither_script_nor_network(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(REPORT, path)
    text = path.read_text()
    found = Page()
    found.feed(text)
    assert (found.open, found.links, found.seen.count("svg")) == ([], [], 3)
    assert not {"script", "img", "link", "iframe"} & set(found.seen)
    assert "http" not in text.replace("http://evil.example", "").replace("http-equiv", "")
    drawings = text.split("<svg")[1:]
    for drawing in drawings:
        svg = ET.fromstring("<svg" + drawing.split("</svg>")[0] + "</svg>")
        width = float(svg.attrib["width"])
        bars = [bar for bar in svg.iter("rect") if float(bar.attrib["height"]) > 10]
        assert bars
        assert all(0 <= float(bar.attrib["width"]) <= width - float(bar.attrib["x"]) for bar in bars)


def test_a_file_of_another_kind_is_refused_as_it_is_typed() -> None:
    assert CliRunner().invoke(app, ["report", "last", "--out", "report.docx"]).exit_code == 2
