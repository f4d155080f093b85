"""The possessive quantifier, where Python gets it right.

Every pattern that has it is written to match alike without it, having one way to match; with it, a match remembers none
of the fields or attributes that it went through, so that a hostile text of many takes no memory.
"""

from __future__ import annotations

import sys

# Versions before 3.11.5 match wrongly: python/cpython#106052.
POSSESSIVE = "+" if sys.version_info >= (3, 11, 5) else ""
