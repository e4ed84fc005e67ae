"""Autoencoders of video: their layers, planned."""
