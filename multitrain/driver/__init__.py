"""NVIDIA's driver: what is asked of it, without ever waiting long."""
