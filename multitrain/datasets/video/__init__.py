"""Frames out of videos: found by their time, decoded, cut, freed of fields."""
