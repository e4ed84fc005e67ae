"""`multitrain serve`: the page, to watch and steer the night from."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path

import click

from jobs.workspace.paths import Workspace
from multitrain.commands.options import Whole, workspace_option

PORT = 8765  # of `multitrain.serving.server`, which is imported late


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen at; 0.0.0.0: reachable from other machines.",
)
@click.option(
    "--port",
    type=Whole(0, 65535),
    show_default=f"{PORT}, or any that is free",
    help="Port to listen at; 0: any that is free.",
)
@click.option("--name", "names", multiple=True, help="A further name of this machine, such as nas.")
@click.option(
    "--allow-commands-from-page",
    "allows_commands",
    is_flag=True,
    help="Take sheets that run commands or send files away.",
)
@click.option("--new-link", is_flag=True, help="Let nobody in who has the link of before.")
@click.option("--ends-with-stdin", is_flag=True, hidden=True)  # of `run --page`
@workspace_option
def serve(
    host: str,
    port: int | None,
    names: tuple[str, ...],
    allows_commands: bool,
    new_link: bool,
    ends_with_stdin: bool,
    workspace: Path,
) -> None:
    """Show the workspace as a page in a browser, until Ctrl-C: to watch and to steer."""
    from multitrain.serving.server import Serving
    from multitrain.serving.server import serve as run
    from multitrain.startup.safe_path import python_command

    place = Workspace(workspace.absolute())
    place.runs.mkdir(parents=True, exist_ok=True)
    asked = Serving(host, port, names, allows_commands, new_link)
    try:
        run(
            place,
            asked,
            python_command("multitrain"),
            click.echo,
            version=_version(),
            ends_with_stdin=ends_with_stdin,
        )
    except KeyboardInterrupt:
        return


def _version() -> str:
    try:
        return version_of("multitrain")
    except PackageNotFoundError:
        return ""
