"""`multitrain apply` as a process that is killed: the same call makes the same file, whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import av
import numpy as np
import pytest

from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from render.encoding import ffmpeg
from render.files.film import Film
from tests.applying.weights import keep_weights, noise
from tests.footage import write_video

FRAMES, FPS, SIZE = 120, 10, (48, 36)
SECONDS = 120.0  # nothing here takes so long on a healthy machine


@pytest.fixture
def place(workspace: Workspace, tiny_job: Callable[..., JobFile]) -> Workspace:
    """A job with weights, and a film with sound: twelve pieces."""
    small = {"family": "pix2pix", "gf_dim": 2, "df_dim": 1, "downs": 2, "precision": "float32"}
    keep_weights(workspace, tiny_job(*SIZE, name="night", **small))
    silent = write_video(workspace.root / "silent.mp4", iter(noise(FRAMES, 36, 48, 3)), fps=FPS)
    tone = ["-f", "lavfi", "-i", f"sine=440:duration={FRAMES / FPS}"]
    film = str(workspace.root / "film.mp4")
    ffmpeg.run([ffmpeg.find(), "-v", "error", "-i", str(silent), *tone, "-c:v", "copy", film])
    return workspace


def started(place: Workspace, output: str) -> subprocess.Popen[bytes]:
    call = ["apply", "night", "film.mp4", "-o", output, "--gpus", "cpu", "--step", "4"]
    return subprocess.Popen(
        [sys.executable, "-m", "multitrain", *call],
        cwd=place.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def finished(process: subprocess.Popen[bytes]) -> None:
    said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said.decode()


def pieces(place: Workspace) -> int:
    return len([path for path in place.applying.rglob("*.mp4") if path.parent != place.applying])


def killed_at(place: Workspace, process: subprocess.Popen[bytes], count: int) -> bool:
    """Whether it was killed, with all that it has started, once so many pieces were there."""
    deadline = time.monotonic() + SECONDS
    while process.poll() is None and pieces(place) < count:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    if process.poll() is not None:
        return False
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return True


def test_whoever_is_killed_goes_on(place: Workspace, long: bool) -> None:
    finished(started(place, "whole.mp4"))
    random = Random(7)
    for _ in range(10 if long else 1):
        more = random.randint(0 if long else 1, 1)
        assert killed_at(place, started(place, "killed.mp4"), pieces(place) + more)
    assert pieces(place)
    assert not (place.root / "killed.mp4").exists()

    finished(started(place, "killed.mp4"))

    whole, killed = (place.root / name for name in ("whole.mp4", "killed.mp4"))
    assert killed.read_bytes() == whole.read_bytes()
    film, source = (Film.look(path, with_sound=True) for path in (killed, place.root / "film.mp4"))
    assert (film.frames, film.size, film.format.fps) == (FRAMES, SIZE, FPS)
    assert film.format.pixels == "yuv420p"
    heard = [tone(path.path) for path in (film, source)]
    np.testing.assert_array_equal(*heard)
    assert not any(place.applying.iterdir()), "nothing is left"


def tone(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.concatenate([each.to_ndarray() for each in container.decode(audio=0)], axis=-1)
