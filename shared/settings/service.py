"""What every process is told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, SecretStr, StringConstraints
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from shared.settings.secret_files import settings_from_files


class HttpSettings(BaseModel):
    """Where a service answers `/livez`, `/readyz` and `/metrics`; port 0: nowhere."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 0


class ServiceSettings(BaseSettings):
    """What every process needs: where the bus is and how to get onto it, how to log, where to answer for its health.

    `nats_url` may name several servers of one cluster, separated by commas. The three files are PEM: the authority that
    signed the server's certificate (where it is not one of the system's), and a certificate of the process's own.
    """

    model_config = SettingsConfigDict(
        env_prefix="TALLY_",
        env_nested_delimiter="__",
        toml_file="tally.toml",
        extra="ignore",
        hide_input_in_errors=True,
    )

    nats_url: str = "nats://127.0.0.1:4222"
    nats_user: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]*$", max_length=64)] = ""
    nats_password: SecretStr = SecretStr("")
    nats_tls_ca: Path | None = None
    nats_tls_cert: Path | None = None
    nats_tls_key: Path | None = None
    data_dir: Path = Path(".tally")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    stream_replicas: Annotated[int, Field(ge=1, le=5)] = 1
    http: HttpSettings = HttpSettings()
    otlp_endpoint: str = ""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - secrets come by *_FILE instead
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, settings_from_files(settings_cls), env_settings, TomlConfigSettingsSource(settings_cls))
