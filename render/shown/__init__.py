"""Videos as players show them, for every command that reads videos.

Including files whose times begin again, whose edit list hides frames, that are turned or mirrored,
whose pixels are not square, whose alpha a decoder would leave out, or whose frames come at uneven
times.
"""
