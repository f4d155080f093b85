"""The one place for settings: `TALLY_*` in the environment over `tally.toml` over defaults (DESIGN §8).

One model per service, each with only what that service needs. A secret `X` may also be given as the file `X_FILE`.
"""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, SecretStr, StringConstraints, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from shared import failpoints
from shared.errors import SETTINGS_INVALID, TallyError
from shared.shipping import Address, Contact, Dimensions

SettingsT = TypeVar("SettingsT", bound="ServiceSettings")

SANDBOX_SHIP_FROM = Contact(
    name="Tallyman Sandbox Warehouse",
    phone="5125550100",
    address=Address(lines=("100 Congress Ave",), city="Austin", state="TX", postal_code="78701"),
)


_SIDES = 3


def _split_paths(value: object) -> object:
    return tuple(Path(part) for part in value.split(os.pathsep) if part) if isinstance(value, str) else value


def _box(value: object) -> object:
    if not isinstance(value, str):
        return value
    sides = value.lower().split("x")
    if len(sides) != _SIDES:
        raise ValueError("a size is length x width x height in inches, such as 12x9x4")
    return dict(zip(("length", "width", "height"), (side.strip() for side in sides), strict=True))


Roots = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_split_paths)]


class ConnectionSettings(BaseModel):
    """A database that holds orders: `postgresql://…`, `mysql://…`, `mariadb://…` or `sqlite:///…`.

    With `mark_table` each write-back is marked in a table of Tallyman's own there, made where the user may make it.
    """

    url: SecretStr
    mark_table: bool = True


def _read_connections(value: object) -> object:
    """Connections by their names in lower case; one that is given as a text is a URL."""
    if not isinstance(value, dict):
        return value
    return {
        name.lower(): {"url": given} if isinstance(given, str) else given
        for name, given in value.items()
        # Where the environment has NAME_FILE, its content is already in NAME.
        if not (name.lower().endswith("_file") and f"TALLY_CONNECTIONS__{name.upper()}" in os.environ)
    }


NamedConnections = Annotated[
    dict[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$")], ConnectionSettings],
    BeforeValidator(_read_connections),
]


class ServiceSettings(BaseSettings):
    """What every process needs: where the bus is and how to log."""

    model_config = SettingsConfigDict(
        env_prefix="TALLY_",
        env_nested_delimiter="__",
        toml_file="tally.toml",
        extra="ignore",
        hide_input_in_errors=True,
    )

    nats_url: str = "nats://127.0.0.1:4222"
    data_dir: Path = Path(".tally")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    stream_replicas: Annotated[int, Field(ge=1, le=5)] = 1

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - secrets come by *_FILE instead
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))


