"""ffmpeg: the program, its arguments, running it."""
