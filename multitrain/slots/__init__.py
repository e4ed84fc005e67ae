"""Where jobs can run: pools of GPUs and cores, and leases on them."""
