"""The farm: jobs are given slots, watched, and seen to their films."""
