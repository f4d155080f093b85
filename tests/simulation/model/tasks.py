"""Processes cut into steps: a generator that yields wherever another may go first, or a condition it waits for."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
Condition = Callable[[], bool]
# A bare yield, or one of a Condition. Any, as mypy has no bare yield where a value may be yielded, too.
Steps = Generator[Any, None, T]


@dataclass(eq=False)
class Task:
    """A process at work. One that is frozen is one that is not stepped; one that crashes is forgotten."""

    name: str
    steps: Steps[object]
    owner: object = None
    waits_for: Condition | None = None

    @property
    def ready(self) -> bool:
        """Whether it can go on."""
        return self.waits_for is None or self.waits_for()

    def step(self) -> bool:
        """Go on to the next yield; False at the end."""
        try:
            self.waits_for = next(self.steps)
        except StopIteration:
            return False
        return True
