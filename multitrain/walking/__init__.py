"""Walks: loops that a trained generator draws along a closed way through its latents."""
