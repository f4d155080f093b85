"""One rig of each shape for all tests of a file."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.crash.rig import Rig, running_rig
from tests.crash.shapes import ONE, SEVERAL


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    """A rig with one process of each service."""
    async with running_rig(tmp_path_factory.mktemp("one"), ONE) as rig:
        yield rig


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def several(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    """A rig with two coordinators, three shippers and two writebacks."""
    async with running_rig(tmp_path_factory.mktemp("several"), SEVERAL) as rig:
        yield rig
