"""The one place for settings: `TALLY_*` in the environment over `tally.toml` over defaults (DESIGN §8).

One model per service, each with only what that service needs. A secret `X` may also be given as the file `X_FILE`.
"""

from shared.settings.carrier import CarrierSettings, ShipperSettings
from shared.settings.client import ClientSettings
from shared.settings.console import ConsoleSettings, ListenSettings
from shared.settings.coordinator import CoordinatorSettings
from shared.settings.loading import load
from shared.settings.sandbox import SANDBOX_SHIP_FROM, SandboxSettings
from shared.settings.secret_files import exposed_secret_files
from shared.settings.service import HttpSettings, ServiceSettings
from shared.settings.sources import ConnectionSettings
from shared.settings.writeback import WritebackSettings

__all__ = [
    "SANDBOX_SHIP_FROM",
    "CarrierSettings",
    "ClientSettings",
    "ConnectionSettings",
    "ConsoleSettings",
    "CoordinatorSettings",
    "HttpSettings",
    "ListenSettings",
    "SandboxSettings",
    "ServiceSettings",
    "ShipperSettings",
    "WritebackSettings",
    "exposed_secret_files",
    "load",
]
