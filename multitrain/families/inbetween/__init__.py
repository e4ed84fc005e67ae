"""Frames between frames: a network that finds what moves, and moves it."""
