"""White-box cartoonization: its layers, planned."""
