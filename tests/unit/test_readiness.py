"""What a probe of a process is told."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from services.shipper.labels import LabelStore
from shared.errors import TallyError
from shared.health import readiness as readiness_module
from shared.health.checks import roots_are_there
from shared.health.endpoint import Endpoint, serving
from shared.health.readiness import Readiness
from shared.settings import HttpSettings

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def readiness() -> AsyncIterator[Readiness]:
    readiness = Readiness()
    yield readiness
    await readiness.close()


async def well() -> None:
    return None


async def test_a_process_that_lacks_nothing_is_ready(readiness: Readiness) -> None:
    readiness.require("bus", well)
    assert await readiness.lacking() == {}


async def test_what_is_lacking_is_named(readiness: Readiness) -> None:
    async def lacks() -> str:
        return "not connected"

    readiness.require("database", well)
    readiness.require("bus", lacks)
    assert await readiness.lacking() == {"bus": "not connected"}


async def test_a_check_that_fails_names_its_error_but_not_what_the_error_says(readiness: Readiness) -> None:
    async def fails() -> None:
        raise ConnectionRefusedError("postgresql://tally:secret@db")

    readiness.require("database", fails)
    assert await readiness.lacking() == {"database": "failed with ConnectionRefusedError"}


async def test_a_check_that_hangs_is_not_begun_twice(readiness: Readiness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness_module, "ANSWER_WITHIN", 0.05)
    begun = 0
    answers = asyncio.Event()

    async def hangs() -> None:
        nonlocal begun
        begun += 1
        await answers.wait()

    readiness.require("source_roots", hangs)
    assert await readiness.lacking() == {"source_roots": "no answer in 0.05 s"}
    assert await readiness.lacking() == {"source_roots": "no answer in 0.05 s"}
    assert begun == 1
    answers.set()
    assert await readiness.lacking() == {}


async def test_a_source_root_that_is_gone_is_named(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    assert await roots_are_there([tmp_path, gone]) == f"no such folder: {gone}"
    gone.mkdir()
    assert await roots_are_there([tmp_path, gone]) is None


async def test_a_label_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    store = LabelStore((tmp_path / "labels").as_uri())
    assert await store.unwritable() is None
    (tmp_path / "labels").rmdir()
    assert await store.unwritable() == f"{tmp_path / 'labels'} cannot be written to"


async def test_a_label_bucket_is_written_to_and_then_believed_for_a_while() -> None:
    store = LabelStore("memory:///")
    assert await store.unwritable() is None
    written_at = store._written_at
    assert await store.unwritable() is None
    assert store._written_at == written_at


async def test_the_endpoint_lives_while_it_lacks_something_and_counts(
    readiness: Readiness, unused_tcp_port: int
) -> None:
    lack: str | None = "starting"

    async def state() -> str | None:
        return lack

    readiness.require("service", state)
    endpoint = Endpoint("shipper", readiness, CollectorRegistry())
    async with (
        serving(endpoint, HttpSettings(port=unused_tcp_port)),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{unused_tcp_port}") as http,
    ):
        assert (await http.get("/livez")).status_code == 200
        answer = await http.get("/readyz")
        assert answer.status_code == 503
        assert answer.json() == {"ready": False, "service": "shipper", "lacking": {"service": "starting"}}
        lack = None
        answer = await http.get("/readyz")
        assert answer.status_code == 200
        assert answer.json() == {"ready": True, "service": "shipper", "lacking": {}}
        assert (await http.get("/metrics")).headers["content-type"].startswith("text/plain")
        assert (await http.get("/elsewhere")).status_code == 404


async def test_a_port_that_is_taken_is_an_error_of_the_settings(readiness: Readiness, unused_tcp_port: int) -> None:
    endpoint = Endpoint("shipper", readiness, CollectorRegistry())
    settings = HttpSettings(port=unused_tcp_port)
    async with serving(endpoint, settings):
        with pytest.raises(TallyError, match="cannot listen"):
            async with serving(endpoint, settings):
                pass


class Probed(BaseHTTPRequestHandler):
    """Lives, and is not ready."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/livez" else 503)
        self.end_headers()
        self.wfile.write(b'{"lacking": {"bus": "not connected"}}')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def probed() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Probed)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def probe(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "shared.health", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_health_command_tells_living_from_ready(probed: int, tmp_path: Path) -> None:
    port = str(probed)
    assert probe(tmp_path, TALLY_HTTP__PORT=port, TALLY_HTTP__HOST="0.0.0.0").returncode == 0
    not_ready = probe(tmp_path, "--ready", TALLY_HTTP__PORT=port)
    assert not_ready.returncode == 1
    assert "not connected" in not_ready.stdout


def test_the_health_command_reads_the_settings_file(probed: int, tmp_path: Path) -> None:
    (tmp_path / "tally.toml").write_text(f"[http]\nport = {probed}\n", encoding="utf-8")
    assert probe(tmp_path).returncode == 0


def test_the_health_command_fails_where_nobody_answers(unused_tcp_port: int, tmp_path: Path) -> None:
    assert probe(tmp_path, TALLY_HTTP__PORT=str(unused_tcp_port)).returncode == 1
    assert "is not set" in probe(tmp_path).stdout


def test_the_health_command_loads_the_standard_library_only() -> None:
    code = "import sys, shared.health.__main__; print([m for m in sys.modules if m in ('pydantic', 'nats', 'uvicorn')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
