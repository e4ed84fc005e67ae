"""Kinds of networks, as far as a sheet has to know them."""
