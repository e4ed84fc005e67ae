"""`multitrain quick`: from a video to a film and a clip, once; and the same by hand."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from jobs.workspace.paths import Workspace
from tests.e2e.farmhouse import frames_of
from tests.footage import write_video

SECONDS = 180.0  # nothing here takes so long on a healthy machine
ASKED = "--frames 8 --size 64 --length 0.2s --gpus cpu --deterministic"
MADE = ("one.yaml", "one_contact.png", "clip_one.mp4", "renders/one.mp4", "renders/one.json")


def multitrain(folder: Path, *words: str) -> tuple[int, str]:
    """Exit code, and what was said; without a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "multitrain", *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert "Traceback" not in done.stdout
    return done.returncode, done.stdout


def steps_told(said: str) -> list[list[str]]:
    """The commands, as they were told, without the word `multitrain`."""
    return [shlex.split(line)[2:] for line in said.splitlines() if line.startswith("$ ")]


def files_of(folder: Path) -> dict[str, int]:
    """All files that were made, and when."""
    made = [*(folder / "data").rglob("*"), *(folder / "renders").rglob("*")]
    made += [folder / name for name in MADE]
    return {str(each.relative_to(folder)): each.stat().st_mtime_ns for each in made}


@pytest.fixture
def places(workspace: Workspace, tmp_path: Path) -> tuple[Path, Path]:
    """Two folders with the same video: eight pictures of noise that moves."""
    folders = workspace.root, tmp_path / "by hand"
    folders[1].mkdir()
    noise = np.random.default_rng(1).integers(0, 256, (36, 72, 3), dtype=np.uint8)
    frames = [np.ascontiguousarray(noise[:, at : at + 64]) for at in range(8)]
    film = write_video(folders[0] / "clip.mp4", iter(frames), fps=10)
    (folders[1] / film.name).write_bytes(film.read_bytes())
    return folders


def test_a_video_becomes_a_film_once_and_by_hand_the_same(places: tuple[Path, Path]) -> None:
    place, by_hand = places

    code, before = multitrain(place, "quick", "clip.mp4", "--name", "one", *ASKED.split())

    assert code == 75, before
    assert len(list((place / "data" / "one").glob("*.png"))) == 8
    assert (place / "one_contact.png").exists()
    assert not (place / "renders").exists(), "nobody has said yes"
    sheet = place / "one.yaml"
    sheet.write_text(sheet.read_text().replace("f_dim: 32", "f_dim: 2"))  # as a person may
    (go_on,) = (line for line in before.splitlines() if line.startswith("Go on with: "))
    words = shlex.split(go_on.removeprefix("Go on with: multitrain "))

    code, after = multitrain(place, *words)

    assert code == 0, after
    assert len(frames_of(place / "renders" / "one.mp4")) == 6
    clip = frames_of(place / "clip_one.mp4")
    assert [picture.shape for _, picture in clip] == [(36, 64, 3)] * 8
    made = files_of(place)
    code, again = multitrain(place, *words)
    assert code == 0, again
    assert files_of(place) == made, "something was made again"

    told = [*steps_told(before), *steps_told(after)]
    names = [" ".join(words[:2]) for words in told]
    assert names == [
        "dataset extract", "dataset inspect", "check one.yaml", "check one.yaml", "run one.yaml",
        "apply one",
    ]  # fmt: skip
    assert steps_told(again) == steps_told(after)
    (by_hand / sheet.name).write_bytes(sheet.read_bytes())
    for step in dict.fromkeys(map(tuple, told)):
        code, said = multitrain(by_hand, *step)
        assert code == 0, said
    for name in ("one_contact.png", *(name for name in made if name.startswith("data/"))):
        if (place / name).is_file():
            assert (by_hand / name).read_bytes() == (place / name).read_bytes(), name
    for name in ("renders/one.mp4", "clip_one.mp4"):
        ours, theirs = frames_of(place / name), frames_of(by_hand / name)
        assert len(ours) == len(theirs)
        assert all((one == other).all() for (_, one), (_, other) in zip(ours, theirs, strict=True))
