from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from jobs.errors import DatasetError, UsageError
from jobs.videos.opening import opened
from jobs.videos.seeking import from_keyframe
from jobs.videos.video import look
from multitrain.commands.datasets import dataset
from multitrain.datasets.drawn.landscapes import draw_landscape
from render.encoding import ffmpeg
from tests.footage import HEIGHT, WIDTH, number_of, numbered, write_video

WHOLE = ("--crop", "none", "--scale", "none")


@pytest.fixture
def extract(workspace):
    """Calls the command in the workspace; what it told, as JSON has it."""

    def call(*arguments: object) -> dict:
        given = [
            os.fspath(each) if hasattr(each, "__fspath__") else str(each) for each in arguments
        ]
        place = ["--workspace", str(workspace.root), "--json"]
        result = CliRunner().invoke(dataset, ["extract", *given, *place], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)[0]

    return call


@pytest.fixture
def pictures(workspace):
    return lambda name: sorted(workspace.dataset(name).glob("*.[pj]*g"))


def read(path):
    with Image.open(path) as image:
        return image.convert("RGB")


@pytest.mark.parametrize(
    ("suffix", "codec", "options"),
    [
        (".mp4", "libx264", {"crf": "12", "bf": "3"}),
        (".mkv", "libx264", {"crf": "12", "bf": "3", "x264-params": "open-gop=1"}),
        (".ts", "libx264", {"crf": "12", "bf": "2"}),
        (".webm", "libvpx-vp9", {"crf": "12", "deadline": "realtime", "cpu-used": "8"}),
        (".avi", "mpeg4", {"b": "4M", "bf": "2"}),
        (".mov", "mjpeg", {"q": "2"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_picture_is_the_frame_nearest_to_its_time(
    extract, pictures, tmp_path, suffix, codec, options
):
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    video = write_video(tmp_path / f"a{suffix}", 100, codec=codec, options=options, pixels=pixels)
    extract(video, "some", "--count", 10, *WHOLE)
    assert [number_of(each) for each in pictures("some")] == [5 + 10 * n for n in range(10)]


@pytest.mark.parametrize("codec_options", [{"bf": "0"}, {"bf": "3"}], ids=["plain", "b-frames"])
def test_of_a_variable_rate_the_nearest_frame_counts(extract, pictures, tmp_path, codec_options):
    shown = [0, 1, 2, 3, 40, 41, 60, 61, 100, 110, 120, 121, 122, 150]  # in 25ths of a second
    video = write_video(
        tmp_path / "a.mkv", len(shown), times=shown.__getitem__, options=codec_options, gop=250
    )
    extract(video, "some", "--every", 0.8, *WHOLE)
    wanted = [min(shown, key=lambda each: (abs(each - time), each)) for time in range(0, 151, 20)]
    expected = [shown.index(each) for each in dict.fromkeys(wanted)]
    assert [number_of(each) for each in pictures("some")] == expected


def test_a_video_that_begins_late_counts_from_its_first_frame(extract, pictures, tmp_path):
    video = write_video(tmp_path / "a.ts", 50, times=lambda number: number + 100_000)
    extract(video, "some", "--every", "0.4", "--start", "1.0", *WHOLE)
    assert [number_of(each) for each in pictures("some")] == [25, 35, 45]


@pytest.mark.parametrize("suffix", [".ts", ".m2ts", ".vob", ".mpg", ".avi", ".flv"])
def test_the_first_group_of_pictures_is_there(extract, pictures, tmp_path, suffix):
    source = write_video(tmp_path / "source.mkv", 30)
    video = tmp_path / f"a{suffix}"
    made_by_ffmpeg(source, video, "-b:v", "3M", "-bf", "2" if suffix != ".flv" else "0")
    told = extract(video, "some", "--every", 0.12, *WHOLE)
    assert told["left_out"] == []
    assert [number_of(each) for each in pictures("some")] == list(range(0, 30, 3))


def made_by_ffmpeg(source, target, *options):
    ffmpeg.run([ffmpeg.find(), "-y", "-i", str(source), *map(str, options), str(target)])


@pytest.mark.parametrize("reordered", [0, 2])
@pytest.mark.parametrize("codec", ["mpeg1video", "mpeg2video"])
def test_frames_that_share_one_time_are_counted(extract, pictures, tmp_path, codec, reordered):
    """Small ones, of which many begin in each part of a program stream."""
    source = write_video(tmp_path / "source.mkv", 150)
    video = tmp_path / "a.mpg"
    made_by_ffmpeg(source, video, "-c:v", codec, "-g", "15", "-bf", reordered, "-q:v", "8")
    extract(video, "some", "--every", 0.2, "--start", 0.4, *WHOLE)
    assert [number_of(each) for each in pictures("some")] == list(range(10, 150, 5))


def test_times_that_begin_anew_go_on(extract, pictures, tmp_path):
    part, whole = tmp_path / "part.mpg", tmp_path / "whole.mpg"
    made_by_ffmpeg(write_video(tmp_path / "source.mkv", 50), part, "-bf", 2, "-q:v", 8)
    whole.write_bytes(2 * part.read_bytes())
    extract(whole, "some", "--every", 0.4, "--start", 0.2, *WHOLE)
    assert [number_of(each) for each in pictures("some")] == 2 * list(range(5, 50, 10))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi"])
def test_only_what_is_needed_is_decoded(tmp_path, suffix):
    codec = "mpeg4" if suffix == ".avi" else "libx264"
    path = write_video(tmp_path / f"a{suffix}", 200, gop=20, codec=codec, options={"b": "1M"})
    video = look(path)
    wanted = video.pts_at(150 / 25)
    with opened(path) as (container, stream):
        packets = list(from_keyframe(container, stream, wanted, video.first))
    assert packets[0].is_keyframe
    before = sum(each.size > 0 and each.pts is not None and each.pts < wanted for each in packets)
    assert before < 20


def test_one_long_group_of_pictures(extract, pictures, tmp_path):
    video = write_video(tmp_path / "a.mp4", 120, gop=1000)
    extract(video, "some", "--count", 3, "--start", "0:02", "--end", "0:03.2", *WHOLE)
    assert [number_of(each) for each in pictures("some")] == [55, 65, 75]


def test_the_count_is_shared_by_length(extract, pictures, tmp_path):
    long = write_video(tmp_path / "Löng -- film.mp4", 90)
    short = write_video(tmp_path / "short.mp4", 30)
    told = extract(long, short, "both", "--count", 8, *WHOLE)
    assert told["pictures"] == 8
    names = [each.name for each in pictures("both")]
    assert names == [f"Long-film_00000{n}.png" for n in range(6)] + [
        "short_000000.png", "short_000001.png",
    ]  # fmt: skip


def test_videos_of_one_name_do_not_overwrite_each_other(extract, pictures, tmp_path):
    (tmp_path / "other").mkdir()
    one, two = (write_video(tmp_path / each, 10) for each in ("a.mp4", "other/a.mp4"))
    extract(one, two, "both", "--count", 2, *WHOLE)
    assert [each.name for each in pictures("both")] == ["a-2_000000.png", "a_000000.png"]


def test_two_squares_of_each_frame(extract, pictures, tmp_path):
    frame = np.zeros((90, 160, 3), np.uint8)
    frame[:, :80, 0], frame[:, 80:, 2] = 200, 200
    extract(write_video(tmp_path / "a.mp4", [frame] * 10), "some", "--count", 1, "--scale", "-1:30")
    left, right = map(read, pictures("some"))
    assert [each.name for each in pictures("some")] == ["a_000000_left.png", "a_000000_right.png"]
    assert left.size == right.size == (30, 30)
    assert left.getpixel((3, 15))[0] > 150 > 50 > left.getpixel((3, 15))[2]
    assert right.getpixel((26, 15))[2] > 150 > 50 > right.getpixel((26, 15))[0]


def test_jpeg(extract, pictures, tmp_path):
    extract(write_video(tmp_path / "a.mp4", 9), "some", "--count", 1, "--crop", "center",
            "--format", "jpg", "--quality", 80)  # fmt: skip
    (picture,) = pictures("some")
    assert picture.name == "a_000000.jpg"
    assert picture.read_bytes()[:3] == b"\xff\xd8\xff"
    assert read(picture).size == (256, 256)


def test_more_frames_than_there_are(extract, tmp_path):
    told = extract(write_video(tmp_path / "a.mp4", 10), "some", "--count", 25, *WHOLE)
    assert told["pictures"] == 10
    assert told["notes"] == ["the videos have 10 frames, fewer than the 25 asked for"]


def test_more_frames_than_there_are_in_a_part(extract, tmp_path):
    video = write_video(tmp_path / "a.mp4", 30)
    told = extract(video, "some", "--count", 25, "--end", 10 / 25, *WHOLE)
    assert told["pictures"] == 11  # to the last moments, the frame at the end is the nearest one
    wanted = "the videos have 11 frames between --start and --end, fewer than the 25 asked for"
    assert told["notes"] == [wanted]


def test_repeats_are_replaced_by_other_times(extract, pictures, tmp_path):
    still = draw_landscape(1, WIDTH, HEIGHT)
    others = [draw_landscape(10 + number, WIDTH, HEIGHT) for number in range(20)]
    video = write_video(tmp_path / "a.mp4", [still] * 40 + others)
    assert extract(video, "all", "--count", 6, *WHOLE)["pictures"] == 6
    told = extract(video, "differing", "--count", 6, "--dedupe", *WHOLE)
    assert told["pictures"] == told["frames"] == len(pictures("differing")) == 6
    assert told["notes"] == [
        "3 frames looked like others and were left out; 3 were replaced by frames of other times"
    ]


def test_where_all_is_alike_one_is_left(extract, tmp_path):
    video = write_video(tmp_path / "a.mp4", [draw_landscape(1, WIDTH, HEIGHT)] * 40)
    told = extract(video, "some", "--count", 6, "--dedupe", *WHOLE)
    assert told["pictures"] == 1
    assert "0 were replaced" in told["notes"][0]


def test_what_cannot_be_used_is_left_out_with_its_reason(extract, tmp_path):
    good = write_video(tmp_path / "good.mp4", 20)
    empty, text, cut, small = (
        tmp_path / f"{name}.mp4" for name in ("empty", "text", "cut", "small")
    )
    empty.touch()
    text.write_text("no video")
    cut.write_bytes(good.read_bytes()[:2000])
    write_video(small, [numbered(0)[:40, :60]] * 5)
    told = extract(empty, text, good, cut, small, "some", "--count", 4, "--crop", "150x80+0+0")
    assert told["pictures"] == 4
    reasons = {Path(each["path"]).name: each["reason"] for each in told["left_out"]}
    assert reasons == {
        "empty.mp4": "is empty",
        "text.mp4": "is no video, or it is damaged",
        "cut.mp4": "is no video, or it is damaged",
        "small.mp4": "the crop 150x80+0+0 does not lie in a picture of 60x40",
    }


def test_of_a_file_that_was_cut_off_what_is_there_is_taken(extract, pictures, tmp_path):
    whole = write_video(tmp_path / "whole.mkv", 100, options={"crf": "12", "bf": "0"})
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert extract(cut, "some", "--count", 5, *WHOLE)["pictures"] == 5
    numbers = [number_of(each) for each in pictures("some")]
    assert numbers == sorted(set(numbers))
    assert 25 < numbers[-1] < 60


def test_damage_costs_only_the_frames_it_hit(extract, tmp_path):
    video = write_video(tmp_path / "a.ts", 100)
    content = bytearray(video.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = bytes(2000)
    video.write_bytes(content)
    told = extract(video, "some", "--count", 100, *WHOLE)
    assert 60 < told["pictures"] < 100
    assert told["pictures"] + len(told["left_out"]) <= 100


def test_names_that_are_odd(extract, tmp_path):
    names = ["a:b.mp4", "-dash\n☃.mp4", os.fsdecode(b"\xff\xfe.mp4")]
    videos = [write_video(tmp_path / f"{number}.mp4", 5) for number in range(3)]
    odd = [video.rename(tmp_path / name) for video, name in zip(videos, names, strict=True)]
    assert extract(*odd, "some", "--count", 3, *WHOLE)["pictures"] == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.mp4", "some"], "one of --count, --every"),
        (["a.mp4", "some", "--count", "3", "--every", "1"], "one of --count, --every"),
        (["a.mp4", "some", "--every", "0"], "one of --count, --every"),
        (["a.mp4", "some", "--count", "3", "--start", "5", "--end", "5"], "must lie behind"),
        (["a.mp4", "some", "--count", "3", "--crop", "middle"], "--crop: must be"),
        (["a.mp4", "some", "--count", "3", "--crop", "left,none"], "several crops are squares"),
        (["a.mp4", "some", "--count", "3", "--scale", "-1:-1"], "--scale: must be"),
        (["b.mp4", "some", "--count", "3"], "'b.mp4' is not a file"),
        (["a.mp4", "demo", "--count", "3"], "the built-in data set"),
    ],
)
def test_a_wrong_call_says_so_and_makes_nothing(workspace, monkeypatch, arguments, said):
    monkeypatch.chdir(workspace.root)
    write_video(workspace.root / "a.mp4", 5)
    with pytest.raises(UsageError, match=said):
        CliRunner().invoke(dataset, ["extract", *arguments], catch_exceptions=False)
    assert not workspace.data.exists() or not list(workspace.data.iterdir())


def test_a_time_that_is_none(workspace):
    result = CliRunner().invoke(dataset, ["extract", "a", "some", "--every", "soon"])
    assert result.exit_code == 2
    assert "'soon' is not a valid time. Lengths are written as" in result.stderr


def test_where_nothing_can_be_taken_nothing_is_left(workspace, tmp_path):
    (tmp_path / "a.mp4").touch()
    arguments = ["extract", str(tmp_path / "a.mp4"), "some", "--count", "3"]
    with pytest.raises(DatasetError, match=r"nothing could be taken for some: .*is empty"):
        CliRunner().invoke(
            dataset, [*arguments, "--workspace", str(workspace.root)], catch_exceptions=False
        )
    assert not list(workspace.data.iterdir())


def test_broadcast_rates_do_not_drift(extract, pictures, tmp_path):
    video = write_video(tmp_path / "a.mp4", 240, fps=Fraction(30000, 1001))
    extract(video, "some", "--every", 1.001, *WHOLE)
    assert [number_of(each) for each in pictures("some")] == [30 * n for n in range(8)]


@pytest.mark.parametrize("suffix", [".mp4", ".ts"])
def test_frames_that_follow_each_other_are_all_taken(extract, pictures, tmp_path, suffix):
    video = write_video(tmp_path / f"a{suffix}", 60)
    extract(video, "some", "--frames", 12, "--start", 0.4, *WHOLE)
    first = number_of(pictures("some")[0])
    assert [number_of(each) for each in pictures("some")] == list(range(first, first + 12))
    extract(video, "rest", "--frames", 1000, *WHOLE)
    assert [number_of(each) for each in pictures("rest")] == list(range(60))


def test_a_data_set_tells_what_it_was_made_of(workspace, extract):
    """The same of a copy that lies elsewhere; other ones of other frames, or of another video."""
    film = write_video(workspace.root / "film.mkv", 12)
    (copies := workspace.root / "copies").mkdir()
    copy = copies / film.name
    copy.write_bytes(film.read_bytes())
    calls = {
        "first": (film, "--count", "3"),
        "again": (copy, "--count", "3", "--crop", "left,right"),
        "fewer": (film, "--count", "2"),
        "whole": (film, "--count", "3", "--crop", "none"),
    }
    for name, (video, *options) in calls.items():
        extract(video, name, *options)
    changed = copy.read_bytes()
    copy.write_bytes(changed[:-1] + bytes([changed[-1] ^ 1]))
    extract(copy, "changed", "--count", "3")
    told = {name: (workspace.dataset(name) / "SOURCE.txt").read_text() for name in calls}
    told["changed"] = (workspace.dataset("changed") / "SOURCE.txt").read_text()
    assert told["again"] == told["first"]
    assert len(set(told.values())) == len(told) - 1
    video, asked = told["whole"].splitlines()
    assert video.startswith(f"video: film.mkv, {film.stat().st_size} bytes, sha256 of its ends ")
    assert asked == "asked: --count 3 --crop none"
