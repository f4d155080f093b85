"""Previews as a person reads them: what would ship where, by what, for how much; pure: nothing here prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, JustifyMethod, RenderableType, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from services.cli.rendering.refusals import NO_REFUSALS, Refusals, problems_of, refusal_of
from services.cli.rendering.repeats import Repeats, repeat_notes
from services.cli.rendering.settled import settled_lines
from services.cli.rendering.wording import amount_in_words, money, plural, service_name
from shared.contracts.documents import JobDocument, PreviewDocument, PreviewRow, RowDocument, ShippedBefore
from shared.contracts.source import source_label
from shared.contracts.states import RowStatus
from shared.contracts.warning import RowWarning
from shared.errors import ErrorBody
from shared.shipping import Money

SHOWN_ROWS = 20
NOTES = 5
_SKIPPED = "skipped"
_CANNOT_SHIP = "cannot ship"
_INDENT = 4
_HEADERS = ("#", "Recipient", "City, State", "Service", "Est. Cost", "Warnings")
_NUMBERS = ("#", "Est. Cost")
_CUT = (1, 2, 5)
_NARROWEST = 8
_GAP = 2


@dataclass(frozen=True)
class PreviewLine:
    """A row of a preview: its cells, the `notes` that say why it does not ship as it is, and its warnings in full.

    `refusals` say why it cannot ship.
    """

    number: int
    recipient: str
    destination: str
    service: str
    price: str
    in_brief: str
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()

    @classmethod
    def of_row(cls, row: RowDocument) -> PreviewLine:
        """A job's row; once it has a cost, that is its price."""
        is_skipped = row.status is RowStatus.SKIPPED
        refusal = refusal_of(row)
        price = price_in_words(row.estimate, estimated=row.estimated) if row.cost is None else money(row.cost)
        skipped = row.error.message if is_skipped and row.error is not None and not refusal else None
        error = row.error if row.status is RowStatus.PENDING else None
        return cls(
            number=row.row_number,
            recipient=row.recipient,
            destination=row.destination,
            service=service_name(row.service),
            price=_SKIPPED if is_skipped else price,
            in_brief=_CANNOT_SHIP if refusal else _in_brief(row.warnings, error),
            notes=_notes(row.row_number, skipped, row.shipped_before, error),
            warnings=tuple(map(str, row.warnings)),
            refusals=tuple(map(str, refusal)),
        )

    @classmethod
    def of_preview(cls, row: PreviewRow) -> PreviewLine:
        """A row of a preview without a job."""
        price = price_in_words(row.estimate, estimated=row.estimated)
        refusal = problems_of(row.error) if row.skipped is not None and row.error is not None else ()
        skipped, error = (None, None) if refusal else (row.skipped, row.error)
        return cls(
            number=row.row_number,
            recipient=row.recipient,
            destination=row.destination,
            service=service_name(row.service),
            price=price if row.skipped is None else _SKIPPED,
            in_brief=_CANNOT_SHIP if refusal else _in_brief(row.warnings, error),
            notes=_notes(row.row_number, skipped, row.shipped_before, error),
            warnings=tuple(map(str, row.warnings)),
            refusals=tuple(map(str, refusal)),
        )

    def told(self) -> Iterator[tuple[str, str]]:
        """What stands under the row where everything is shown: a text and its style each."""
        for texts, style in ((self.refusals, "red"), (self.notes, "dim"), (self.warnings, "yellow")):
            for text in texts:
                yield text, style


