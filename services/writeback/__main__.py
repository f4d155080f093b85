"""`python -m services.writeback`."""

from services.writeback.app import main
from shared.process import run_or_explain

run_or_explain(main)
