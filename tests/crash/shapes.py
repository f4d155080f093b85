"""What a rig is made of: the processes by name, and how many of each."""

from __future__ import annotations

from dataclasses import dataclass

ROLES = ("coordinator", "shipper", "writeback")
NATS, SANDBOX = "nats", "sandbox"


@dataclass(frozen=True)
class Shape:
    """How many of each service a rig runs, and what their settings say besides."""

    coordinators: int = 1
    shippers: int = 1
    writebacks: int = 1
    extra: tuple[tuple[str, str], ...] = ()
    shipper_module: str = "services.shipper"

    def count(self, role: str) -> int:
        """How many of a role there are."""
        return {"coordinator": self.coordinators, "shipper": self.shippers, "writeback": self.writebacks}[role]


ONE = Shape()
SEVERAL = Shape(coordinators=2, shippers=3, writebacks=2)
