"""The table as a page: one file, with each job's video beside its row."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from PIL import Image

from jobs.errors import MultitrainError
from jobs.workspace.paths import Workspace
from multitrain.commands.table.columns import APPLIED, FILM, cells, figures
from multitrain.commands.table.results import Result
from render.clips.comparing import find_take
from render.files.reading import FilmReader
from render.shown.screen import over_black

PLAYED = (".mp4", ".webm")  # by browsers
WIDEST = 480  # pixels of a picture, and of a film as the page shows it
QUALITY = 85  # of JPEG

_HEAD = ("<!doctype html>", "<meta charset=utf-8>")
_STYLE = (
    "body{background:#111;color:#ddd;font:15px sans-serif}"
    "table{border-collapse:collapse}th,td{padding:.4em .8em;text-align:left;"
    "border-bottom:1px solid #333}.figure{text-align:right;font-variant-numeric:tabular-nums}"
    f"a{{color:#9cf}}video,img{{max-width:{WIDEST}px;display:block}}"
)


def page(place: Workspace, folder: Path, found: Sequence[Result], by: str) -> str:
    """The whole page, for a file in `folder`, from which its links lead to the videos."""
    shown, numbers = cells(place, found, by), figures(found)
    kinds = {name: " class=figure" if name in numbers else "" for name in shown}
    words = [name for name in shown if name not in (FILM, APPLIED)]
    head = "".join(f"<th{kinds[name]}>{escape(name)}</th>" for name in words)
    rows = [f"<tr>{head}<th>{FILM}</th></tr>"]
    for number, result in enumerate(found):
        told = "".join(f"<td{kinds[name]}>{escape(shown[name][number])}</td>" for name in words)
        rows.append(f"<tr>{told}<td>{_watched(place, folder, result)}</td></tr>")
    title = f"<title>{escape(f'by {by}' if by else 'jobs')}</title>"
    body = ["<table>", *rows, "</table>"]
    return "\n".join([*_HEAD, title, f"<style>{_STYLE}</style>", *body, ""])


def _watched(place: Workspace, folder: Path, result: Result) -> str:
    """The film, or a picture of its last frame that leads to it; links to the other videos."""
    films, applied = result.videos
    first = _first(place, folder, result.name, films[0]) if films else ""
    others = [
        f'<a href="{_address(file, folder)}">{escape(file.name)}</a><br>'
        for file in (*films[1:], *applied)
    ]
    return first + "".join(others)


def _first(place: Workspace, folder: Path, name: str, film: Path) -> str:
    picture, address = _last_frame(place, name), _address(film, folder)
    if film.suffix.casefold() in PLAYED:
        shown = f'poster="{picture}" src="{address}"'
        return f"<video controls loop muted preload=none {shown}></video>"
    return f'<a href="{address}"><img alt="{escape(film.name)}" src="{picture}"></a>'


def _address(file: Path, folder: Path) -> str:
    return quote(os.path.relpath(file, folder).encode(errors="surrogateescape"))


def _last_frame(place: Workspace, name: str) -> str:
    """A JPEG within an address; empty where no frame can be read."""
    try:
        take = find_take(place, name)
        with FilmReader(take.files) as reader:
            picture = Image.fromarray(over_black(reader[take.frames - 1]))
    except (MultitrainError, OSError):
        return ""
    picture.thumbnail((WIDEST, WIDEST))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
