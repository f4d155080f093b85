"""docs/fault-table.md tells of every fault that the tests of the containers make."""

from __future__ import annotations

from tests.containers.fault_table import faults_told
from tests.containers.faults import FAULTS


def test_the_page_tells_of_every_fault_in_containers() -> None:
    assert faults_told() == [fault.name for fault in FAULTS]
