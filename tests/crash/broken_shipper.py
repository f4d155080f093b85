"""A shipper that is broken on purpose: its claims compare nothing, and it never looks up. The matrix must go red."""

from __future__ import annotations

from typing import Any

from nats.js.api import PubAck

from services.shipper import app
from services.shipper.reconciliation import Conclusion, Proof, Reconciliation
from shared.bus.publishing import Publisher
from shared.contracts.ledger import Claimed
from shared.contracts.message import Message

compare_and_publish = Publisher.publish


async def publish(self: Publisher, stream: str, subject: str, message: Message, **options: Any) -> PubAck:
    """Publish a claim without comparing, anything else as ever."""
    if isinstance(message, Claimed):
        options.pop("expected_last")
    return await compare_and_publish(self, stream, subject, message, **options)


async def conclude(*_: Any, **__: Any) -> Conclusion:
    """Take it that nothing was sold, without asking."""
    return Conclusion(Proof.NOT_SOLD, ())


if __name__ == "__main__":
    Publisher.publish = publish  # type: ignore[method-assign]
    Reconciliation.conclude = conclude  # type: ignore[method-assign]
    app.main()
