"""`multitrain quick`: from a video to a film in one line, by the other commands."""
