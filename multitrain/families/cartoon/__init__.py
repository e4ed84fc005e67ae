"""White-box cartoonization: its networks, built of the layers that were planned."""
