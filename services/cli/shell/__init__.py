"""`tally shell`: a session of commands without the word `tally`."""
