"""Video files as players show them: which frames there are, when, which way up, how large.

Including files whose times begin again, whose edit list hides frames, that are turned or mirrored,
or whose pixels are not square.
"""
