"""Frames of videos as players show them, for every command that reads videos.

In the colours of a screen, with the alpha that a decoder would leave out, at uneven times.
"""
