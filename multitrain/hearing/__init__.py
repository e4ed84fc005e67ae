"""Songs as listeners hear them: onsets, beats, sections, loudness."""
