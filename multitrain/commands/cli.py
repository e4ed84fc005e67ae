"""The command line: thin commands over the other packages."""

from __future__ import annotations

import io
import os
import sqlite3
import sys

import click

from jobs.errors import ExitCode, MultitrainError
from jobs.secrets import hidden
from jobs.workspace.disk import means_full
from multitrain.commands.lazy import LazyGroup
from multitrain.startup.interrupts import interrupt_on_signals

ORDERS = (
    "submit", "pause", "resume", "cancel", "requeue", "priority", "top", "forget", "drain"
)  # fmt: skip
PLACES = {
    **{name: f"{name}:{name}" for name in ("check", "earlier", "logs", "serve", "show", "status")},
    **{
        name: f"clips.{name}:command"
        for name in ("apply", "export", "formats", "loop", "merge", "moments", "walk")
    },
    **{name: f"tinkering:{name}" for name in ("compare", "generate", "mutate")},
    **{name: f"steering:{name}" for name in ORDERS},
    "codec": "codec:codec",
    "dataset": "datasets:dataset",
    "evaluate": "evaluate:command",
    "evolve": "evolve:command",
    "network": "network:command",
    "quick": "quick.command:command",
    "resume-from": "resume_from:command",
    "run": "run.command:run",
    "table": "table.command:command",
}
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=LazyGroup, places=PLACES, context_settings=CONTEXT)
@click.version_option(package_name="multitrain", prog_name="multitrain")
def commands() -> None:
    """Train sheets of GANs on all your GPUs and wake up to their films.

    Exit codes: 0 all done, 1 some jobs failed, 2 the sheet or the call is wrong (nothing was
    started), 75 drained (run again to go on).
    """


def main() -> None:
    """Entry point: errors for people become one or two sentences and their exit code."""
    sys.stdout = sys.stdout or io.StringIO()  # None where a shell has closed them
    sys.stderr = sys.stderr or io.StringIO()
    for output in (sys.stdout, sys.stderr):  # a path may hold what a terminal's encoding lacks
        if isinstance(output, io.TextIOWrapper):
            output.reconfigure(errors="backslashreplace")
    try:
        interrupt_on_signals()
        sys.exit(commands(prog_name="multitrain", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except MultitrainError as error:
        click.echo(hidden(str(error)), err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(ExitCode.DRAINED)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.FAILED)
    except (OSError, sqlite3.Error) as error:
        full = " (make room there, and give the command again)" if means_full(error) else ""
        click.echo(hidden(f"multitrain cannot go on: {error}{full}"), err=True)
        sys.exit(ExitCode.FAILED)