def job_preview(
    job: JobDocument,
    rows: Iterable[RowDocument],
    repeats: Repeats,
    refusals: Refusals = NO_REFUSALS,
    *,
    expand: bool = False,
) -> RenderableType:
    """The preview of a job from its first rows, or all; with `expand` what is told of a row stands under it."""
    lines = [PreviewLine.of_row(row) for row in rows]
    notes = _notes_of(lines) if expand else _first(_notes_of(lines), all_shown=len(lines) >= job.rows.total)
    if job.rows.total and job.rows.skipped == job.rows.total:
        return nothing_to_ship(repeats, [*settled_lines(job.settled), *notes], refusals)
    to_ship = job.rows.total - job.rows.skipped
    unrated = to_ship - job.rows.rated - job.rows.estimated if job.estimate is not None else 0
    return Group(
        PreviewTable(source_label(job.source) if job.source is not None else "", lines, expand=expand),
        *_and_more(job.rows.total - len(lines)),
        totals(to_ship, job.estimate, job.rows.rated, job.rows.estimated, unrated, job.rows.warned, repeats.skipped),
        *_red(refusals.lines()),
        *_dim(_unseen_warnings(job.rows.warned, lines)),
        *_dim([*job.notes, *_mapping_note(job.mapping), *_left_aside(job, repeats)]),
        *_dim([] if expand else notes),
    )


def source_preview(preview: PreviewDocument, *, shown: int | None = SHOWN_ROWS, expand: bool = False) -> RenderableType:
    """A preview without a job, the first `shown` of its rows (or all) one by one."""
    lines = [PreviewLine.of_preview(row) for row in preview.rows[:shown]]
    repeats, refusals = Repeats.of_preview(preview), Refusals.of_preview(preview)
    notes = _notes_of(lines) if expand else _first(_notes_of(lines), all_shown=len(lines) >= preview.total)
    if preview.total and not preview.to_ship:
        return nothing_to_ship(repeats, [*settled_lines(preview.settled), *notes], refusals)
    return Group(
        PreviewTable(source_label(preview.source), lines, expand=expand),
        *_and_more(preview.total - len(lines)),
        totals(
            preview.to_ship,
            preview.estimate,
            preview.rated,
            preview.estimated,
            preview.unrated,
            preview.warned,
            repeats.skipped,
        ),
        *_red(refusals.lines()),
        *_dim(_unseen_warnings(preview.warned, lines)),
        *_dim([*preview.notes, *_mapping_note(preview.mapping), *_left_aside(preview, repeats)]),
        *_dim([] if expand else notes),
    )


def nothing_to_ship(repeats: Repeats, notes: Sequence[str] = (), refusals: Refusals = NO_REFUSALS) -> RenderableType:
    """What is said instead of a preview where every row is skipped."""
    skipped = repeats.skipped
    told = Text(f"Nothing to ship: {plural(skipped, 'row')} {'is' if skipped == 1 else 'are'} already shipped.")
    return Group(told, *_red(refusals.lines()), *_dim([*repeats.lines(), *notes]))


class PreviewTable:
    """A line a row, cut to the terminal's width; with `expand` what is told of a row stands under it, whole."""

    def __init__(self, title: str, lines: Sequence[PreviewLine], *, expand: bool = False) -> None:
        self._title = title
        self._lines = lines
        self._expand = expand

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self._title:
            yield Text(self._title, style="bold")
        header, *rows = console.render_lines(self._table(options.max_width), options, pad=False)
        yield from header
        yield Segment.line()
        for line, row in zip(self._lines, rows, strict=True):
            yield from row
            yield Segment.line()
            if self._expand:
                for told, style in line.told():
                    yield Padding(Text(told, style=style), (0, 0, 0, _INDENT))

    def _table(self, width: int) -> Table:
        cells = [
            (str(line.number), line.recipient, line.destination, line.service, line.price, line.in_brief)
            for line in self._lines
        ]
        naturals = [max(map(cell_len, column)) for column in zip(_HEADERS, *cells, strict=True)]
        table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False)
        for header, taken in zip(_HEADERS, _widths(naturals, width - _GAP * (len(_HEADERS) - 1)), strict=True):
            justify: JustifyMethod = "right" if header in _NUMBERS else "left"
            table.add_column(header, justify=justify, overflow="ellipsis", no_wrap=True, width=taken)
        for line, row in zip(self._lines, cells, strict=True):
            *others, in_brief = map(Text, row)
            in_brief.stylize("yellow")
            table.add_row(*others, in_brief, style="dim" if line.price == _SKIPPED else None)
        return table


