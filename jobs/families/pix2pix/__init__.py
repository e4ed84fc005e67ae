"""pix2pix: its layers, planned."""
