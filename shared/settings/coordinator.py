"""What a coordinator is told."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from pydantic import BeforeValidator, Field, SecretStr, StringConstraints
from pydantic_settings import NoDecode

from shared.settings.service import ServiceSettings
from shared.settings.sources import NamedConnections, Roots
from shared.shipping import Contact, Dimensions

_SIDES = 3


def _box(value: object) -> object:
    if not isinstance(value, str):
        return value
    sides = value.lower().split("x")
    if len(sides) != _SIDES:
        raise ValueError("a size is length x width x height in inches, such as 12x9x4")
    return dict(zip(("length", "width", "height"), (side.strip() for side in sides), strict=True))


class CoordinatorSettings(ServiceSettings):
    """The coordinator: job database, source roots and connections, ship-from; times in seconds.

    `default_weight` (pounds), `default_size` (inches, ``12x9x4``) and `default_origin` (the country where goods were
    made) count for orders that have none. Orders leave from `ship_from`, or from the one of `warehouses` they name. A
    preview's rows are rated for `preview_budget` at most; the others are estimated. With `check_addresses` their
    addresses are looked up in the carrier's directory.

    While a large source is taken in, `intake_processes` map its orders (as many as there are processors, at most two,
    where it is not set; 0: none).

    A row in doubt is looked up a last time `look_again_after` it was parked. A running job is interrupted where no
    coordinator was seen for `interrupted_after`, or where the last one belonged to another `house_run` (an id that a
    supervisor gives to all it starts, as `tally up` does). An estimate older than `rates_hold` is asked of the carrier
    anew when it is approved. A job pauses at a row that is charged more than its preview said by over `price_guard` of
    that (a share; 0: never).

    `database_password` is that of the job database's user; at most `database_pool` connections are open to it. With
    `migrate` a coordinator brings its schema up to date as it starts; without, it waits until somebody else has. It
    waits `database_wait` at most, for that and for a database that is still starting.
    """

    database_url: str = ""
    database_password: SecretStr | None = None
    database_pool: Annotated[int, Field(ge=2, le=500)] = 15
    migrate: bool = True
    database_wait: Annotated[float, Field(ge=0, le=3600)] = 60.0
    source_roots: Roots = (Path(),)
    connections: NamedConnections = Field(default_factory=dict)
    ship_from: Contact | None = None
    default_weight: Annotated[Decimal, Field(gt=0, le=150)] | None = None
    default_size: Annotated[Dimensions | None, NoDecode, BeforeValidator(_box)] = None
    default_origin: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$")] = ""
    warehouses: dict[Annotated[str, Field(min_length=1, max_length=40)], Contact] = Field(default_factory=dict)
    watchdog_interval: Annotated[float, Field(gt=0)] = 2.0
    stuck_after: Annotated[float, Field(gt=0)] = 5.0
    command_lifetime: Annotated[float, Field(gt=0)] = 300.0
    max_rows: Annotated[int, Field(ge=1)] = 1_000_000
    intake_processes: Annotated[int | None, Field(ge=0, le=8)] = None
    check_addresses: bool = True
    preview_budget: Annotated[float, Field(gt=0, le=3600)] = 60.0
    house_run: Annotated[str, Field(max_length=64)] = ""
    look_again_after: Annotated[float, Field(gt=0)] = 600.0
    interrupted_after: Annotated[float, Field(gt=0)] = 15.0
    rates_hold: Annotated[float, Field(ge=0)] = 900.0
    price_guard: Annotated[Decimal, Field(ge=0)] = Decimal("0.10")

    @property
    def job_database_url(self) -> str:
        """The job database: as set, else SQLite in the data directory; with its password, so not for showing."""
        if not self.database_url:
            return f"sqlite:///{self.data_dir.resolve() / 'jobs.db'}"
        if self.database_password is None:
            return self.database_url
        kind, _, rest = self.database_url.partition("://")
        place, slash, database = rest.partition("/")
        user, _, server = place.rpartition("@")
        password = quote(self.database_password.get_secret_value(), safe="")
        return f"{kind}://{user.partition(':')[0]}:{password}@{server}{slash}{database}"
