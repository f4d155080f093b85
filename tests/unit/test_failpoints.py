import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.errors import SETTINGS_INVALID, TallyError
from shared.failpoints import FAIL_POINTS, parse

ROOT = Path(__file__).parents[2]


def passed_in_the_code() -> list[str]:
    """The name in every call of `failpoint`, by the service that makes it."""
    names = []
    for file in (ROOT / "services").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "failpoint":
                constants = (argument.value for argument in node.args if isinstance(argument, ast.Constant))
                (name,) = (value for value in constants if isinstance(value, str))
                assert name.partition(".")[0] == file.relative_to(ROOT / "services").parts[0], f"{name} in {file}"
                names.append(name)
    return names


def test_every_point_is_passed_in_its_service() -> None:
    assert {*passed_in_the_code()} == {*FAIL_POINTS}


def test_a_point_has_an_action_and_a_passing() -> None:
    assert parse("shipper.after_call=kill@17, writeback.before_ack=stop") == {
        "shipper.after_call": ("kill", 17),
        "writeback.before_ack": ("stop", 1),
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("shipper.after_cal=kill", "there is no fail point 'shipper.after_cal'"),
        ("shipper.after_call=burn", "unknown action 'burn'"),
        ("shipper.after_call", "unknown action ''"),
        ("shipper.after_call=kill@0", "no passing number '0'"),
        ("shipper.after_call=kill@soon", "no passing number 'soon'"),
    ],
)
def test_what_is_not_known_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(TallyError, match=words) as raised:
        parse(text)
    assert raised.value.kind is SETTINGS_INVALID


@pytest.mark.parametrize("service", ["coordinator", "shipper", "writeback", "sandbox"])
def test_a_service_with_an_unknown_point_says_so_and_does_not_start(service: str, tmp_path: Path) -> None:
    environment = os.environ | {"TALLY_FAILPOINTS": "nowhere=kill", "PYTHONPATH": str(ROOT)}
    started = subprocess.run(
        [sys.executable, "-m", f"services.{service}"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert started.returncode == 1
    assert started.stderr == ("E-5002: TALLY_FAILPOINTS: there is no fail point 'nowhere'. Correct the setting.\n")
