"""`multitrain dataset fetch`: pictures from archives on the web."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from jobs.errors import UsageError
from jobs.secrets import plain_address
from jobs.settings.words import nearest, quoted
from jobs.units import bytes_for_people
from jobs.workspace.files import write_text
from jobs.workspace.paths import Workspace
from multitrain.commands.datasets.common import json_option, tell, workspace_at
from multitrain.commands.long_work import say, shown_bytes
from multitrain.commands.options import Number, workspace_option
from multitrain.datasets.made.making import Made, new_data_set
from multitrain.datasets.made.sources import SOURCE, address_told
from multitrain.datasets.web.catalogue import COLLECTIONS, Source
from multitrain.datasets.web.fetching import Unusable, digest_of, fetched
from multitrain.datasets.web.unpacking import unpack

SHA256 = re.compile(r"[0-9a-fA-F]{64}")
LIST_WIDTH = 200  # characters, where it goes to a file or a pipe


@click.command()
@click.argument("source", required=False)
@click.argument("name", required=False)
@click.option("--list", "listed", is_flag=True, help="Tell the collections and their licences.")
@click.option("--sha256", help="Of the archive; what is another one is refused.")
@click.option(
    "--most-gb",
    type=Number(0, 1e6, min_open=True),
    default=20,
    show_default=True,
    help="GB that the archive may have, and the pictures in it.",
)
@json_option
@workspace_option
def command(
    source: str | None,
    name: str | None,
    listed: bool,
    sha256: str | None,
    most_gb: float,
    as_json: bool,
    workspace: Path,
) -> None:
    """Fetch a collection of pictures, or any zip or tar archive of them, into data/NAME.

    SOURCE is the name of a collection (see --list) or an address. A download that was interrupted
    goes on when the command is given again. Only pictures are kept, and the archive's licence.
    """
    if listed:
        Console(width=None if sys.stdout.isatty() else LIST_WIDTH).print(_table())
        return
    if source is None:
        raise UsageError("name a collection (see --list) or the address of an archive")
    wanted = _source(source, sha256)
    if name is None and source not in COLLECTIONS:
        raise UsageError("an address needs the name that the data set is to have, too")
    place = workspace_at(workspace)
    made = _fetch(wanted, place, name or source, round(most_gb * 1e9))
    tell([made], as_json=as_json)


def _source(named: str, sha256: str | None) -> Source:
    if sha256 is not None and not SHA256.fullmatch(sha256):
        raise UsageError(f"--sha256 takes 64 hexadecimal digits, not {quoted(sha256)}")
    if "://" in named:
        return Source(named, f"sha256:{sha256}" if sha256 else None)
    if named not in COLLECTIONS:
        raise UsageError(f"there is no collection {quoted(named)}{nearest(named, COLLECTIONS)}")
    if sha256 is not None:
        raise UsageError("--sha256 is for addresses; that of a collection is known")
    return COLLECTIONS[named]


def _fetch(source: Source, place: Workspace, name: str, most_bytes: int) -> Made:
    address = plain_address(source.address)
    with (
        new_data_set(place, name) as (folder,),
        shown_bytes() as shown,
        fetched(source, place.downloads, most_bytes, shown(f"fetching {name}"), say) as archive,
    ):
        digest = digest_of(archive)
        unpacked = unpack(archive, folder, most_bytes, shown(f"unpacking {name}"))
        if not unpacked.pictures:
            raise Unusable(f"There are no pictures in {address}")
        content = f"{address_told(address)}sha256: {digest}\nlicence: {source.licence}\n"
        write_text(folder / SOURCE, content)
    notes = (f"licence: {source.licence}", f"sha256 of the archive: {digest}")
    facts: dict[str, object] = {
        "address": address,
        "sha256": digest,
        "licence": source.licence,
    }
    left_out = tuple(unpacked.left_out)
    return Made(place.dataset(name), unpacked.pictures, left_out, notes, facts)


def _table() -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("name", "what", "licence", "archive"):
        table.add_column(column, overflow="fold")
    for name, each in COLLECTIONS.items():
        size = bytes_for_people(each.archive_bytes or 0)
        table.add_row(name, each.about, each.licence, size)
    return table