def _widths(naturals: Sequence[int], width: int) -> list[int]:
    """The columns' widths: what is cut where `width` is too little are the texts, the longest first."""
    taken = list(naturals)
    left = max(width - sum(natural for at, natural in enumerate(naturals) if at not in _CUT), 0)
    for rank, at in enumerate(sorted(_CUT, key=lambda at: naturals[at])):
        taken[at] = max(min(naturals[at], left // (len(_CUT) - rank)), _NARROWEST)
        left -= taken[at]
    return taken


def price_in_words(price: Money | None, *, estimated: bool) -> str:
    """`$12.40`, or `~$12.40` where it is that of rows like it."""
    return f"~{money(price)}" if price is not None and estimated else money(price)


def estimate_in_words(estimate: Money, rated: int, estimated: int) -> str:
    """`312.40 USD`, and where not every row of it is rated `312.40 USD, of which 180 rows rated, 320 estimated`."""
    words = amount_in_words(estimate)
    return f"{words}, of which {plural(rated, 'row')} rated, {estimated:,} estimated" if estimated else words


def totals(
    to_ship: int, estimate: Money | None, rated: int, estimated: int, unrated: int, warned: int, skipped: int
) -> Text:
    """The line below a preview: rows, cost, rows with warnings."""
    text = Text(f"{plural(to_ship, 'row')} to ship", style="bold")
    if estimate is not None:
        text.append(f", {estimate_in_words(estimate, rated, estimated)}")
    if unrated:
        text.append(f", without the {plural(unrated, 'row')} that {'has' if unrated == 1 else 'have'} no price")
    if warned:
        text.append(f"; {plural(warned, 'row')} with warnings")
    if skipped:
        text.append(f"; {plural(skipped, 'row')} skipped")
    return text


def _in_brief(warnings: Sequence[RowWarning], error: ErrorBody | None) -> str:
    words = [] if error is None else ["no price"]
    words += dict.fromkeys(warning.code.replace("_", " ") for warning in warnings)
    return ", ".join(words)


def _notes(number: int, skipped: str | None, before: ShippedBefore | None, error: ErrorBody | None) -> tuple[str, ...]:
    notes = repeat_notes([(number, skipped, before)])
    return (*notes, *([f"Row {number} has no price: {error}"] if error is not None else []))


def _notes_of(lines: Iterable[PreviewLine]) -> list[str]:
    return [note for line in lines for note in line.notes]


def _unseen_warnings(warned: int, lines: Sequence[PreviewLine]) -> list[str]:
    """That rows below those that are shown have warnings too, and how to see them."""
    unseen = warned - sum(bool(line.warnings) for line in lines)
    if unseen <= 0:
        return []
    them = "it" if unseen == 1 else "them"
    return [f"{plural(unseen, 'row')} with warnings further down: tally preview --expand --all shows {them}."]


def _first(notes: Sequence[str], *, all_shown: bool) -> list[str]:
    """The first NOTES, and how to see the others: a batch that is submitted again has one for each row shown."""
    if len(notes) <= NOTES:
        return list(notes)
    more = f"{len(notes) - NOTES:,} more such rows; --expand" if all_shown else "more such rows; --expand --all"
    return [*notes[:NOTES], f"… and {more} tells of each."]


def _left_aside(document: JobDocument | PreviewDocument, repeats: Repeats) -> list[str]:
    return [*settled_lines(document.settled), *repeats.lines()]


def _mapping_note(mapping: str) -> list[str]:
    return [] if mapping in {"", "default"} else [f"Mapped by {mapping}."]


def _and_more(count: int) -> list[Text]:
    return [Text(f"… and {count:,} more", style="dim")] if count > 0 else []


def _red(lines: Iterable[str]) -> list[Text]:
    return [Text(line, style="red") for line in lines]


def _dim(lines: Iterable[str]) -> list[Text]:
    return [Text(line, style="dim") for line in lines]
