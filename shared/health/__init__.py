"""Whether a process is well: what its HTTP endpoint says to whoever keeps it running."""
