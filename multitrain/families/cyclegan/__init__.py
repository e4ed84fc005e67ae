"""CycleGAN: its networks, built of the layers that were planned."""
