"""What the house's processes find in their environment: a person's own settings first, then what a house needs."""

from __future__ import annotations

import os
import sysconfig
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import services
from shared.errors import NO_CARRIER, TallyError
from shared.settings import SANDBOX_SHIP_FROM, ClientSettings, CoordinatorSettings, ShipperSettings, load

Environment = Mapping[str, str]

_SANDBOX_ACCOUNT = {
    "TALLY_CARRIER__CLIENT_ID": "sandbox",
    "TALLY_CARRIER__CLIENT_SECRET": "sandbox",  # nosec B105 - the sandbox lets everybody in
    "TALLY_CARRIER__ACCOUNT": "TALLY1",
}
# The sandbox answers at once and shows what it sold at once, so nothing is gained by a carrier's long times.
_SANDBOX_TIMES = {
    "TALLY_CARRIER__CONSISTENCY": "immediate",
    "TALLY_CARRIER__SEND_WITHIN": "3",
    "TALLY_CARRIER__CALL_TIMEOUT": "5",
    "TALLY_CARRIER__TCP_USER_TIMEOUT": "3",
    "TALLY_CARRIER__COMMIT_MARGIN": "1",
}


@dataclass(frozen=True)
class UserSettings:
    """What the person set, in the environment or in tally.toml, of what a house would else decide."""

    data_dir: Path
    nats_url: str | None
    carrier_url: str | None
    has_source_roots: bool
    has_ship_from: bool
    http_port: int = 0


def user_settings() -> UserSettings:
    """The person's own settings. Raises E-5002 for one that no service could read."""
    client, coordinator, shipper = load(ClientSettings), load(CoordinatorSettings), load(ShipperSettings)
    return UserSettings(
        data_dir=client.data_dir,
        nats_url=client.nats_url if "nats_url" in client.model_fields_set else None,
        carrier_url=shipper.carrier.url or None,
        has_source_roots="source_roots" in coordinator.model_fields_set,
        has_ship_from=coordinator.ship_from is not None,
        http_port=client.http.port,
    )


def require_carrier(user: UserSettings, *, sandbox: bool) -> None:
    """Raise E-5001 where a house would have no carrier to ship with."""
    if not sandbox and user.carrier_url is None:
        raise TallyError(NO_CARRIER)


def house_environment(
    own: Environment,
    user: UserSettings,
    *,
    nats_url: str,
    sandbox_url: str | None,
    data_dir: Path,
    working_dir: Path,
) -> dict[str, str]:
    """The services' environment; `own` wins wherever it speaks.

    One exception: with `sandbox_url` the carrier's address and account are the sandbox's, so that `--sandbox` buys
    nothing from the carrier a person has set up, and sends it no credentials.
    """
    environment = dict(own)
    environment["TALLY_NATS_URL"] = nats_url
    environment["TALLY_DATA_DIR"] = str(data_dir)
    environment["PYTHONUNBUFFERED"] = "1"
    environment["TALLY_HOUSE_RUN"] = uuid.uuid4().hex
    make_importable(environment)
    if not user.has_source_roots:
        # One person's own session on this machine: relative paths are of the working directory, absolute ones anywhere.
        environment["TALLY_SOURCE_ROOTS"] = os.pathsep.join((str(working_dir), os.sep))
    if sandbox_url is not None:
        carrier = _SANDBOX_ACCOUNT | {"TALLY_CARRIER__URL": sandbox_url}
        for name in carrier:
            environment.pop(f"{name}_FILE", None)
        environment = _SANDBOX_TIMES | environment | carrier
        if not user.has_ship_from:
            environment["TALLY_SHIP_FROM"] = SANDBOX_SHIP_FROM.model_dump_json()
    return environment


def sandbox_environment(environment: Environment, port: int) -> dict[str, str]:
    """The sandbox's environment: the services' and the port it listens on."""
    return {"TALLY_HOST": "127.0.0.1", "TALLY_PORT": str(port), **environment}


def http_environment(environment: Environment, first_port: int, place: int) -> Environment:
    """A service's environment, where each answers for its health at a port of its own, from `first_port` on."""
    return {**environment, "TALLY_HTTP__PORT": str(first_port + place)} if first_port else environment


def bus_environment(own: Environment) -> dict[str, str]:
    """The NATS server's environment: nothing of the house, whose secrets are not its business."""
    return {name: value for name, value in own.items() if not name.startswith("TALLY_")}


def make_importable(environment: dict[str, str]) -> None:
    """Let `python -P -m services.NAME` find the packages where they run from a checkout that is not installed."""
    root = str(Path(services.__file__ or "").parents[1])
    if root not in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH"))))
