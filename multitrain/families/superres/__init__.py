"""Super-resolution: its networks, built of the parts that were planned."""
