"""`python -m tests.audit`."""

import sys

from tests.audit.auditing import main

sys.exit(main())
