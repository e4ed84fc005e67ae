"""Jobs of a machine that is gone, brought back by what it had sent away."""
