"""Commands that make clips of jobs: other formats, loops, walks, one module for each."""
