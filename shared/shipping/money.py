"""Amounts of money: a Decimal and its currency, never a float."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class Money(BaseModel):
    """An amount in one currency (ISO 4217); travels as ``{"amount": "12.40", "currency": "USD"}``."""

    model_config = ConfigDict(frozen=True)

    amount: Decimal
    currency: Currency = "USD"

    def __add__(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(amount=self.amount + other.amount, currency=self.currency)

    def __mul__(self, count: int) -> Money:
        return Money(amount=self.amount * count, currency=self.currency)

    def __str__(self) -> str:
        return f"{self.amount:.2f} {self.currency}"

    @classmethod
    def total(cls, amounts: Iterable[Money], currency: Currency = "USD") -> Money:
        """The sum of `amounts`, which share one currency; zero `currency` where there are none."""
        total: Money | None = None
        for amount in amounts:
            total = amount if total is None else total + amount
        return total if total is not None else cls(amount=Decimal("0.00"), currency=currency)
