"""What every message that crosses the bus shares."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from shared.errors import MESSAGE_TOO_NEW, TallyError

JobId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
RowNumber = Annotated[int, Field(ge=1)]
# PostgreSQL keeps no NUL in a text.
RequestId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Attempt = Annotated[int, Field(ge=1)]
Timestamp = AwareDatetime


class NewerVersionError(TallyError):
    """A message of a version that this release does not know: E-4060. It is for an upgraded process to read."""

    def __init__(self, message: str, version: int, newest: int) -> None:
        super().__init__(MESSAGE_TOO_NEW, message=message, version=version, newest=newest)
        self.version = version


class Message(BaseModel):
    """A message: immutable, versioned; fields a reader does not know are ignored.

    `version` rises where a reader that does not know the change must not act on the message; a field that may be
    ignored raises nothing. Reading one above `newest` raises NewerVersionError (docs/decisions/0008-upgrades.md).
    """

    # An error is logged, and what could not be read may be a recipient's name.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    newest: ClassVar[int] = 1

    version: int = 1

    @field_validator("version")
    @classmethod
    def _is_known(cls, version: int) -> int:
        """The first of the fields, so it is looked at before any other one can be found wrong."""
        if version > cls.newest:
            raise NewerVersionError(cls.__name__, version, cls.newest)
        return version

    def encode(self) -> bytes:
        """The message as UTF-8 JSON."""
        return self.model_dump_json().encode()


def of_known_version(message: str, newest: int, body: Any) -> Any:
    """`body`, a message of several kinds as it came, before its kind is looked at: a newer version may have new ones.

    Raises NewerVersionError.
    """
    version = body.get("version") if isinstance(body, dict) else None
    if isinstance(version, int) and version > newest:
        raise NewerVersionError(message, version, newest)
    return body
