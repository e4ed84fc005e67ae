"""Videos as files: joined, copied, read, verified."""
