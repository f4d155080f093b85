"""Each image has its own service's code and dependencies, and nothing else of ours."""

from __future__ import annotations

import json
import tomllib
from functools import cache
from typing import Any

import docker
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.containers.project import ROOT
from tests.containers.stack import IMAGE_TAG, Stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

# What each image must not be able to import: what belongs to another service.
FOREIGN = {
    "coordinator": ("httpx", "obstore", "typer", "rich", "PIL", "services.shipper", "services.writeback"),
    "shipper": ("sqlalchemy", "duckdb", "alembic", "asyncpg", "typer", "python_calamine", "services.coordinator"),
    "writeback": ("duckdb", "alembic", "httpx", "obstore", "typer", "services.coordinator", "services.shipper"),
    "console": ("sqlalchemy", "duckdb", "httpx", "obstore", "typer", "services.coordinator", "services.cli"),
    "sandbox": ("sqlalchemy", "duckdb", "httpx", "obstore", "typer", "services.shipper", "services.coordinator"),
    "cli": ("sqlalchemy", "duckdb", "httpx", "obstore", "services.coordinator", "services.shipper"),
}
OWN = {
    "coordinator": ("sqlalchemy", "duckdb", "services.coordinator.app"),
    "shipper": ("httpx", "obstore", "services.shipper.app"),
    "writeback": ("sqlalchemy", "services.writeback.app"),
    "console": ("fastapi", "services.console.app"),
    "sandbox": ("starlette", "services.sandbox.app"),
    "cli": ("typer", "services.cli.main"),
}
_LOOK = """
import importlib, importlib.metadata, json, pathlib, shutil, sys

def imports(name):
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True

own, foreign = json.loads(sys.argv[1])
print(json.dumps({
    "lacking": [name for name in own if not imports(name)],
    "foreign": [name for name in foreign if imports(name)],
    "distributions": [each.metadata["Name"] for each in importlib.metadata.distributions(path=[
        path for path in sys.path if path.startswith("/venv")])],
    "services": sorted(path.name for path in pathlib.Path("/app/services").iterdir() if path.is_dir()),
    "tools": [tool for tool in ("gcc", "cc", "make", "git") if shutil.which(tool)],
    "pip": pathlib.Path("/venv/bin/pip").exists(),
    "left": [str(path) for path in pathlib.Path("/tmp").iterdir()],
}))
"""


@cache
def seen_inside(service: str) -> dict[str, Any]:
    """What a container of a service's image has, looked at from inside, as the user it runs as."""
    printed = docker.from_env().containers.run(
        f"tallyman-{service}:{IMAGE_TAG}",
        ["-c", _LOOK, json.dumps([OWN[service], FOREIGN[service]])],
        entrypoint=["python"],
        network_mode="none",
        remove=True,
    )
    return json.loads(printed)


def pinned(service: str) -> set[str]:
    """The distributions that a service's requirements pin for the images' platform."""
    lines = (ROOT / "requirements" / f"{service}.txt").read_text().splitlines()
    requirements = [Requirement(line.rstrip(" \\")) for line in lines if "==" in line and not line.startswith("#")]
    here = {"sys_platform": "linux", "platform_system": "Linux", "python_version": "3.11", "os_name": "posix"}
    here |= {
        "python_full_version": "3.11.2",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
    }
    return {canonicalize_name(each.name) for each in requirements if not each.marker or each.marker.evaluate(here)}


@pytest.mark.parametrize("service", FOREIGN)
def test_an_image_has_its_own_code_and_dependencies_only(stack: Stack, service: str) -> None:  # noqa: ARG001 - it builds
    seen = seen_inside(service)
    assert seen["lacking"] == []
    assert seen["foreign"] == []
    assert seen["services"] in ([service], ["__pycache__", service])
    assert {canonicalize_name(name) for name in seen["distributions"]} == pinned(service)


@pytest.mark.parametrize("service", FOREIGN)
def test_an_image_has_no_tools_of_its_building(stack: Stack, service: str) -> None:  # noqa: ARG001 - it builds
    seen = seen_inside(service)
    assert (seen["tools"], seen["pip"], seen["left"]) == ([], False, [])


@pytest.mark.parametrize("service", [*FOREIGN, "nats"])
def test_an_image_is_labelled_and_does_not_run_as_root(stack: Stack, service: str) -> None:  # noqa: ARG001 - it builds
    config = docker.from_env().images.get(f"tallyman-{service}:{IMAGE_TAG}").attrs["Config"]
    assert int(config["User"].split(":")[0]) > 0
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in config["Labels"].items()}
    assert labels["title"] == f"tallyman-{service}"
    assert labels["description"]
    if service != "nats":
        assert labels["licenses"] == "Apache-2.0"
        assert labels["version"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
