"""Data sets of frames of videos: which frames, how they are cut."""
