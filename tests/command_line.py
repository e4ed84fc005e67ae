"""The commands of `multitrain`, by their names, and what they import."""

from __future__ import annotations

import subprocess
import sys

import click

from multitrain.commands.cli import commands


def command_named(name: str) -> click.Command:
    command = commands.get_command(click.Context(commands), name)
    assert command, name
    return command


def frameworks_loaded_by(module: str, *arguments: str) -> tuple[str, str]:
    """What a wrong call of the command in `module` says, and the frameworks that it has imported.

    In a process of its own, in the current folder.
    """
    script = (
        f"import sys\nfrom {module} import command\n"
        "from jobs.errors import UsageError\n"
        "try: command(sys.argv[1:], standalone_mode=False)\n"
        "except UsageError as error: print(error)\n"
        "print([each for each in ('tensorflow', 'keras', 'jax') if each in sys.modules])"
    )
    call = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    said, loaded = done.stdout.splitlines()
    return said, loaded
