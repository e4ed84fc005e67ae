"""The sheet that `multitrain quick` writes: a job with comments, for people to edit."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jobs.settings.kinds import Resolution
from jobs.sheets.forms.nested_form import yaml_text
from multitrain.commands.quick.steps import Step, Steps
from multitrain.commands.quick.wishes import head_line, length_words, one_line

FPS = 30
SCREEN = Resolution(1920, 1080)  # that a film fits on
WIDE = 16 / 9
SKEW = 0.15  # of proportions, as a natural logarithm: what lies closer together is as good
PAIRS, SAMPLES = 8, 16  # most samples in a frame: of pictures beside their inputs, and of others

Lines = Sequence[tuple[str, str]]  # settings as text, each with its comment

_PIX2PIX: Lines = (
    ("family: pix2pix", "makes pictures of pictures: here, each again of its edges"),
    ("input_from: edges", "or grey, blur(3), posterise(4), downscale(8)"),
    ("show: input+output", "side by side; +target adds the picture itself"),
    ("convolution_g: upconv", "draws no checkerboards"),
    ("gf_dim: 32", "64 is the published width: finer, and some four times the work"),
    ("df_dim: 32", ""),
    ("snapshot: every 2 steps", "more steps between two frames: it has learnt more by the end"),
    ("# keep_checkpoints: every 100 steps", "for `apply --through-time`: the video, ever better"),
)
_FASTGAN: Lines = (
    ("family: fastgan", "dreams up pictures of its own; for few pictures"),
    ("snapshot: every 4 steps", "more steps between two frames: it has learnt more by the end"),
    ("# keep_checkpoints: every 500 steps", "for `walk --through-time`"),
)
_DCGAN: Lines = (
    ("family: dcgan", "every layer of it can be bent: docs/tinkering.md"),
    ("nbr_g_updates: 2", "else the discriminator wins in the beginning"),
    ("snapshot: every 4 steps", "more steps between two frames: it has learnt more by the end"),
    ("# activation_g: [elu, crelu, tanh]", "where the odd looks come from"),
)
_UPCONV: Lines = (*_DCGAN, ("convolution_g: upconv", "draws no checkerboards; deconv does"))


class _Look(NamedTuple):
    """What the sheet says of a family."""

    lines: Lines
    batch: int  # pictures per update
    across: int = 1  # pictures in a cell, side by side
    cells: int = SAMPLES


LOOKS = {
    "pix2pix": _Look(_PIX2PIX, batch=4, across=2, cells=PAIRS),
    "fastgan": _Look(_FASTGAN, batch=8),
    "dcgan": _Look(_DCGAN, batch=16),
    "upconv": _Look(_UPCONV, batch=16),
}


class Pictures(NamedTuple):
    """What the data set holds: the size of most pictures, and whether some are of another."""

    size: Resolution
    number: int
    are_mixed: bool = False


def sheet_text(
    steps: Steps, pictures: Pictures, done: Iterable[Step], later: Iterable[Step]
) -> str:
    """A sheet of one job; its head tells the commands of before and after it."""
    wishes, look = steps.wishes, LOOKS[steps.wishes.family]
    size = target_size(pictures.size, wishes.size)
    cell = Resolution(size.width * look.across, size.height)
    columns, rows = best_grid(cell, min(look.cells, pictures.number))
    head = [
        head_line(steps.given.named, wishes),
        "# It is yours: edit it; the same call goes on with what it says then. All settings:",
        "# docs/settings.md, or `multitrain show` with the names of this sheet and its job.",
        "#",
        "# The pictures were made, and looked at, by",
        *(one_line(f"#     {step}") for step in done),
        "# and what this sheet asks for is made by",
        *(one_line(f"#     {step}") for step in later),
    ]
    lines = [
        (f"name: {_scalar(wishes.name)}", "of the film: renders/NAME.mp4"),
        (f"dataset: {_scalar(steps.data_set)}", _number(pictures.number)),
        *_fitting(size, pictures),
        *look.lines,
        (f"batch_size: {min(look.batch, pictures.number)}", "pictures that each step learns from"),
        (f"grid_width: {columns}", "samples in a frame, side by side"),
        (f"grid_height: {rows}", "and one above the other"),
        (f"fps: {FPS}", ""),
        (f"video_length: {length_words(wishes.length)}", "or `steps`, or `epochs`, instead"),
    ]
    width = max(len(text) for text, _ in lines)
    job = [f"{text:<{width}}  # {note}" if note else text for text, note in lines]
    return "\n".join([*head, "", "jobs:", f"- {job[0]}", *(f"  {line}" for line in job[1:]), ""])


def _fitting(size: Resolution, pictures: Pictures) -> Lines:
    """How pictures become so large; nothing where they are."""
    if size == pictures.size and not pictures.are_mixed:
        return ()
    return (
        ("preprocess: cover", "scaled, and what stands over cut off"),
        (f"load_size: {size}", ""),
    )


def target_size(size: Resolution, longest: int) -> Resolution:
    """`size`, with sides that are even, the longer one at most `longest`."""
    factor = min(1.0, longest / max(size))
    width, height = (max(2, round(side * factor / 2) * 2) for side in size)
    return Resolution(width, height)


def best_grid(cell: Resolution, most: int) -> tuple[int, int]:
    """Columns and rows of cells that make a frame nearly as wide as a screen, of `most` cells.

    It fits on a screen pixel by pixel, where one cell does.
    """

    def worth(grid: tuple[int, int]) -> tuple[int, int]:
        columns, rows = grid
        skew = abs(math.log(columns * cell.width / (rows * cell.height) / WIDE))
        return -round(skew / SKEW), columns * rows

    across = max(1, SCREEN.width // cell.width)
    down = max(1, SCREEN.height // cell.height)
    grids = [
        (columns, rows)
        for columns in range(1, min(across, most) + 1)
        for rows in range(1, min(down, most // columns) + 1)
    ]
    return max(grids, key=worth)


def _scalar(text: str) -> str:
    """As YAML has it on one line, in quotes where it needs them."""
    written = yaml_text({"key": text}).removeprefix("key:").strip()
    return json.dumps(text, ensure_ascii=False) if "\n" in written else written


def _number(count: int) -> str:
    return "1 picture" if count == 1 else f"{count} pictures"
