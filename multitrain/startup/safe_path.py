"""Which code our Python processes run: ours and what is installed, nothing of the current folder.

Python looks for modules in the folder where a command is typed, and in those of `PYTHONPATH`,
before it looks into its own library: a `random.py` or `render.py` there would be run in place of
the real one. So every Python process of ours is started by `python_command`, which runs this file,
and this file sees to it that

- `jobs`, `render` and `multitrain` come from where this file lies, as in the process that started
  it, however that one found them;
- the current folder is not searched at all;
- the folders of `PYTHONPATH` are searched last, behind Python's own and the installed packages;
- pydantic runs no plug-ins, which it would look for in every package that is installed.

This file imports at its top only what Python has always loaded itself by then.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PACKAGES = frozenset({"jobs", "render", "multitrain"})
SEARCHED_LAST = "MULTITRAIN_SEARCHED_LAST"  # a variable that passes `PYTHONPATH` to a child


def python_command(module: str) -> tuple[str, ...]:
    """The command that runs `module` of ours as a process; its arguments come behind it."""
    flags = [
        "-P",
        "-u",
    ]  # no current folder on the path; output unbuffered, so that logs are up to date
    if sys.flags.no_user_site:
        flags.append("-s")
    return (sys.executable, *flags, os.path.abspath(__file__), module)


class _OurPackages:
    """Finds our packages before any folder is searched."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return PathFinder.find_spec(name, [ROOT], target) if name in PACKAGES else None


def protect() -> None:
    """Have this process import as described above, from now on.

    Call it before anything else is imported. The current folder must be off the path already, where
    Python has put it there: it looks like one that belongs there.
    """
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    sys.meta_path.insert(0, _OurPackages)
    search_paths = (os.environ.get(name, "") for name in (SEARCHED_LAST, "PYTHONPATH"))
    last = [each for path in search_paths for each in path.split(os.pathsep) if os.path.isabs(each)]
    first = [folder for folder in sys.path if folder and folder not in last]
    sys.path[:] = dict.fromkeys([*first, *last, ROOT])


def _main() -> None:
    """What `python_command` starts."""
    import runpy

    protect()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
