"""What `tally doctor` looks at from outside, and what it makes of it."""