class CoordinatorSettings(ServiceSettings):
    """The coordinator: job database, source roots and connections, ship-from; times in seconds.

    `default_weight` (pounds), `default_size` (inches, ``12x9x4``) and `default_origin` (the country where goods were
    made) count for orders that have none. Orders leave from `ship_from`, or from the one of `warehouses` they name. A
    preview's rows are rated for `preview_budget` at most; the others are estimated. With `check_addresses` their
    addresses are looked up in the carrier's directory.

    A row in doubt is looked up a last time `look_again_after` it was parked. A running job is interrupted where no
    coordinator was seen for `interrupted_after`, or where the last one belonged to another `house_run` (an id that a
    supervisor gives to all it starts, as `tally up` does). An estimate older than `rates_hold` is asked of the carrier
    anew when it is approved. A job pauses at a row that is charged more than its preview said by over `price_guard` of
    that (a share; 0: never).
    """

    database_url: str = ""
    source_roots: Roots = (Path(),)
    connections: NamedConnections = {}
    ship_from: Contact | None = None
    default_weight: Annotated[Decimal, Field(gt=0, le=150)] | None = None
    default_size: Annotated[Dimensions | None, NoDecode, BeforeValidator(_box)] = None
    default_origin: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$")] = ""
    warehouses: dict[Annotated[str, Field(min_length=1, max_length=40)], Contact] = {}
    watchdog_interval: Annotated[float, Field(gt=0)] = 2.0
    stuck_after: Annotated[float, Field(gt=0)] = 5.0
    command_lifetime: Annotated[float, Field(gt=0)] = 300.0
    max_rows: Annotated[int, Field(ge=1)] = 1_000_000
    check_addresses: bool = True
    preview_budget: Annotated[float, Field(gt=0, le=3600)] = 60.0
    house_run: Annotated[str, Field(max_length=64)] = ""
    look_again_after: Annotated[float, Field(gt=0)] = 600.0
    interrupted_after: Annotated[float, Field(gt=0)] = 15.0
    rates_hold: Annotated[float, Field(ge=0)] = 900.0
    price_guard: Annotated[Decimal, Field(ge=0)] = Decimal("0.10")

    @property
    def job_database_url(self) -> str:
        """The job database: as set, else SQLite in the data directory."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'jobs.db'}"


class CarrierSettings(BaseModel):
    """The carrier account and the times a call may take, in seconds.

    `consistency` is what the carrier promises of a look-up by reference right after a label was bought: `immediate`,
    `eventual` (within `settle_time`) or `none`.

    `negotiated_rates` says that the account has rates of its own, so that a price by others is worth a warning.
    """

    url: str = ""
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    account: str = ""
    consistency: Literal["immediate", "eventual", "none"] = "eventual"
    settle_time: Annotated[float, Field(ge=0)] = 120.0
    send_within: Annotated[float, Field(gt=0)] = 10.0
    call_timeout: Annotated[float, Field(gt=0)] = 30.0
    tcp_user_timeout: Annotated[float, Field(gt=0)] = 15.0
    commit_margin: Annotated[float, Field(ge=0)] = 5.0
    max_concurrency: Annotated[int, Field(ge=1)] = 24
    label_format: Literal["GIF", "ZPL", "EPL"] = "GIF"
    negotiated_rates: bool = True


class ShipperSettings(ServiceSettings):
    """The shipper: carrier account and label store."""

    carrier: CarrierSettings = CarrierSettings()
    labels_url: str = ""

    @property
    def label_store_url(self) -> str:
        """The label store: as set, else a folder in the data directory."""
        return self.labels_url or f"file://{self.data_dir.resolve() / 'labels'}"


class WritebackSettings(ServiceSettings):
    """Writeback: how it groups what waits for a source.

    Between two flushes of a source it rests `pace` times as long as the last one took, at least `min_wait` and at most
    `max_wait` seconds, so that neither many small flushes nor rewriting a large file crowd out shipping. A workbook is
    packed anew at every flush, so it has a pace and an utmost wait of its own. Of each file that is written to the last
    `backups` copies are kept; 0 makes none.
    """

    source_roots: Roots = (Path(),)
    connections: NamedConnections = {}
    max_batch: Annotated[int, Field(ge=1)] = 1000
    pace: Annotated[float, Field(ge=0)] = 29.0
    min_wait: Annotated[float, Field(ge=0)] = 0.2
    max_wait: Annotated[float, Field(ge=0)] = 0.6
    excel_pace: Annotated[float, Field(ge=0)] = 49.0
    excel_max_wait: Annotated[float, Field(ge=0)] = 10.0
    backups: Annotated[int, Field(ge=0)] = 5


class SandboxSettings(ServiceSettings):
    """The sandbox carrier: where it listens (port 0: a free one), how long an answer takes, whom it lets in.

    Without `client_id` any non-empty credentials will do. `token_lifetime` is in seconds.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    latency_ms: Annotated[float, Field(ge=0)] = 0.0
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    token_lifetime: Annotated[int, Field(ge=1)] = 14_399


class ClientSettings(ServiceSettings):
    """Clients: the command line and whatever else speaks to the bus."""

    timeout: Annotated[float, Field(gt=0)] = 10.0


def _secrets_from_files() -> None:
    """Put the content of each file that `TALLY_X_FILE` names into `TALLY_X`."""
    for name, path in list(os.environ.items()):
        if name.startswith("TALLY_") and name.endswith("_FILE"):
            try:
                os.environ[name.removesuffix("_FILE")] = Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise TallyError(SETTINGS_INVALID, setting=name, reason=error.strerror or "unreadable") from error


def load(model: type[SettingsT]) -> SettingsT:
    """The settings of one service; raises E-5002 that names the first bad one, never its value."""
    _secrets_from_files()
    failpoints.armed()
    try:
        return model()
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = "TALLY_" + "__".join(str(part).upper() for part in first["loc"])
        raise TallyError(SETTINGS_INVALID, setting=name, reason=first["msg"]) from error
