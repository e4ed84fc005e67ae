"""Super-resolution in three stages: its networks, built of the parts that were planned."""
