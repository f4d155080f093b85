"""The house of `tally up`: every service on this machine, kept running by one supervisor."""
