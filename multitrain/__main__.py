"""`python -m multitrain` is `multitrain`."""

from multitrain.cli import main

main()
