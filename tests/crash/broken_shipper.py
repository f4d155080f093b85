"""A shipper that is broken on purpose: its claims compare nothing, and it never looks up. The matrix must go red."""

from __future__ import annotations

from datetime import datetime

from services.shipper import app
from services.shipper.reconciliation import Conclusion, Proof, Reconciliation
from shared.bus.ledger import Ledger
from shared.contracts import subjects
from shared.contracts.ledger import Claimed


async def claim(self: Ledger, claimed: Claimed, _expected_last: int) -> int:
    """Append a claim without comparing."""
    subject = subjects.ledger(claimed.job_id, claimed.row_number)
    ack = await self._publisher.publish(subjects.LEDGER, subject, claimed, message_id=claimed.claim_id)
    return ack.seq


async def conclude(
    _self: Reconciliation,
    _reference: str,
    _since: datetime,
    _last_commit: datetime,
    _reason: str,
    *,
    vouched: bool = False,
) -> Conclusion:
    """Take it that nothing was sold, without asking."""
    assert not vouched
    return Conclusion(Proof.NOT_SOLD, ())


if __name__ == "__main__":
    Ledger.claim = claim  # type: ignore[method-assign]
    Reconciliation.conclude = conclude  # type: ignore[method-assign]
    app.main()
