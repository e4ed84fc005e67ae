"""The test card, which trains nothing."""
