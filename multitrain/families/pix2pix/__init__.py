"""pix2pix: its networks, built of the layers that were planned."""
