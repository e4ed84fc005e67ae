"""Why files cannot go where a sheet wants them, and why its webhooks cannot be called."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from jobs.settings.destinations import NO_FOLDER, Destination
from jobs.settings.spec import COLUMNS, facets
from jobs.workspace.paths import Workspace

WEBHOOKS = ("http://", "https://")
ORDERS = tuple(column for column in COLUMNS if facets(column).private == "command")


def unfit_folder(destination: Destination, workspace: Workspace) -> str | None:
    """Why a folder of this machine cannot take what `renders` holds; None where it can."""
    if destination.scheme != "file":
        return None
    try:
        if not Path(destination.folder).is_dir():
            return NO_FOLDER.format(destination.folder)
    except OSError as error:
        return f"cannot be looked at ({error.strerror})"
    folder = Path(os.path.realpath(destination.folder))
    for ours in (workspace.renders, workspace.runs):
        if folder.is_relative_to(os.path.realpath(ours)):
            return f"lies in {ours}, where the files are made; choose a folder elsewhere"
    return None


def is_webhook(order: str) -> bool:
    """Whether an order is an address rather than a command."""
    return order.lstrip().casefold().startswith(WEBHOOKS)


def unfit_address(order: str) -> str | None:
    """What is wrong with a webhook's address, without repeating it; commands are not looked at.

    Variables may stand anywhere in it, so not every mistake can be found here.
    """
    address = order.strip()
    if not is_webhook(order):
        scheme = re.match(r"(\w+)://\S*$", address)
        known = "a webhook begins with http:// or https://"
        return f"begins with {scheme[1]}://; {known}" if scheme else None
    if not address.isprintable() or re.search(r"\s", address):
        return "is an address with a blank or a character that cannot be printed; write it as %20"
    try:
        parts = urlsplit(address)
        if not parts.netloc or (not parts.hostname and "$" not in parts.netloc):
            return "is an address without a host; it must be as https://hooks.example/…"
        if "$" not in parts.netloc:
            _ = parts.port
    except ValueError:
        return "is an address whose host or port makes no sense"
    return None
