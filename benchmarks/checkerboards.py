"""What each way to enlarge draws: `python -m benchmarks.checkerboards PICTURE`.

Trains the jobs of docs/checkerboards.yaml, which differ in `convolution_g` alone, on drawn
pictures, and lays samples of the last frame of each side by side, enlarged, below the checkerboard
that is measured in its film. With `--workspace` the films stay there, and those that are there
already are not trained again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from jobs.sheets.sheet import read_sheet
from jobs.workspace.files import listing
from jobs.workspace.paths import Workspace
from multitrain.datasets.looking.checkerboards import checkerboard_of
from render.clips.comparing import find_take
from render.clips.labels import find_font
from render.clips.looking import look_at_film
from render.files.reading import FilmReader

SHEET = Path(__file__).parents[1] / "docs" / "checkerboards.yaml"
DATASET = "silk"
DRAWN = ("--style", "waves", "--size", "64x64", "--count", "200")

SAMPLE = 3  # of each frame, from 0, is shown
PART = 24  # pixels of its middle that are shown larger
SIDE = 192  # pixels of each: a multiple of the samples' 64 and of PART
GAP, STRIP, LETTERS = 6, 24, 13  # pixels
PAPER, INK = (16, 16, 16), (235, 235, 235)


class Column(NamedTuple):
    """What one way to enlarge has drawn."""

    title: str
    picture: NDArray[np.uint8]  # (height, width, 3)
    decibels: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the picture; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.checkerboards")
    parser.add_argument("picture", type=Path, help="where it goes, a PNG file")
    parser.add_argument("--workspace", type=Path, help="where films stay")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="checkerboards-") as folder:
        workspace = Workspace((given.workspace or Path(folder)).absolute())
        train(workspace)
        columns = [of_pictures(workspace), *of_films(workspace)]
    draw(columns).save(given.picture, format="PNG", optimize=True)
    for column in columns:
        print(f"{column.title:<16} {column.decibels:5.1f} dB")
    return 0


def train(workspace: Workspace) -> None:
    """Draw the pictures and train the jobs, unless they are there."""
    workspace.root.mkdir(parents=True, exist_ok=True)
    if not workspace.dataset(DATASET).exists():
        _call(workspace, "dataset", "demo", DATASET, *DRAWN)
    _call(workspace, "run", str(SHEET))


def _call(workspace: Workspace, *words: str) -> None:
    command = [sys.executable, "-m", "multitrain", *words, "--workspace", str(workspace.root)]
    subprocess.run(command, check=True, cwd=SHEET.parents[1])


def of_pictures(workspace: Workspace) -> Column:
    """A picture of the data set, and what all of them measure."""
    folder = workspace.dataset(DATASET)
    paths = [folder / name for name in listing(folder)]
    with Image.open(paths[SAMPLE]) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    return Column("the pictures", pixels, checkerboard_of(paths) or 0.0)


def of_films(workspace: Workspace) -> list[Column]:
    """A sample of the last frame of each job, and what its film measures."""
    columns = []
    for job in read_sheet(SHEET, workspace).jobs:
        files = find_take(workspace, job.spec.name).files
        seen = look_at_film(files, None, lambda _: None)
        with FilmReader(files) as reader:
            frame = reader[reader.frames - 1]
        x, y, width, height = seen.samples[SAMPLE]
        sample = frame[y : y + height, x : x + width, :3]
        columns.append(Column(job.spec.name, sample, seen.checkerboard or 0.0))
    return columns


def draw(columns: Sequence[Column]) -> Image.Image:
    """Each in a column: its name and decibels, the sample, and the middle of that larger."""
    step = SIDE + GAP
    canvas = Image.new("RGB", (GAP + step * len(columns), GAP + STRIP + 2 * step), PAPER)
    pen, font = ImageDraw.Draw(canvas), find_font(LETTERS)
    for number, column in enumerate(columns):
        left = GAP + number * step
        title = f"{column.title}: {column.decibels:.1f} dB"
        pen.text((left + SIDE / 2, GAP + STRIP / 2), title, fill=INK, font=font, anchor="mm")
        height, width = ((side - PART) // 2 for side in column.picture.shape[:2])
        middle = column.picture[height : height + PART, width : width + PART]
        for row, shown in enumerate((column.picture, middle)):
            large = Image.fromarray(shown).resize((SIDE, SIDE), Image.Resampling.NEAREST)
            canvas.paste(large, (left, GAP + STRIP + row * step))
    return canvas


if __name__ == "__main__":
    sys.exit(main())
