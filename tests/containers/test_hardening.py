"""The containers run as nobody in particular, with a root they cannot write to and a bound on what they take."""

from __future__ import annotations

import stat

import nats
import pytest

from tests.containers.stack import SERVICES, Stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

EVERY = ("nats", "postgres", "migrate", *SERVICES, "console", "sandbox")
# The image's entrypoint takes the data directory over as root and goes on as the user postgres.
STARTS_AS_ROOT = "postgres"
STOP_GRACE = 15


@pytest.mark.parametrize("service", EVERY)
def test_a_container_is_hardened_and_bounded(stack: Stack, service: str) -> None:
    for container in stack.containers(service):
        host, config = container.attrs["HostConfig"], container.attrs["Config"]
        assert host["ReadonlyRootfs"]
        assert "/tmp" in host["Tmpfs"]
        assert host["CapDrop"] == ["ALL"]
        assert "no-new-privileges:true" in host["SecurityOpt"]
        assert not host["Privileged"]
        assert host["Memory"] > 0
        assert host["NanoCpus"] > 0
        assert host["PidsLimit"] > 0
        assert host["LogConfig"]["Config"]["max-size"]
        assert config["StopTimeout"] > STOP_GRACE
        assert host["RestartPolicy"]["Name"] == ("no" if service == "migrate" else "unless-stopped")
        if service != STARTS_AS_ROOT:
            assert int(config["User"].split(":")[0]) > 0
            assert not host["CapAdd"]


@pytest.mark.parametrize("service", [name for name in EVERY if name != "migrate"])
def test_no_process_runs_as_root(stack: Stack, service: str) -> None:
    for container in stack.running(service):
        top = container.top(ps_args="-eo pid,user,args")
        processes = [dict(zip(top["Titles"], values, strict=True)) for values in top["Processes"]]
        lasting = [each for each in processes if "pg_isready" not in each["COMMAND"]]  # postgres' health check
        assert lasting
        assert {each["USER"] for each in lasting}.isdisjoint({"root", "0"}), top


@pytest.mark.parametrize("service", [*SERVICES, "console", "sandbox", "nats"])
def test_a_container_cannot_write_beside_its_volumes(stack: Stack, service: str) -> None:
    (container, *_) = stack.running(service)
    code, said = container.exec_run(["sh", "-c", "touch /app/x || touch /etc/x || touch /x"])
    assert code != 0
    assert b"Read-only file system" in said or b"Permission denied" in said


def test_secrets_can_be_read_by_their_owner_only_and_are_in_no_containers_description(stack: Stack) -> None:
    secrets = sorted((stack.folder / "deploy" / "secrets").iterdir())
    assert secrets
    for path in secrets:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    made_up = [stack.secret(name) for name in ("postgres_password", "console_token", "nats_shipper", "nats_cli")]
    assert min(map(len, made_up)) >= 40
    for service in EVERY:
        for container in stack.containers(service):
            assert [secret for secret in made_up if secret in str(container.attrs)] == []


def test_a_service_sees_its_own_secrets_only(stack: Stack) -> None:
    seen = {
        service: set(stack.running(service)[0].exec_run(["ls", "/run/secrets"]).output.decode().split())
        for service in (*SERVICES, "console")
    }
    assert seen == {
        "coordinator": {"database_url", "nats_coordinator"},
        "shipper": {"carrier_client_secret", "nats_shipper"},
        "writeback": {"nats_writeback"},
        "console": {"console_token", "nats_console"},
    }


async def test_nobody_gets_onto_the_bus_without_a_password(stack: Stack) -> None:
    with pytest.raises(nats.errors.Error, match=r"(?i)authorization"):
        await nats.connect(stack.nats_url, allow_reconnect=False, max_reconnect_attempts=1)
