"""Autoencoders of video: their networks, built of the layers that were planned; how they code."""
