"""A job's source behind its rows: checked, verified, restored."""
