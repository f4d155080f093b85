"""The matrix leaves no fail point and no server out, and its table counts what it says it counts."""

import pytest

from shared.failpoints import FAIL_POINTS
from tests.crash.cases import Fault, Result
from tests.crash.checker import Verdict
from tests.crash.matrix import cases
from tests.crash.shapes import NATS, ROLES, SANDBOX
from tests.crash.table import HEADINGS, by_fault, markdown, table

ONE_AND_SEVERAL = (
    (Fault.KILL, False),
    (Fault.KILL, True),
    (Fault.FREEZE, True),
    (Fault.CUT, True),
)


@pytest.mark.parametrize(("fault", "several"), ONE_AND_SEVERAL)
def test_every_fail_point_is_met_by(fault: Fault, several: bool) -> None:
    met = {case.point for case in cases() if (case.fault, case.several) == (fault, several)}
    assert met >= {*FAIL_POINTS}


@pytest.mark.parametrize("server", [NATS, SANDBOX])
@pytest.mark.parametrize("fault", [Fault.KILL, Fault.FREEZE, Fault.CUT])
def test_every_server_meets(server: str, fault: Fault) -> None:
    met = {case.row for case in cases() if (case.target, case.fault) == (server, fault)}
    assert len(met) >= 3


def test_every_service_loses_all_its_processes_at_once() -> None:
    assert {case.target for case in cases() if case.fault is Fault.KILL_ALL} == {*ROLES}


def test_a_point_is_named_after_the_process_it_is_in() -> None:
    assert all(case.target == case.point.partition(".")[0] for case in cases() if case.point)


def test_the_table_has_a_line_for_each_fault() -> None:
    sound, harmed = Verdict((), (), ()), Verdict((2,), (), ("row 2 is shipped with 2 live labels",))
    results = [
        Result("kill -9", "shipper", "a", sound, healed_by=("redelivery", "restart"), recovered_in=(5.0,)),
        Result("kill -9", "shipper", "b", sound, healed_by=("redelivery",), recovered_in=(7.0,)),
        Result("kill -9", "nats", "c", harmed, stuck="job x: waited"),
    ]
    assert table(results, by_fault) == [
        HEADINGS,
        ("kill -9: shipper", "2", "0", "0", "0", "0", "redelivery 2, restart 1", "6.0 / 7.0"),
        ("kill -9: nats", "1", "1", "0", "1", "1", "", ""),
    ]
    assert markdown(table(results, by_fault)).splitlines()[1] == "| " + " | ".join(["---"] * len(HEADINGS)) + " |"
