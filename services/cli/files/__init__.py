"""Files that commands write for a person to open or print."""
