"""`multitrain run`: a farm put together, its loop, what is shown of it."""
