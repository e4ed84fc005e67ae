"""`multitrain loop --smooth JOB`: closed loops with frames between by a trained network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.commands.clips.loop import command
from multitrain.datasets.drawn.landscapes import draw_landscape
from render.files.film import Film
from render.files.reading import FilmReader, frames_in_order
from tests.applying.weights import keep_weights
from tests.command_line import frameworks_loaded_by
from tests.footage import write_video

pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.fixture(autouse=True)
def place(
    workspace: Workspace, tiny_job: Callable[..., JobFile], monkeypatch: pytest.MonkeyPatch
) -> Workspace:
    """A pan of twelve frames, a network between frames, and another job."""
    monkeypatch.chdir(workspace.root)
    columns = {"family": "inbetween", "features": 4, "blocks": 1}
    keep_weights(workspace, tiny_job(45, 36, name="tween", **columns))
    tiny_job(45, 36, name="plain").save(workspace.job("plain"))
    picture = draw_landscape(1, 90, 36)
    frames = (picture[:, 2 * place : 2 * place + 46] for place in range(12))
    write_video(workspace.root / "pan.mkv", frames, fps=10, codec="ffv1", pixels="bgr0")
    return workspace


def loop(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["pan.mkv", "--start", "0", *arguments])


def frames_of(path: str) -> np.ndarray:
    with FilmReader([Path(path)]) as reader:
        return np.stack(list(frames_in_order(reader)))


def test_a_slower_loop_has_frames_between_also_across_its_end(place: Workspace) -> None:
    given = ("--gpus", "cpu", "--format", "ffv1")
    plain = loop("-o", "plain.mov", "--format", "ffv1")
    slow = loop("--speed", "0.5", "--smooth", "tween", *given, "-o", "slow.mov")

    assert plain.exit_code == slow.exit_code == 0, slow.output
    assert "slow.mov: 44 frames at 10 fps, 4.400 s" in slow.output
    assert Film.look(Path("slow.mov")).format.fps == 10
    made, moments = frames_of("slow.mov"), frames_of("plain.mov")
    assert len(moments) == 22
    np.testing.assert_array_equal(made[::2], moments)
    ends = np.stack([moments[-1], moments[0]]).astype(int)
    assert (np.abs(made[-1] - ends).max(axis=(1, 2, 3)) > 1).all(), "drawn between both"
    assert not list(place.applying.iterdir())
    again = loop("--speed", "0.5", "--smooth", "tween", *given, "-o", "slow.mov")
    assert "is there already" in again.output
    other = loop("--speed", "0.5", "--smooth", "--format", "ffv1", "-o", "slow.mov")
    assert "nothing in it says that it is what you ask for" in str(other.exception)


def test_where_no_frame_is_missing_no_network_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multitrain.inference.starting.framework_on", None)
    made = loop("--smooth", "tween", "--format", "ffv1", "-o", "a.mov")
    assert "a.mov: 22 frames at 10 fps" in made.output, made.output


def test_a_wrong_call_loads_no_framework() -> None:
    call = ("pan.mkv", "--smooth", "plain")
    said, loaded = frameworks_loaded_by("multitrain.commands.clips.loop", *call)
    assert "plain is a dcgan" in said
    assert loaded == "[]"


@pytest.mark.parametrize(
    ("job", "words"),
    [
        ("plain", "plain is a dcgan; --smooth takes an inbetween"),
        ("nobody", "There is no job 'nobody'"),
    ],
)
def test_a_job_that_makes_no_frames_between_others_is_refused(job: str, words: str) -> None:
    result = loop("--smooth", job)
    assert words in str(result.exception)


def test_two_networks_are_used_one_after_the_other() -> None:
    result = loop("--smooth", "tween", "--scale-with", "tween")
    assert "and then enlarge it by multitrain export" in str(result.exception)
