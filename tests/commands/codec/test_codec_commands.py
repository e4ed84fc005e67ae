"""`multitrain codec …`: wrong calls are told at once, right ones make streams and videos."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.codec.stream import HEAD_BYTES, read_header
from multitrain.commands.cli import commands
from render.files.film import Film
from tests.applying.weights import keep_weights
from tests.command_line import frameworks_loaded_by
from tests.footage import write_video

FRAMES = 5

pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.fixture(autouse=True)
def place(
    workspace: Workspace, tiny_job: Callable[..., JobFile], monkeypatch: pytest.MonkeyPatch
) -> Workspace:
    """Two autoencoders that have learnt, one of other channels, one of another kind, a clip."""
    monkeypatch.chdir(workspace.root)
    small = {"family": "autoencoder", "features": 2, "snapshot": "step"}
    keep_weights(workspace, tiny_job(24, 16, name="tiny", latent_channels=3, **small))
    keep_weights(workspace, tiny_job(24, 16, name="other", latent_channels=3, **small), seed=1)
    keep_weights(workspace, tiny_job(24, 16, name="wide", latent_channels=4, **small))
    tiny_job(24, 16, name="plain").save(workspace.job("plain"))
    frames = np.random.default_rng(0).integers(0, 256, (FRAMES, 2, 3, 3), np.uint8)
    write_video(workspace.root / "clip.mp4", frames.repeat(8, axis=1).repeat(8, axis=2), fps=10)
    Path("other.mtc").write_bytes(b"none")
    return workspace


def codec(*arguments: str) -> Result:
    gpus = [] if arguments[0] == "info" else ["--gpus", "cpu"]
    return CliRunner().invoke(commands, ["codec", *arguments, *gpus])


def told(result: Result) -> str:
    """What is told of a wrong call, as `main` prints it."""
    return str(result.exception) if result.exc_info and not result.output else result.output


def test_a_video_becomes_a_stream_and_a_video_again() -> None:
    made = codec("encode", "tiny", "clip.mp4")
    assert made.exit_code == 0, told(made)
    assert f"clip_tiny.mtc: {FRAMES} frames of 24x16" in made.output
    facts = json.loads(codec("info", "clip_tiny.mtc", "--json").output)
    assert (facts["frames"], facts["size"], facts["fps"], facts["channels"]) == (5, "24x16", 10, 3)
    assert sum(facts["bytes"].values()) == Path("clip_tiny.mtc").stat().st_size
    assert "latents of 3x2x3" in codec("info", "clip_tiny.mtc").output
    for more, name in (
        ((), "clip_tiny_decoded.mp4"),
        (("--with", "other"), "clip_tiny_decoded_by_other.mp4"),
    ):
        shown = codec("decode", "clip_tiny.mtc", *more)
        assert shown.exit_code == 0, told(shown)
        film = Film.look(Path(name))
        assert (film.frames, film.size, film.format.fps) == (FRAMES, (24, 16), 10)


def test_what_is_lost_is_told_and_damage_ends_with_1() -> None:
    codec("encode", "tiny", "clip.mp4", "--channels", "1", "-o", "one.mtc")
    lost = codec("decode", "one.mtc", "-o", "lost.mp4", "--lose", "50%", "--seed", "1")
    assert lost.exit_code == 0
    assert "mishaps, as --lose 0.5 makes them" in lost.output
    Path("one.mtc").write_bytes(Path("one.mtc").read_bytes()[:-1])
    for call in (("decode", "one.mtc", "-o", "cut.mp4"), ("info", "one.mtc")):
        cut = codec(*call)
        assert cut.exit_code == 1
        assert "the stream is cut off: its end is missing" in cut.output
    assert Film.look(Path("cut.mp4")).frames == FRAMES


def test_key_frames_are_counted() -> None:
    """Their weights are in a short clip once, unless more are asked for."""
    counts = {}
    for every, keys in (("250", 1), ("2", 3), ("0", 1)):
        codec("encode", "tiny", "clip.mp4", "--key-every", every, "-o", f"{every}.mtc")
        facts = json.loads(codec("info", f"{every}.mtc", "--json").output)
        assert (facts["frames"], facts["key_frames"]) == (FRAMES, keys)
        assert f"{keys} of them key frames" in codec("info", f"{every}.mtc").output
        counts[every] = facts["bytes"]["weights"]
    assert counts["2"] == 3 * counts["0"] == 3 * counts["250"]


def test_a_curve_has_a_point_for_each_codec_and_a_plot() -> None:
    """And one for what was sent, which here is what the network makes."""
    codec("encode", "tiny", "clip.mp4")
    given = ("--frames", "2", "--stream", "clip_tiny.mtc", "--plot", "curve.png", "--json")
    made = codec("curve", "tiny", "clip.mp4", *given)
    assert made.exit_code == 0, told(made)
    points = {each["codec"]: each for each in json.loads(made.stdout)}
    assert points.keys() == {
        "tiny", "clip_tiny.mtc", "identity", "top bits", "resized", "jpeg", "x264"
    }  # fmt: skip
    assert all(np.isfinite(each["psnr"]) and each["bytes"] > 0 for each in points.values())
    for measure in ("psnr", "ms_ssim", "mae"):
        assert points["clip_tiny.mtc"][measure] == points["tiny"][measure]
    assert points["identity"]["mae"] == 0 < points["tiny"]["mae"] < 1
    size = Path("clip_tiny.mtc").stat().st_size
    assert points["clip_tiny.mtc"]["bytes"] == pytest.approx(size / FRAMES)
    assert Path("curve.png").read_bytes()[1:4] == b"PNG"


def test_frames_become_a_folder_of_pictures() -> None:
    codec("encode", "tiny", "clip.mp4")
    made = codec("decode", "clip_tiny.mtc", "--format", "png", "-o", "shown.png")
    assert made.exit_code == 0, told(made)
    assert len(list(Path("shown.png").iterdir())) == FRAMES


def test_without_its_weights_a_stream_is_decoded_by_those_of_another_alone() -> None:
    codec("encode", "tiny", "clip.mp4")
    data = bytearray(Path("clip_tiny.mtc").read_bytes())
    with Path("clip_tiny.mtc").open("rb") as file:
        read_header(file)
        data[file.tell() + HEAD_BYTES] ^= 1
    Path("clip_tiny.mtc").write_bytes(data)
    nothing = codec("decode", "clip_tiny.mtc", "-o", "nothing.mp4")
    assert nothing.exit_code == 1
    assert "no frame of clip_tiny.mtc can be decoded: packet 0 is damaged" in told(nothing)
    other = codec("decode", "clip_tiny.mtc", "-o", "other.mp4", "--with", "other")
    assert other.exit_code == 1, "it is damaged all the same"
    assert Film.look(Path("other.mp4")).frames == FRAMES
    assert not Path("nothing.mp4").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("encode", "nobody", "clip.mp4"), "There is no job 'nobody'"),
        (("encode", "plain", "clip.mp4"), "plain is a dcgan, which codes nothing; name an auto"),
        (("encode", "tiny", "none.mp4"), "'none.mp4' does not exist"),
        (("encode", "tiny", "clip.mp4", "-o", "a.mp4"), "a.mp4 must end in .mtc"),
        (("encode", "tiny", "clip.mp4", "-o", "other.mtc"), "other.mtc is there already"),
        (("encode", "tiny", "clip.mp4", "--channels", "4"), "tiny has 3 latent channels"),
        (("encode", "tiny", "clip.mp4", "--step", "7"), "tiny has no weights of step 7"),
        (("encode", "tiny", "clip.mp4", "--scale", "4x4"), "takes 8 pixels a side"),
        (("decode", "other.mtc"), "other.mtc is no stream of `multitrain codec`"),
        (("info", "other.mtc"), "other.mtc is no stream of `multitrain codec`"),
        (("decode", "clip.mp4"), "clip.mp4 is no stream of `multitrain codec`"),
        (("decode", "other.mtc", "--lose", "2"), "a share is from 0% to 100%"),
        (("decode", "other.mtc", "--lose", "x%"), "'x%' is no share such as 5%"),
        (("curve", "tiny", "clip.mp4", "--plot", "a.jpg"), "a.jpg must end in .png"),
        (("encode", "tiny", "other.mtc", "-o", "other.mtc", "--force"), "would be replaced by"),
        (("decode", "clip.mp4", "-o", "clip.mp4", "--force"), "clip.mp4 would be replaced by"),
        (("info", os.devnull), f"{os.devnull} is no file"),
    ],
)
def test_a_wrong_call_is_told(arguments: tuple[str, ...], words: str) -> None:
    before = sorted(Path().rglob("*"))
    result = codec(*arguments)
    assert result.exit_code != 0
    assert words in told(result)
    assert sorted(Path().rglob("*")) == before


def test_a_memory_of_another_size_is_told() -> None:
    codec("encode", "tiny", "clip.mp4")
    result = codec("decode", "clip_tiny.mtc", "--with", "wide")
    assert result.exit_code != 0
    assert "wide has latent_channels 4, and the stream is of one with 3: its decoder" in told(
        result
    )
    assert not Path("clip_tiny_decoded_by_wide.mp4").exists()


def test_a_wrong_call_loads_no_framework() -> None:
    words, frameworks = frameworks_loaded_by(
        "multitrain.commands.codec.encode", "plain", "clip.mp4"
    )
    assert "plain is a dcgan" in words
    assert frameworks == "[]"
