"""What rows cost before they ship, and what the carrier knows of their addresses."""
