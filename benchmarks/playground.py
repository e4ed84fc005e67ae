"""A workspace with a little of everything to call commands in: jobs, films, pictures, odd files."""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
from contextlib import suppress
from pathlib import Path

from PIL import Image

from benchmarks.farmyard import Farmyard, rows
from jobs.errors import MultitrainError

CARDS_MINUTES, NETS_MINUTES = 0.01, 0.01
START_SECONDS = 300.0
HUGE_BYTES = 2**36  # of a file without a single block on the disk

TINY_CSV = """name,family,dataset,grid_width,grid_height,video_length
fresh,testcard,noise,2,1,0.004
other,testcard,noise,1,1,0.004
"""
TINY_YAML = """defaults: {family: testcard, dataset: noise, grid_width: 2, grid_height: 1}
jobs:
  - {name: fresh, video_length: 0.004}
"""
TEMPLATE = """defaults: {dataset: noise, grid_width: 2, grid_height: 2, video_length: 0.01}
jobs:
  - name: many
    learning_rate_g: {log_uniform: [1e-5, 1e-2]}
    nbr_g_updates: {grid: [1, 2]}
"""

_DEVICES = {"zero": (1, 5), "null": (1, 3)}  # major and minor numbers of Linux


def build(root: Path) -> Path:
    """The folder to copy: two jobs that are done, with all that they leave."""
    with Farmyard(root, rows(CARDS_MINUTES, NETS_MINUTES)) as yard:
        yard.start()
        yard.wait(START_SECONDS)
        if yard.exit_code != 0:
            raise MultitrainError(f"the jobs could not be made:\n{yard.last_words()}")
        place = yard.workspace.root
    mixed = place / "data" / "mixed"
    mixed.mkdir()
    for side in (16, 24):
        Image.effect_noise((side, side), 40).convert("RGB").save(mixed / f"{side}.png")
    (mixed / "notes.txt").write_text("no picture")
    with zipfile.ZipFile(place / "pictures.zip", "w") as archive:
        archive.write(mixed / "16.png", "16.png")
        archive.writestr("../outside.png", b"no picture")
    texts = {"tiny.csv": TINY_CSV, "tiny.yaml": TINY_YAML, "template.yaml": TEMPLATE}
    for name, text in texts.items():
        (place / name).write_text(text, encoding="utf-8")
    return place


def copy(place: Path, to: Path) -> None:
    """A fresh one, with files that cannot be copied."""
    shutil.copytree(place, to)
    _add_odd_files(to)


def _add_odd_files(place: Path) -> None:
    garbage = bytes(range(256)) * 64
    for name in ("garbage.csv", "garbage.mp4", "garbage.png"):
        (place / name).write_bytes(garbage)
    sheet = (place / "tiny.csv").read_bytes()
    for name in ("na\u00efve \U0001f984.csv", "new\nline.csv", "caf\udce9.csv", "-dash.csv"):
        (place / name).write_bytes(sheet)
    for name in ("empty.csv", "empty.mp4"):
        (place / name).touch()
    for name in ("pipe", "pipe.csv"):
        os.mkfifo(place / name)
    (place / "loop").symlink_to("loop")
    (place / "broken").symlink_to("nowhere")
    with (place / "huge.bin").open("wb") as file:
        file.truncate(HUGE_BYTES)
    for name, (major, minor) in _DEVICES.items():
        _make_device(place / name, os.makedev(major, minor))


def _make_device(path: Path, device: int) -> None:
    """One of our own where that is allowed: a program that runs as root could replace the system's.

    Elsewhere a link to that, which nobody can replace.
    """
    with suppress(OSError):
        os.mknod(path, stat.S_IFCHR | 0o666, device)
        return
    path.symlink_to(Path("/dev", path.name))
