"""A trained network at work: on a device of its own, with the weights of any step."""
