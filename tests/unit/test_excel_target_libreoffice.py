"""Workbooks with tracking numbers, opened by LibreOffice; and the workbooks that it writes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from csv_changes import codes
from excel_changes import changes, every_number, write
from workbook_comparison import changed_parts
from workbook_corpus import CORPUS

SOFFICE = shutil.which("soffice")


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
@pytest.mark.timeout(600)
def test_libreoffice_opens_every_workbook_and_makes_others_of_them(tmp_path: Path) -> None:
    folder, results, again = tmp_path / "in", tmp_path / "csv", tmp_path / "xlsx"
    folder.mkdir()
    for number, make in enumerate(CORPUS.values()):
        path = folder / f"{number}.xlsx"
        path.write_bytes(make())
        write(path, changes(path, every_number(path)))
    _convert("csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1", folder, results)
    for number, name in enumerate(CORPUS):
        sheets = "".join(path.read_text() for path in results.glob(f"{number}-*.csv"))
        assert "tracking_number" in sheets.lower(), name
        assert "1Z1" in sheets, name
    # What LibreOffice wrote itself is a workbook of one more writer.
    _convert("xlsx", folder, again)
    for number, name in enumerate(CORPUS):
        path = again / f"{number}.xlsx"
        before = path.read_bytes()
        (change,) = changes(path, {1: "1Z-more"})
        (result,) = write(path, [change])
        assert result.error is not None, name
        assert result.error.code == "E-4012", name
        cleared = type(change)(**{**vars(change), "replaces": ("1Z1",)})
        assert codes(write(path, [cleared])) == [None], name
        assert changed_parts(before, path.read_bytes()) <= {"xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"}, (
            name
        )


def _convert(kind: str, folder: Path, results: Path) -> None:
    assert SOFFICE is not None
    profile = f"-env:UserInstallation=file://{results}-profile"
    command = [SOFFICE, profile, "--headless", "--convert-to", kind, "--outdir", str(results)]
    subprocess.run([*command, *sorted(folder.iterdir())], check=True, capture_output=True, timeout=300)
