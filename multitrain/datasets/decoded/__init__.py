"""Files of pictures into arrays."""
