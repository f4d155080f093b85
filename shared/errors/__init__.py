"""The one way to fail: a registry of E-codes and the exception that carries one.

Every failure a person may read has a code, a sentence that says what is wrong and where, and what to do about it.
``E-1xxx`` source, ``E-2xxx`` request, mapping and validation, ``E-3xxx`` carrier, ``E-4xxx`` bus, database and
write-back, ``E-5xxx`` authentication and configuration: a module each, whose every entry can be imported from here.
"""

from shared.errors.carrier import *  # noqa: F403 - a section's every entry is to be had here, and named once
from shared.errors.configuration import *  # noqa: F403 - as above
from shared.errors.jobs import *  # noqa: F403 - as above
from shared.errors.registry import REGISTRY as REGISTRY
from shared.errors.registry import ErrorBody as ErrorBody
from shared.errors.registry import ErrorKind as ErrorKind
from shared.errors.registry import TallyError as TallyError
from shared.errors.requests import *  # noqa: F403 - as above
from shared.errors.sources import *  # noqa: F403 - as above
