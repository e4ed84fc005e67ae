"""`multitrain apply`: wrong calls are told at once, right ones make pictures and videos."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from jobs.workspace import locks
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.commands.clips.apply import command
from render.clips.pieces import LOCK
from render.files.film import Film
from tests.applying.weights import keep_weights, noise
from tests.command_line import frameworks_loaded_by
from tests.footage import write_video

FRAMES = 6

pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.fixture(autouse=True)
def place(
    workspace: Workspace, tiny_job: Callable[..., JobFile], monkeypatch: pytest.MonkeyPatch
) -> Workspace:
    """A job that has learnt, others that have not the same beginning, and films and pictures."""
    monkeypatch.chdir(workspace.root)
    small = {"family": "pix2pix", "gf_dim": 1, "df_dim": 1, "downs": 3}
    keep_weights(workspace, tiny_job(45, 36, name="night", **small))
    keep_weights(workspace, tiny_job(45, 36, name="child", init_from="night", **small), seed=1)
    for name, columns in {"stranger": small, "plain": {}}.items():
        tiny_job(45, 36, name=name, **columns).save(workspace.job(name))
    write_video(workspace.root / "clip.mp4", FRAMES, fps=10)
    write_video(workspace.root / "speck.mkv", iter(noise(2, 2, 2, 3)), codec="ffv1", pixels="bgr0")
    photos = workspace.root / "photos" / "more"
    photos.mkdir(parents=True)
    Image.fromarray(noise(40, 50, 3)).save(photos.parent / "one.png")
    Image.fromarray(noise(36, 45, 3, seed=1)).save(photos.parent / "one.jpg")
    Image.fromarray(noise(36, 45, 4, seed=2)).save(photos / "clear.png")
    return workspace


def apply(*arguments: str) -> Result:
    return CliRunner().invoke(command, [*arguments, "--gpus", "cpu"])


def told(result: Result) -> str:
    """What is told of a wrong call, as `main` prints it."""
    return str(result.exception) if result.exc_info and not result.output else result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nobody", "clip.mp4"), "There is no job 'nobody'"),
        (("plain", "clip.mp4"), "plain is a dcgan, which makes no pictures of others; pix2pix,"),
        (("night", "clop.mp4"), "there is no file, folder or job 'clop.mp4'"),
        (("night", "night"), "night has no film yet; name a file or a folder"),
        (("night", "data"), "there is no file, folder or job 'data'"),
        (("night", "runs"), "runs holds no pictures and no videos"),
        (("night", "clip.mp4", "--back"), "knows one way only; leave out --back"),
        (("night", "clip.mp4", "--stage", "content"), "which has no stages; leave out --stage"),
        (("night", "clip.mp4", "--step", "3"), "night has no weights of step 3; there are those"),
        (("night", "clip.mp4", "--through-time", "--step", "2"), "leave out --step and --mix"),
        (
            ("night", "clip.mp4", "--closed"),
            "--closed is for --through-time, --mix, --steady, networks",
        ),
        (("night", "clip.mp4", "--times", "2"), "which makes one frame of each; leave out --times"),
        (("night", "clip.mp4", "--times", "1"), "1 is not in the range 2<=x<=16"),
        (("night", "clip.mp4", "--guided", "1,0.01"), "night is a pix2pix, which has no filter"),
        (("night", "clip.mp4", "--guided", "0,1"), "'0,1' is no filter such as 1,0.005, or none"),
        (("night", "clip.mp4", "--mix", "a:b"), "'a:b' is no mix such as night:0..1"),
        (("night", "clip.mp4", "--mix", "child:0..2"), "shares are from 0 to 1"),
        (("night", "clip.mp4", "--mix", "stranger"), "night and stranger cannot be mixed"),
        (("stranger", "clip.mp4"), "stranger has no checkpoint; train it first"),
        (("night", "clip.mp4", "-o", "a.mov"), "a.mov must end in .mp4, as h264 does; or name"),
        (("night", "clip.mp4", "-o", "renders/a.mp4"), "renders/ is for what jobs make"),
        (("night", "clip.mp4", "-o", "away/a.mp4"), "there is no folder"),
        (("night", "clip.mp4", "-o", "/proc/a.mp4"), "nothing can be written to /proc ("),
        (("night", "photos", "-o", "/proc/new"), "nothing can be written to /proc ("),
        (("night", "photos", "-o", "clip.mp4/new"), "clip.mp4 (not a directory); name another -o"),
        (("night", "clip.mp4", "-o", "clip.mp4"), "clip.mp4 would be replaced by what is made"),
        (("night", "clip.mp4", "-o", "clip.mp4", "--force"), "would be replaced by what is made"),
        (
            ("night", "photos", "-o", "photos", "--force"),
            "photos lies in photos, and the next call",
        ),
        (("night", "photos", "-o", "photos/new"), "photos/new lies in photos"),
        (("night", "photos", "-o", "clip.mp4"), "clip.mp4 is a file, and a folder is to be made"),
        (("night", "photos/one.png", "-o", "a.jpg"), "a.jpg must end in .png, as a picture does"),
        (("night", "speck.mkv"), "speck.mkv is 2x2, and night takes 4 pixels a side"),
    ],
)
def test_a_wrong_call_is_told(arguments: tuple[str, ...], words: str) -> None:
    before = sorted(Path().rglob("*"))
    result = apply(*arguments)
    assert result.exit_code != 0
    assert words in told(result)
    assert sorted(Path().rglob("*")) == before


def test_a_wrong_call_loads_no_framework() -> None:
    call = ("night", "clip.mp4", "-o", "clip.mp4")
    said, loaded = frameworks_loaded_by("multitrain.commands.clips.apply", *call)
    assert "clip.mp4 would be replaced" in said
    assert loaded == "[]"


def test_a_video_is_made_once() -> None:
    result = apply("night", "clip.mp4")

    assert result.exit_code == 0, told(result)
    assert f"clip_night.mp4: {FRAMES} frames at 10 fps, 0.600 s; step 4" in result.output
    film = Film.look(Path("clip_night.mp4"))
    assert (film.frames, film.size, film.format.fps) == (FRAMES, (160, 90), 10)
    assert not list(Path("runs/.applying").iterdir())
    again = apply("night", "clip.mp4")
    assert "clip_night.mp4 is there already; --force replaces it" in again.output
    other = apply("night", "clip.mp4", "--step", "2")
    assert "nothing in it says that it is what you ask for" in told(other)


def test_frames_between_are_of_videos_alone(
    place: Workspace, tiny_job: Callable[..., JobFile]
) -> None:
    job = tiny_job(45, 36, name="tween", family="inbetween", features=2, blocks=1)
    keep_weights(place, job)

    made = apply("tween", "clip.mp4", "--fps", "24")

    assert made.exit_code == 0, told(made)
    assert "clip_tween.mp4: 14 frames at 24 fps, 0.583 s; step 4" in made.output
    assert "of its frames, one of 5 stays as it is: at 24 fps" in made.output
    refused = apply("tween", "photos/one.png")
    assert refused.exit_code == 1
    assert "is no video, and tween makes frames between those of one" in refused.output


def test_pieces_of_calls_that_nobody_goes_on_with_are_told(place: Workspace) -> None:
    left = place.applying / "0123"
    left.mkdir(parents=True)
    (left / "000000000-000000010.mp4").write_bytes(bytes(3 << 20))
    told_of = apply("night", "clip.mp4").output
    assert "holds 3.0 MiB of videos that earlier calls have begun" in told_of
    assert left.is_dir()

    lock = locks.take(left.with_suffix(LOCK))
    assert lock is not None
    assert "earlier calls" not in apply("night", "clip.mp4", "--force").output, "one works on it"
    os.close(lock)


def test_a_folder_of_pictures_and_videos_becomes_another_one(place: Workspace) -> None:
    (place.root / "clip.mp4").rename(place.root / "photos" / "clip.mp4")
    (place.root / "photos" / "broken.png").write_bytes(b"no picture")
    (place.root / "photos" / "noise.mp4").write_bytes(b"no video")
    (place.root / "photos" / "moving.gif").write_bytes(b"GIF89a")

    result = apply("night", "photos", "--format", "ffv1")

    assert result.exit_code == 1
    assert "photos/broken.png: is not a picture" in result.output
    assert "photos/noise.mp4 cannot be read as a video" in result.output
    assert "note: photos/moving.gif is left out: it is GIF" in result.output
    made = {str(each.relative_to("photos_night")) for each in Path("photos_night").rglob("*.*")}
    assert made == {"clip.mov", "one.png", "one.jpg.png", "more/clear.png"}
    with Image.open("photos_night/one.png") as picture:
        assert picture.size == (50, 40)
    with Image.open("photos_night/more/clear.png") as clear:
        np.testing.assert_array_equal(np.asarray(clear)[..., 3], noise(36, 45, 4, seed=2)[..., 3])
    again = apply("night", "photos", "--format", "ffv1")
    assert again.output.count("is there already") == len(made)

    Image.fromarray(noise(36, 45, 3, seed=3)).save(place.root / "photos" / "one.jpg")
    Image.fromarray(noise(36, 45, 3, seed=4)).save(place.root / "photos" / "two.jpg")
    Image.fromarray(noise(36, 45, 3, seed=5)).save(place.root / "photos" / "two.bmp")
    more = apply("night", "photos", "-o", "photos_night", "--format", "ffv1")
    assert more.exit_code == 1
    assert "photos_night/one.jpg.png: there already, and nothing in it says" in more.output
    assert Path("photos_night/two.jpg.png").is_file(), "the others are made"
    assert Path("photos_night/two.bmp.png").is_file()


def test_a_folder_of_one_picture_and_names_of_any_case_and_with_colons(place: Workspace) -> None:
    (place.root / "one").mkdir()
    (place.root / "photos" / "one.jpg").rename(place.root / "one" / "one.jpg")
    assert apply("night", "one").exit_code == 0
    assert Path("one_night/one.png").is_file()
    for output in ("LOUD.PNG", "LOUD.PNG"):
        assert apply("night", "one/one.jpg", "-o", output).exit_code == 0
    (place.root / "clip.mp4").rename(place.root / "10:30.mp4")
    result = apply("night", "./10:30.mp4")
    assert result.exit_code == 0, told(result)
    assert Film.look(Path("10:30_night.mp4")).frames == FRAMES


def test_where_weights_move_a_picture_of_another_place_is_made_anew(place: Workspace) -> None:
    def make() -> bytes:
        assert apply("night", "photos", "--through-time", "--force").exit_code == 0
        return Path("photos_night/one.png").read_bytes()

    before = make()
    Image.fromarray(noise(36, 45, 3, seed=3)).save(place.root / "photos" / "zebra.png")
    again = apply("night", "photos", "--through-time")
    assert "and 2 more: there already, and nothing in it says" in told(again)
    assert make() != before


def test_weights_may_be_mixed_with_those_of_a_relative() -> None:
    for name, mix in {"own": "child:0", "half": "child:0.5", "other": "child:1"}.items():
        made = apply("night", "photos/one.jpg", "--mix", mix, "-o", f"{name}.png")
        assert made.exit_code == 0, told(made)
    assert apply("child", "photos/one.jpg", "-o", "child.png").exit_code == 0

    own, half, other, child = (
        np.asarray(Image.open(f"{name}.png")).astype(int)
        for name in ("own", "half", "other", "child")
    )
    assert np.abs(other - child).max() <= 1
    assert np.abs(own - half).max() > 1
    assert np.abs(half - other).max() > 1


def test_pictures_of_sixteen_bits_stay_so(monkeypatch: pytest.MonkeyPatch) -> None:
    ramp = np.tile(np.arange(0, 65536, 256, dtype=np.uint16)[:, None, None], (1, 40, 3))
    grey = ramp[..., 0] + 77
    cv2.imwrite("deep.png", ramp + 13)
    cv2.imwrite("grey.png", grey)

    def same(_: object, __: object, pictures: np.ndarray) -> np.ndarray:
        return pictures

    monkeypatch.setattr("multitrain.applying.translator.Translator.make", same)
    for name in ("deep", "grey"):
        result = apply("night", f"{name}.png", "-o", f"{name}_made.png")
        assert result.exit_code == 0, told(result)
    np.testing.assert_array_equal(cv2.imread("deep_made.png", cv2.IMREAD_UNCHANGED), ramp + 13)
    made = cv2.imread("grey_made.png", cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(made, np.repeat(grey[..., None], 3, axis=-1))
    again = apply("night", "deep.png", "-o", "deep_made.png")
    assert "deep_made.png is there already" in again.output


def test_frames_and_pictures_are_scaled_before(place: Workspace) -> None:
    noted = apply("night", "clip.mp4")
    assert "160x90 is not what night was trained on, which was 45x36; with --scale" in noted.output
    scaled = apply("night", "clip.mp4", "--scale", "46x36", "-o", "small.mp4")
    assert scaled.exit_code == 0, told(scaled)
    assert "trained on" not in scaled.output
    assert Film.look(Path("small.mp4")).size == (46, 36)
    assert apply("night", "photos/one.png", "--scale", "45x36", "-o", "s.png").exit_code == 0
    with Image.open("s.png") as picture:
        assert picture.size == (45, 36)
