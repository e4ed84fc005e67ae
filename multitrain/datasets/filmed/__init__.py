"""Frames of videos as pictures: found, decoded, mended where they are made of two fields."""
