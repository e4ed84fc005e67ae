"""What the farm and its trainers say to each other: calls, messages to a spare, progress."""
