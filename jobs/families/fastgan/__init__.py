"""FastGAN: its layers, planned."""
