"""Which pictures a data set has, by their names and headers."""
