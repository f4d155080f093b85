"""`python -m services.coordinator`."""

from services.coordinator.administration import main
from shared.process import run_or_explain

run_or_explain(main)
