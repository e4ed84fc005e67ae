"""Large pictures into tiles, and back."""
