"""Fixtures that tests against real processes share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.house import House, running_house


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house for all tests of a worker; each test ships a file of its own."""
    with running_house(tmp_path_factory.mktemp("house")) as house:
        yield house
