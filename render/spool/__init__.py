"""Frames on their way from a trainer to the encoders, and where a training can go on."""
