"""This machine: its cores, and defaults that fit its size."""
