"""`python -m services.console`."""

from services.console.app import main
from shared.process import run_or_explain

run_or_explain(main)
