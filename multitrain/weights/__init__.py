"""Checkpoints, and the weights that trainings and walks begin from."""
