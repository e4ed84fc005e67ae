"""Decoded pictures: how long a trainer waits for them, and what memory they take.

Every opening is a process of its own, as every trainer is. A first one decodes all files and keeps
the pixels, a second one finds them; in between, the same files are decoded into memory only. The
files are in the page cache for all of them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from benchmarks.figures import Effort, Figure
from jobs.workspace.paths import Workspace
from multitrain.datasets.drawn.landscapes import draw_landscape

FILES, SIDE = 10_000, 128  # pixels
QUICK_FILES = 100
LANDSCAPES = 20  # drawn; all other pictures are these, shifted
FOLDER = "many"

MOST_SECONDS = 1.0
MOST_BYTES_PER_VALUE = 1.1

Opening = Mapping[str, float]  # seconds, bytes_per_value


def measure(effort: Effort) -> list[Figure]:
    """Needs half a gigabyte of disk, twice, in the folder for temporary files."""
    files = QUICK_FILES if effort.quick else FILES
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        _draw(workspace.dataset(FOLDER), files)
        first, second, uncached = [], [], []
        for _ in range(effort.repetitions):
            shutil.rmtree(workspace.cache, ignore_errors=True)
            first.append(_open(workspace, "cache"))
            uncached.append(_open(workspace, "memory"))
            second.append(_open(workspace, "cache"))
    return _figures(files, first, second, uncached)


def _figures(
    files: int, first: Sequence[Opening], second: Sequence[Opening], uncached: Sequence[Opening]
) -> list[Figure]:
    def middle(openings: Sequence[Opening], what: str) -> float:
        return median(each[what] for each in openings)

    return [
        Figure(
            name="second start on the same pictures",
            value=middle(second, "seconds"),
            unit="s",
            limit=MOST_SECONDS,
            at_least=False,
            beside={
                "first start s": middle(first, "seconds"),
                "decoded into memory s": middle(uncached, "seconds"),
            },
            note=f"{files:,} PNG files of {SIDE}x{SIDE}",
        ),
        Figure(
            name="memory of decoded pictures",
            value=max(middle(openings, "bytes_per_value") for openings in (first, second)),
            unit="bytes per value",
            limit=MOST_BYTES_PER_VALUE,
            at_least=False,
            beside={
                "first start": middle(first, "bytes_per_value"),
                "second start": middle(second, "bytes_per_value"),
                "decoded into memory": middle(uncached, "bytes_per_value"),
            },
            note="peak of a process that opens them and reads every pixel",
        ),
    ]


def _draw(folder: Path, count: int) -> None:
    """`count` pictures that are all different, as PNG files."""
    folder.mkdir(parents=True)
    drawn = [draw_landscape(seed, SIDE, SIDE) for seed in range(min(LANDSCAPES, count))]

    def draw(number: int) -> None:
        shift, which = divmod(number, len(drawn))
        pixels = np.roll(drawn[which], shift, axis=(0, 1))
        pixels[0, 0] = np.frombuffer(number.to_bytes(3, "little"), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:05d}.png", compress_level=1)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(draw, range(count)):
            pass


def _open(workspace: Workspace, way: str) -> Opening:
    """In a process of its own."""
    command = [sys.executable, "-m", __name__, str(workspace.root), way]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    opening: Opening = json.loads(said)
    return opening


def _opened(workspace: Workspace, way: str) -> Opening:
    """Open the pictures in this process, then read every pixel."""
    import time

    from multitrain.datasets.cached.cache import open_pictures
    from multitrain.datasets.decoded.folders import load_pictures

    before, begun = _peak_bytes(), time.perf_counter()
    if way == "cache":
        images = open_pictures(workspace, [FOLDER], SIDE, SIDE, keep_free=0).images
    else:
        images = load_pictures([workspace.dataset(FOLDER)], SIDE, SIDE).images
    seconds = time.perf_counter() - begun
    for picture in images:
        picture.sum()
    return {"seconds": seconds, "bytes_per_value": (_peak_bytes() - before) / images.size}


def _peak_bytes() -> int:
    """The most memory that this process ever had, mapped files included; Linux only.

    Not what `getrusage` says: a new process inherits that from the one that started it.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    print(json.dumps(_opened(Workspace(Path(sys.argv[1])), sys.argv[2])))
