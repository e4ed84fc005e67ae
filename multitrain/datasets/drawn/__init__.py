"""Pictures that are drawn: the built-in ones and those of `demo`."""
