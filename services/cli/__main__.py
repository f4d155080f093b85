"""`python -m services.cli` is `tally`."""

from services.cli.main import main

main()
