"""A release to come, whose ship commands are of another version.

`python -m tests.upgrade.next_release services.shipper`

It is this release but for one number: it writes ship commands of the version after this one's, and reads them.
"""

from __future__ import annotations

import sys
from importlib import import_module

from shared.contracts.commands import ShipCommand

VERSION = ShipCommand.newest + 1


def raise_version() -> None:
    """Have this process write and read ship commands of the next version."""
    ShipCommand.newest = VERSION
    ShipCommand.model_fields["version"].default = VERSION
    ShipCommand.model_rebuild(force=True)


if __name__ == "__main__":
    raise_version()
    import_module(f"{sys.argv[1]}.app").main()
