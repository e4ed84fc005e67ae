"""`multitrain table`: what jobs came to, one beside the other."""
