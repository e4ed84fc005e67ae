"""What the farm gets ready for the next jobs while others train."""
