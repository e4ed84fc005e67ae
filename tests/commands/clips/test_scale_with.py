"""`--scale-with`: films, loops and walks enlarged by another job's network, as `apply` does it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jobs.workspace.files import listing
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.commands.clips import apply, export, loop, walk
from render.files.film import Film
from tests.applying.weights import keep_weights
from tests.command_line import frameworks_loaded_by
from tests.footage import write_video

SMALL = {"family": "superres", "net": "compact", "features": 2, "blocks": 1, "scale": 2}

pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.fixture(autouse=True)
def place(
    workspace: Workspace, tiny_job: Callable[..., JobFile], monkeypatch: pytest.MonkeyPatch
) -> Workspace:
    """A network that doubles, one that draws, and a film."""
    monkeypatch.chdir(workspace.root)
    keep_weights(workspace, tiny_job(96, 72, name="sharp", **SMALL))
    keep_weights(workspace, tiny_job(16, 12, name="night", grid_width=2, grid_height=1, fps=10))
    tiny_job(96, 72, name="unlearnt", **SMALL).save(workspace.job("unlearnt"))
    write_video(workspace.root / "clip.mp4", 12, fps=10)
    (workspace.root / "picture.png").touch()
    return workspace


def call(module: object, *words: str) -> Result:
    return CliRunner().invoke(module.command, list(words))


def on_cpu(module: object, *words: str) -> Result:
    result = call(module, *words, "--gpus", "cpu")
    assert result.exit_code == 0, result.exception or result.output
    return result


@pytest.mark.parametrize(
    ("module", "words", "told"),
    [
        (export, "clip.mp4 --format hap --scale-with sharq", "no job 'sharq'"),
        (export, "clip.mp4 --format hap --scale-with night", "night is a dcgan, which enlarges"),
        (export, "clip.mp4 --format hap --scale-with unlearnt", "unlearnt has no checkpoint"),
        (export, "clip.mp4 --format hap --closed", "--closed is for --scale-with"),
        (export, "picture.png --format hap --scale-with sharp", "`multitrain apply sharp picture"),
        (export, "clip.mp4 --format hap --scale-with sharp -o renders", "renders/ is for what"),
        (loop, "clip.mp4 --frames 4 --scale-with night", "night is a dcgan, which enlarges"),
        (walk, "night --frames 4 --scale-with night", "night is a dcgan, which enlarges nothing"),
    ],
)
def test_a_wrong_call_is_told(place: Workspace, module: object, words: str, told: str) -> None:
    place.renders.mkdir(exist_ok=True)
    before = sorted(Path().rglob("*"))
    assert told in str(call(module, *words.split()).exception)
    assert sorted(Path().rglob("*")) == before


def test_a_film_is_made_larger_in_several_formats_once() -> None:
    words = ("clip.mp4", "--format", "hap,ffv1", "--scale-with", "sharp", "-o", "show")
    made = on_cpu(export, *words)
    assert listing(Path("show")) == ["clip_sharp.ffv1.mov", "clip_sharp.hap.mov"]
    assert "show/clip_sharp.hap.mov: 12 frames at 10 fps, 1.200 s; step 4" in made.output
    assert Film.look(Path("show/clip_sharp.ffv1.mov")).size == (320, 180)
    assert on_cpu(export, *words).output.count("is there already") == 2
    same = call(apply, "sharp", "clip.mp4", "--format", "ffv1", "-o", "show/clip_sharp.ffv1.mov")
    assert "is there already" in same.output, "it is what apply makes"


def test_a_loop_and_a_walk_are_made_larger(place: Workspace) -> None:
    made = on_cpu(loop, *["clip.mp4", "--frames", "8", "--scale-with", "sharp", "--start", "0"])
    assert "clip_pingpong_8frames_sharp.mp4: 8 frames at 10 fps, 0.800 s; step 4" in made.output
    assert "pingpong: 0.50 s of the film, from 0.00 s on" in made.output
    film = Film.look(Path("clip_pingpong_8frames_sharp.mp4"))
    assert (film.size, film.frames) == ((320, 180), 8)
    words = "night --mode walk --frames 6 --format gif --fps 60 --scale-with sharp"
    on_cpu(loop, *words.split())
    walked = Film.look(Path("night_walk_6frames_sharp.gif"))
    assert (walked.size, walked.frames, walked.format.fps) == ((64, 24), 6, 50)
    assert "is there already" in on_cpu(loop, *words.split()).output
    assert listing(place.applying) == []


def test_a_wrong_call_loads_no_framework() -> None:
    said, loaded = frameworks_loaded_by(
        "multitrain.commands.clips.loop", *["clip.mp4", "--frames", "4", "--scale-with", "night"]
    )
    assert "enlarges nothing" in said
    assert loaded == "[]"
