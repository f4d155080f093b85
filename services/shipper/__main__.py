"""`python -m services.shipper`."""

from services.shipper.app import main
from shared.process import run_or_explain

run_or_explain(main)
