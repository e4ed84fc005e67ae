"""The commands of `multitrain`."""
