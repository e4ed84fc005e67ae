"""A job's film: what is due, made of frames, segments and timecuts."""
