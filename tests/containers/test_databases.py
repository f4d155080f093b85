"""The tests of database sources and targets pass against the servers that people run: the official images."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.integration.database_containers import contained_mariadb, contained_postgres
from tests.integration.database_server import NoServerError, Server

ROOT = Path(__file__).parents[2]
TESTS = ("tests/integration/test_database_source.py", "tests/integration/test_database_target.py")

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]


@pytest.mark.parametrize(
    ("kind", "variable", "contained"),
    [
        ("postgresql", "TALLY_TEST_POSTGRES_URL", contained_postgres),
        ("mariadb", "TALLY_TEST_MARIADB_URL", contained_mariadb),
    ],
    ids=["postgresql", "mariadb"],
)
def test_the_database_tests_pass_against_the_image(
    tmp_path: Path, kind: str, variable: str, contained: Callable[[], AbstractContextManager[Server]]
) -> None:
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-k", kind, f"--junit-xml={report}", *TESTS]
    try:
        with contained() as server:
            url = server.admin.render_as_string(hide_password=False)
            environment = {**os.environ, "TALLY_TEST_SERVERS": "address", variable: url}
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False
            )
    except NoServerError as reason:
        pytest.skip(str(reason))
    assert done.returncode == 0, done.stdout + done.stderr
    (suite,) = ET.parse(report).iter("testsuite")
    assert suite.attrib["skipped"] == "0", done.stdout
    assert int(suite.attrib["tests"]) > 50
