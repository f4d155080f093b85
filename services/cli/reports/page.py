"""A report as a page: one HTML file that needs no script and no network, its charts drawn in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from html import escape

from services.cli.reports.sections import Cell, Section
from services.cli.reports.terminal import written

_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #222; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; } th, td { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; }
th { border-bottom: 1px solid #999; } td.figure, th.figure { text-align: right; font-variant-numeric: tabular-nums; }
tr.total td { border-top: 1px solid #999; font-weight: bold; } p.remark { color: #555; }
svg { display: block; margin: 1rem 0; max-width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; }
@media print { body { margin: 0; } h2 { break-after: avoid; } }
"""
_COLOURS = ("#9DB7D5", "#1F4E79")
_NAMES, _BARS, _FIGURES = 190, 440, 90
_BAR, _GAP, _TOP = 14, 8, 24
_LONGEST_NAME = 28


def page(title: str, facts: Sequence[tuple[str, str]], sections: Sequence[Section]) -> str:
    """The page; every text that came from elsewhere is escaped."""
    return "\n".join(_page(title, facts, sections)) + "\n"


def _page(title: str, facts: Sequence[tuple[str, str]], sections: Sequence[Section]) -> Iterator[str]:
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n<table>"
    for name, value in facts:
        yield f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
    yield "</table>"
    for section in sections:
        yield f"<h2>{escape(section.title)}</h2>"
        if section.rows:
            yield from _table(section)
        if section.remark:
            yield f'<p class="remark">{escape(section.remark)}</p>'
        if section.chart is not None and section.rows:
            yield from _chart(section)
    yield "</body>\n</html>"


def _table(section: Section) -> Iterator[str]:
    figures = [
        all(isinstance(row[place], int | Decimal) for row in section.rows) for place in range(len(section.headers))
    ]
    yield "<table>"
    yield _line("th", section.headers, figures)
    for row in section.rows:
        yield _line("td", row, figures)
    if section.total is not None:
        yield _line("td", section.total, figures, "total")
    yield "</table>"


def _line(tag: str, cells: Sequence[Cell], figures: Sequence[bool], kind: str = "") -> str:
    told = (
        f"<{tag}{_class('figure' if is_figure else '')}>{escape(written(cell))}</{tag}>"
        for cell, is_figure in zip(cells, figures, strict=True)
    )
    return f"<tr{_class(kind)}>{''.join(told)}</tr>"


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""


def _chart(section: Section) -> Iterator[str]:
    """A bar for each figure of each row, as long as the largest figure leaves it."""
    assert section.chart is not None
    columns = section.chart.columns
    colours = _COLOURS[-len(columns) :]
    step = _BAR * len(columns) + _GAP
    width, height = _NAMES + _BARS + _FIGURES, _TOP + step * len(section.rows)
    largest = max((float(_figure(row[column])) for row in section.rows for column in columns), default=0) or 1
    title = escape(section.chart.title)
    yield f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{title}">'
    for place, (column, colour) in enumerate(zip(columns, colours, strict=True)):
        left = _NAMES + 120 * place
        yield f'<rect x="{left}" y="4" width="10" height="10" fill="{colour}"/>'
        yield f'<text x="{left + 14}" y="13">{escape(section.headers[column])}</text>'
    for number, row in enumerate(section.rows):
        top = _TOP + step * number
        middle = top + _BAR * len(columns) / 2 + 4
        name = written(row[0])
        shown = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
        yield f'<text x="{_NAMES - 8}" y="{middle:g}" text-anchor="end">{escape(shown)}</text>'
        for place, (column, colour) in enumerate(zip(columns, colours, strict=True)):
            figure = _figure(row[column])
            length = max(0.0, float(figure)) / largest * _BARS
            y = top + _BAR * place
            yield f'<rect x="{_NAMES}" y="{y}" width="{length:.1f}" height="{_BAR - 2}" fill="{colour}"/>'
            yield f'<text x="{_NAMES + length + 5:.1f}" y="{y + _BAR - 3}">{escape(written(row[column]))}</text>'
    yield "</svg>"


def _figure(cell: Cell) -> Decimal | int:
    return cell if isinstance(cell, int | Decimal) else 0
