"""CycleGAN: its layers, planned."""
