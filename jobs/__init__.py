"""What a user asks for: sheets, specs, states and where every file lives.

The lowest room: imports neither TensorFlow nor ffmpeg, and nothing from `render` or `multitrain`.
"""
