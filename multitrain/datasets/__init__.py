"""Pictures into arrays: folders of the user's, and the built-in data set."""
