"""Pictures decoded once, and kept for the next trainings."""
