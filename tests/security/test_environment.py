"""Secrets that come from files are in no process's environment, which is handed on and can be read from outside."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tests.integration.house import running_house

SECRETS = {
    "TALLY_CONNECTIONS__SHOP": "postgresql://shop:planted-password@127.0.0.1:1/shop",
    "TALLY_CARRIER__CLIENT_SECRET": "planted-carrier-secret",
    "TALLY_CONSOLE__TOKEN": "planted-console-token-0123456789abcdef",
}


@pytest.mark.timeout(200)
def test_a_house_hands_no_secret_of_a_file_on(tmp_path: Path) -> None:
    files = {}
    for name, secret in SECRETS.items():
        file = tmp_path / name
        file.touch(0o600)
        file.write_text(secret)
        files[f"{name}_FILE"] = str(file)
    with running_house(tmp_path, **files) as house:
        pids = {service["name"]: service["pid"] for service in house.status["services"]}
        assert {"coordinator", "shipper", "writeback", "console", "sandbox", "nats"} <= pids.keys()
        for name, pid in pids.items():
            environment = psutil.Process(pid).environ()
            assert environment
            assert not [value for value in environment.values() if "planted" in value], name
        told = psutil.Process(pids["coordinator"]).environ()
        assert told["TALLY_CONNECTIONS__SHOP_FILE"] == files["TALLY_CONNECTIONS__SHOP_FILE"]
