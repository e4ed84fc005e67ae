"""The commands that make data sets, as scenes."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import numpy as np
from PIL import Image

from jobs.workspace.paths import Workspace
from multitrain.commands.datasets import dataset
from tests.footage import write_video

SIZE = (32, 24)  # of a picture, in pixels
SMALL = ("--scale", "-1:24")


def pictures(workspace: Workspace) -> None:
    """Two of them in a folder, and below it."""
    folder = workspace.root / "scans"
    (folder / "more").mkdir(parents=True)
    for number, where in enumerate((folder, folder / "more")):
        pixels = np.random.default_rng(number).integers(0, 256, (*SIZE[::-1], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(where / f"{number}.png")


def video(workspace: Workspace) -> None:
    """Twelve frames."""
    write_video(workspace.root / "film.mkv", 12)


ANY_FACE = """<opencv_storage><cascade><featureType>LBP</featureType>
    <width>12</width><height>12</height><stageNum>1</stageNum>
    <stages><_><maxWeakCount>1</maxWeakCount><stageThreshold>1</stageThreshold><weakClassifiers>
        <_><internalNodes>0 -1 0 0 0 0 0 0 0 0 0</internalNodes><leafValues>1 1</leafValues></_>
    </weakClassifiers></_></stages>
    <features><_><rect>0 0 4 4</rect></_></features>
</cascade></opencv_storage>"""


def people(workspace: Workspace) -> None:
    """Faces are larger than the pictures of other scenes; each in a folder of its own."""
    for number in range(2):
        folder = workspace.root / "people" / str(number)
        folder.mkdir(parents=True)
        Image.new("RGB", (48, 40)).save(folder / "any.png")
    (workspace.root / "any.xml").write_text(ANY_FACE)


def archive(workspace: Workspace) -> None:
    """Two pictures in a zip file, which a server hands out."""
    pictures(workspace)
    with zipfile.ZipFile(workspace.root / "scans.zip", "w") as file:
        for path in sorted((workspace.root / "scans").rglob("*.png")):
            file.write(path, path.name)


def draw(workspace: Workspace) -> None:
    _make(workspace, "drawn", "demo", "drawn", "--style", "shapes", "--count", "2", *_size())


def convert(workspace: Workspace) -> None:
    _make(workspace, "small", "convert", workspace.root / "scans", "small", *_cover())


def pair_and_split(workspace: Workspace) -> None:
    """Each picture with itself; with a contact sheet."""
    scans, sheet = workspace.root / "scans", workspace.root / "pairs.png"
    _make(workspace, "pairs", "pair", scans, scans, "pairs", "--sheet", sheet)
    _make(workspace, "parts", "split", "pairs", "parts")


def tile_and_untile(workspace: Workspace) -> None:
    sizes = ("--tile", "8x8", "--edges")
    _make(workspace, "tiles", "tile", workspace.root / "scans", "tiles", *sizes)
    if not (laid := workspace.root / "laid").exists():
        _call(workspace, "untile", "tiles", laid)


def extract(workspace: Workspace) -> None:
    _make(
        workspace,
        "stills",
        "extract",
        workspace.root / "film.mkv",
        "stills",
        "--count",
        "2",
        *SMALL,
    )


def faces(workspace: Workspace) -> None:
    """By a cascade that takes anything for one; with a contact sheet."""
    cascade, sheet = workspace.root / "any.xml", workspace.root / "faces.png"
    options = ("--cascade", cascade, "--size", "8", "--least", "24")
    options += ("--no-sheet",) if sheet.exists() else ("--sheet", sheet)
    _make(workspace, "faces", "faces", workspace.root / "people", "faces", *options)


def fetch(workspace: Workspace) -> None:
    """An archive, and a film."""
    with _served(workspace.root) as address:
        _make(workspace, "fetched", "fetch", f"{address}/scans.zip", "fetched")


def extract_from_afar(workspace: Workspace) -> None:
    with _served(workspace.root) as address:
        _make(
            workspace, "stills", "extract", f"{address}/film.mkv", "stills", "--count", "2", *SMALL
        )


def _size() -> tuple[str, str]:
    return "--size", f"{SIZE[0]}x{SIZE[1]}"


def _cover() -> tuple[str, ...]:
    return "--preprocess", "cover", "--load-size", "16x8"


def _make(workspace: Workspace, name: str, *arguments: object) -> None:
    """Unless it is there from a showing before."""
    if not workspace.dataset(name).exists():
        _call(workspace, *arguments)


def _call(workspace: Workspace, *arguments: object) -> None:
    dataset.main([*map(str, arguments), "--workspace", str(workspace.root)], standalone_mode=False)


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The files of a folder at the address that is handed out."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
