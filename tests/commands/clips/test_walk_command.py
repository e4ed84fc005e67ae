"""`multitrain walk`: wrong calls are told at once, right ones make a loop."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths, Workspace
from multitrain.commands.clips.walk import command
from multitrain.protocol.call import Call
from multitrain.trainer.process import train
from tests.command_line import frameworks_loaded_by
from tests.hearing.played import a_song, write_song

LENGTH = ("--seconds", "0.5")

pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.fixture
def paths(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> JobPaths:
    monkeypatch.chdir(workspace.root)
    return workspace.job("night")


@pytest.fixture
def job(paths: JobPaths, make_pictures: Callable[..., object]) -> JobFile:
    """Submitted, not trained."""
    make_pictures(paths.workspace.dataset("d"), count=5)
    cells = {"name": "night", "dataset": "d", "grid_width": 2, "grid_height": 2, "fps": 10}
    cells |= {"video_length": 8 / 600, "nbr_of_layers_g": 3, "nbr_of_layers_d": 3, "gf_dim": 2}
    cells |= {"df_dim": 2, "z_dim": 4, "keep_checkpoints": 2}
    file = JobFile(spec=JobSpec.model_validate(cells), image_width=16, image_height=12)
    paths.run.mkdir(parents=True)
    file.save(paths)
    return file


@pytest.fixture
def trained(job: JobFile, paths: JobPaths) -> JobFile:
    assert train(Call(paths.workspace.root, "night"), threading.Event())
    return job


def walk(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["night", *arguments])


def told(result: Result) -> str:
    """What is told of a wrong call, as `main` prints it."""
    return str(result.exception) if result.exc_info and not result.output else result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "is the walk to be? --seconds, --frames, --beats with --bpm, or --song"),
        (("--song", "a.mp3", "--seconds", "3"), "--seconds goes with another walk: a song says"),
        (("--song", "a.mp3", "--keyframes", "3"), "--keyframes goes with another walk: a song"),
        ((*LENGTH, "--bpm-range", "90-180"), "--bpm-range goes with another walk: it is about"),
        ((*LENGTH, "--plot", "a.png"), "--plot goes with another walk: it is about walks to a"),
        (("--song", "a.mp3"), "a.mp3 is not there"),
        (("--song", "a.mp3", "--bpm-range", "180-90"), "'180-90' is not two tempi from 20 to 400"),
        (("--song", "a.mp3", "--from", "9", "--to", "8"), "it ends before it begins"),
        (("--song", "a.mp3", "--bpm", "90", "--bpm-range", "60-99"), "its tempo in one way"),
        (("--beats", "8"), "beats need a tempo; give bpm, too"),
        ((*LENGTH, "--frames", "8"), "length in one way: seconds, frames"),
        (("--seconds", "nan"), "nan is no number"),
        ((*LENGTH, "--scale", "big"), "'big' is no size such as 1280x720, or 720p, 1080p"),
        ((*LENGTH, "--grid", "0x2"), "'0x2' is no size"),
        ((*LENGTH, "--grid", "2000x1"), "it would be 32000x12 pixels, and video has at most"),
        ((*LENGTH, "--through-time", "--checkpoint", "2"), "all kept steps; name no checkpoint"),
        ((*LENGTH, "--keyframes", "1"), "1 is not in the range"),
        ((*LENGTH, "--format", "hap", "-o", "a.mp4"), "a.mp4 must end in .mov, as hap does"),
        ((*LENGTH, "-o", "renders/a.mp4"), "renders/ is for what jobs make"),
        ((*LENGTH, "-o", "away/a.mp4"), "there is no folder"),
        ((*LENGTH, "--crop", "50x50"), "a crop of 50x50 does not lie in a picture of 32x24"),
        (LENGTH, "night has no checkpoint; train it first"),
        ((*LENGTH, "--through-time"), "takes two kept checkpoints or more, and night has none"),
    ],
)
@pytest.mark.usefixtures("job")
def test_a_wrong_call_is_told(arguments: tuple[str, ...], words: str) -> None:
    result = walk(*arguments)

    assert result.exit_code != 0
    assert words in told(result)


@pytest.mark.usefixtures("paths")
def test_a_job_that_is_not_there_is_told() -> None:
    assert "There is no job 'night'" in told(walk(*LENGTH))


@pytest.mark.usefixtures("job")
def test_a_wrong_call_loads_no_framework() -> None:
    call = ("night", "--seconds", "1")
    said, loaded = frameworks_loaded_by("multitrain.commands.clips.walk", *call)
    assert "night has no checkpoint" in said
    assert loaded == "[]"


@pytest.mark.usefixtures("trained")
def test_it_makes_a_loop_and_tells_how_long_it_is() -> None:
    result = walk("--beats", "3", "--bpm", "128", "--gpus", "cpu", "--keyframes", "3")

    assert result.exit_code == 0, told(result)
    length = "14 frames at 10 fps, 1.400 s, 6.2 ms shorter than asked; step 4"
    wanted = f"night_walk_3beats_128bpm.mp4: {length}"
    assert wanted in result.output
    with av.open("night_walk_3beats_128bpm.mp4") as film:
        assert len(list(film.decode(video=0))) == 14

    other = ("--frames", "5", "--gpus", "cpu", "-o", "night_walk_3beats_128bpm.mp4")
    assert "night_walk_3beats_128bpm.mp4 is there already" in told(walk(*other))
    assert walk(*other, "--force").exit_code == 0
    with av.open("night_walk_3beats_128bpm.mp4") as film:
        assert len(list(film.decode(video=0))) == 5


@pytest.mark.usefixtures("trained")
def test_settings_of_the_user_for_frameworks_are_gone_before_they_are_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Seen(Exception):
        pass

    def look(*_: object) -> None:
        raise Seen(os.environ["KERAS_HOME"], os.environ["KERAS_BACKEND"], "TF_X" in os.environ)

    monkeypatch.setattr(os, "environ", os.environ.copy())
    os.environ |= {"KERAS_HOME": "/home/somebody", "KERAS_BACKEND": "torch", "TF_X": "1"}
    monkeypatch.setattr("multitrain.inference.starting.leased_device", look)
    result = walk("--frames", "5", "--gpus", "cpu", "-o", "other.mp4")
    assert isinstance(result.exception, Seen), told(result)
    assert result.exception.args == (os.devnull, "tensorflow", False)


@pytest.mark.usefixtures("trained")
def test_grid_scale_format_and_step_are_chosen(tmp_path: Path) -> None:
    output = tmp_path / "small.mov"
    given = ("--frames", "4", "--grid", "1x2", "--scale", "64x64", "--format", "hap")

    result = walk(*given, "--checkpoint", "2", "--gpus", "cpu", "-o", str(output))

    assert result.exit_code == 0, told(result)
    assert "step 2" in result.output
    assert "scaled to 64x96, 32 pixels of the height cut off" in result.output
    with av.open(str(output)) as film:
        frames = [frame.to_ndarray(format="rgb24").shape for frame in film.decode(video=0)]
    assert frames == [(64, 64, 3)] * 4


@pytest.mark.usefixtures("trained")
def test_through_time_tells_its_way() -> None:
    result = walk("--frames", "6", "--through-time", "--gpus", "cpu")

    assert result.exit_code == 0, told(result)
    assert "steps 0 to 4, through 3 kept checkpoints, and back" in result.output
    assert "\nnight_walk_through_time_6frames.mp4: " in result.output
    again = walk("--frames", "6", "--through-time", "--gpus", "cpu")
    assert (again.exit_code, again.stdout) == (0, "night_walk_through_time_6frames.mp4\n")
    assert walk("--frames", "6", "--through-time", "--seed", "1", "--gpus", "cpu").exit_code != 0


@pytest.mark.usefixtures("trained")
def test_a_walk_to_a_song_with_a_plot(tmp_path: Path) -> None:
    song = write_song(tmp_path / "my song.wav", a_song(150, beats=8, start=0.0).samples)
    given = ("--song", str(song), "--to", "2", "--every", "2", "--sections", "--gpus", "cpu")

    wrong = walk(*given, "--plot", "heard.jpg")
    result = walk(*given, "--plot", "heard.png")

    assert "heard.jpg must end in .png" in told(wrong)
    assert result.exit_code == 0, told(result)
    assert re.search(r"my song.wav: 3.4 s at 150.\d BPM, 16 onsets, 1 section", result.output)
    wanted = "night_walk_my song_to_2s.mp4"
    assert f"{wanted}: 20 frames at 10 fps, 2.000 s; step 4" in result.output
    with av.open(wanted) as film:
        assert [stream.type for stream in film.streams] == ["video", "audio"]
    with Image.open("heard.png") as plot:
        assert plot.width == 1600

    assert (walk(*given).exit_code, walk(*given).stdout) == (0, f"{wanted}\n")
    write_song(song, a_song(150, beats=8, start=0.1).samples)
    assert "nothing in it says that it is what you ask for" in told(walk(*given))
