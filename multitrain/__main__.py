"""`python -m multitrain` and the command `multitrain`."""

import gc
import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    del sys.path[0]  # the current folder: nothing may be imported from it

from multitrain.startup.safe_path import protect


def main() -> None:
    """Entry point."""
    protect()
    # A sheet of thousands of jobs is a million objects that all stay.
    gc.set_threshold(200_000, 20, 50)
    try:
        from multitrain.commands.cli import main as run
    except KeyboardInterrupt:  # the import takes a moment
        from jobs.errors import ExitCode

        sys.exit(ExitCode.DRAINED)
    # What is imported stays. To look at it again, as Python does at its end, would take as long as
    # a sixth of a short command; nor is what a command leaves looked at.
    gc.freeze()
    try:
        run()
    finally:
        gc.freeze()


if __name__ == "__main__":
    main()
