"""A workspace on disk: where every file lies, the jobs' files, the store."""
