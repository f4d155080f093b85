"""What a person is shown before money moves, and their approval of it."""
