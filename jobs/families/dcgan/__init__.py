"""DCGAN: its layers, planned, and the mistakes that they can have."""
