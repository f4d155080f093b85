"""Answers a control call: from a request's body to a `Reply`'s, whatever comes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from shared.contracts.api import Reply
from shared.contracts.message import Message
from shared.errors import REQUEST_MALFORMED, TallyError

MessageT = TypeVar("MessageT", bound=Message)
Answerer = Callable[[bytes], Awaitable[bytes]]


def answering(model: type[MessageT], call: Callable[[MessageT], Awaitable[BaseModel]]) -> Answerer:
    """What answers `call`, whose requests are of `model`: with its document, or with the error that it raises."""

    async def answer(body: bytes) -> bytes:
        try:
            result = await call(model.model_validate_json(body or b"{}"))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            return Reply(error=TallyError(REQUEST_MALFORMED, reason=reason).body).encode()
        except TallyError as error:
            return Reply(error=error.body).encode()
        return Reply(result=result.model_dump(mode="json")).encode()

    return answer
