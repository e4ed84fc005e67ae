"""Pictures out of a video by `multitrain dataset extract`, beside a call of ffmpeg for each.

Both make the same squares of the same times. ffmpeg seeks as it does best: to the keyframe before
the time, given ahead of the input, decoding from there. Where frames come from the disk matters to
neither: the video is in the page cache.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.figures import Effort, Figure
from benchmarks.standard import on_cores
from benchmarks.turns import take_turns, timed
from jobs.errors import MultitrainError
from jobs.videos.video import Video, look
from jobs.workspace.paths import Workspace
from multitrain.datasets.video.crops import parse_crops, parse_scale
from multitrain.datasets.video.extracting import Request, extract
from multitrain.datasets.video.moments import Span, evenly
from multitrain.datasets.video.shots import Missed, Shot
from render.encoding import ffmpeg

PARTS, PART_SECONDS = 10, 60  # one is encoded, and repeated
FPS, GOP = 25, 250
WIDTH, HEIGHT = 1920, 1080
PICTURES = 300  # two of each frame
SIDE = 256  # pixels of a picture
LIMIT = 0.25

QUICK_SIZE, QUICK_PICTURES = (160, 90), 4

CROPS = {"left": "crop=ih:ih:0:0", "right": "crop=ih:ih:iw-ih:0"}
OURS, CALLS = "extract", "ffmpeg calls"


def measure(effort: Effort) -> list[Figure]:
    """A video with B-frames, as encoders make them unless told otherwise, and one without."""
    return [_measure(effort, b_frames) for b_frames in (3, 0)]


def _measure(effort: Effort, b_frames: int) -> Figure:
    pictures = QUICK_PICTURES if effort.quick else PICTURES
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, on_cores():
        workspace = Workspace(Path(folder))
        video = look(_make_video(workspace.root, effort, b_frames))
        contenders = {
            OURS: timed(lambda: _extract(workspace, video, pictures)),
            CALLS: timed(lambda: _call_ffmpeg(workspace.root / "calls", video, pictures)),
        }
        rounds = take_turns(contenders, dict.fromkeys(contenders, 1), effort.repetitions)
    beside = {f"{name}, pictures/s": pictures * rounds.rate(name) for name in contenders}
    kind = "with B-frames" if b_frames else "without B-frames"
    value = 1 / rounds.speedup(OURS, over=CALLS)
    name = f"pictures of a video {kind} / calls of ffmpeg"
    return Figure(name, value, "x", LIMIT, False, beside)


def _make_video(folder: Path, effort: Effort, b_frames: int) -> Path:
    """FFmpeg's moving test picture, which shows the time."""
    width, height = QUICK_SIZE if effort.quick else (WIDTH, HEIGHT)
    part, video = folder / "part.mp4", folder / "video.mp4"
    part_seconds = PART_SECONDS // 10 if effort.quick else PART_SECONDS
    ffmpeg.run([
        ffmpeg.find(), "-f", "lavfi", "-i", f"testsrc2=s={width}x{height}:r={FPS}:d={part_seconds}",
        "-c:v", "libx264", "-preset", "ultrafast", "-crf", "23", "-bf", str(b_frames),
        "-g", str(GOP), "-pix_fmt", "yuv420p", str(part),
    ])  # fmt: skip
    repeated = ["-stream_loop", str(PARTS - 1), "-i", str(part)]
    ffmpeg.run([ffmpeg.find(), *repeated, "-c", "copy", str(video)])
    part.unlink()
    return video


def _extract(workspace: Workspace, video: Video, pictures: int) -> None:
    shutil.rmtree(workspace.dataset("pictures"), ignore_errors=True)
    crops = parse_crops(",".join(CROPS))
    request = Request(crops, parse_scale(f"-1:{SIDE}"), count=pictures // len(CROPS))
    made = extract(workspace, "pictures", [str(video.path)], request, _silently)
    if made.pictures != pictures:
        raise MultitrainError(f"{made.pictures} pictures instead of {pictures}: {made.left_out}")


def _silently(things: Iterable[Shot | Missed], _: str, __: int) -> Iterator[Shot | Missed]:
    yield from things


def _call_ffmpeg(folder: Path, video: Video, pictures: int) -> None:
    folder.mkdir(exist_ok=True)
    times = evenly(Span(video, 0.0, video.seconds), pictures // len(CROPS))
    for number, seconds in enumerate(times):
        for name, crop in CROPS.items():
            ffmpeg.run([
                ffmpeg.find(), "-y", "-ss", f"{seconds:.6f}", "-i", str(video.path),
                "-frames:v", "1", "-vf", f"{crop},scale=-1:{SIDE}", "-an",
                str(folder / f"{number:06d}_{name}.png"),
            ])  # fmt: skip
