"""Frames between frames: the plan of a network that finds what moves."""
