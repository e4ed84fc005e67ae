"""Layers and blocks that families share, written with Keras so that any engine can run them."""
