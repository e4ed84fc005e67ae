"""What frames look like: turns, shapes of pixels, colours, fields."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest

from jobs.videos.opening import UnreadableVideo
from jobs.videos.video import look
from multitrain.datasets.drawn.landscapes import draw_landscape
from multitrain.datasets.filmed.fields import Fields, Mending, choose
from multitrain.datasets.filmed.frames import FrameReader
from multitrain.datasets.filmed.judging import suitable
from multitrain.datasets.filmed.seeking import plan
from render.encoding import ffmpeg
from tests.footage import write_video

PATCHES = np.array(
    [(0, 0, 0), (255, 255, 255), (200, 30, 30), (30, 200, 30), (30, 30, 200), (220, 180, 40)],
    np.uint8,
)
SIDE = 32


def patches(height=64):
    return np.ascontiguousarray(np.repeat(PATCHES, SIDE, axis=0)[None].repeat(height, axis=0))


def stills(path, times=(0.0,), mending=Mending.NONE):
    video = look(path)
    with FrameReader(video, mending) as reader:
        runs = plan(video, dict(enumerate(times)), mending.around)
        return [still for run in runs for _, still in reader.stills(run)]


def seen_patches(path):
    image = np.asarray(stills(path)[0].image)
    return image[image.shape[0] // 2, SIDE // 2 :: SIDE].astype(int)


def converted(source, target, *arguments):
    ffmpeg.run([ffmpeg.find(), "-y", "-i", str(source), *arguments, str(target)])
    return target


@pytest.fixture
def lossless(tmp_path):
    return write_video(
        tmp_path / "source.mkv", [patches()] * 3, codec="libx264rgb", pixels="rgb24",
        options={"qp": "0"},
    )  # fmt: skip


@pytest.mark.parametrize("matrix", ["bt709", "bt470bg"])
@pytest.mark.parametrize("levels", ["tv", "pc"])
@pytest.mark.parametrize("pixels", ["yuv444p", "yuv444p10le"])
def test_colours_are_right_by_matrix_range_and_depth(tmp_path, lossless, matrix, levels, pixels):
    video = converted(
        lossless, tmp_path / "a.mp4",
        "-vf", f"scale=out_color_matrix={matrix}:out_range={levels},format={pixels}",
        "-crf", "1", "-colorspace", matrix, "-color_range", levels,
    )  # fmt: skip
    assert abs(seen_patches(video) - PATCHES).max() <= 4


@pytest.mark.parametrize(("height", "matrix"), [(64, "bt470bg"), (720, "bt709")])
def test_video_that_tells_no_matrix_is_as_players_have_it(tmp_path, height, matrix):
    source = write_video(
        tmp_path / "source.mkv", [patches(height)], codec="libx264rgb", pixels="rgb24",
        options={"qp": "0"},
    )  # fmt: skip
    video = converted(
        source, tmp_path / "a.mp4", "-crf", "1",
        "-vf", f"scale=out_color_matrix={matrix}:out_range=tv,format=yuv444p,"
        "setparams=colorspace=unknown",
    )  # fmt: skip
    assert abs(seen_patches(video) - PATCHES).max() <= 4


def test_high_dynamic_range_looks_like_itself_in_standard_range(tmp_path):
    linear = "zscale=pin=bt709:tin=bt709:min=gbr:rin=full:t=linear:npl=203"
    source = write_video(
        tmp_path / "source.mkv", [patches()] * 3, codec="libx264rgb", pixels="rgb24",
        options={"qp": "0"},
    )  # fmt: skip
    video = converted(
        source, tmp_path / "a.mp4",
        "-vf", f"format=gbrpf32le,setparams=color_primaries=bt709:color_trc=bt709,{linear},"
        "zscale=p=bt2020:t=smpte2084:m=bt2020nc:r=limited:npl=203,format=yuv444p10le",
        "-crf", "1", "-color_primaries", "bt2020", "-color_trc", "smpte2084",
        "-colorspace", "bt2020nc",
    )  # fmt: skip
    assert abs(seen_patches(video) - PATCHES).max() <= 40


def test_pixels_that_are_not_square(tmp_path):
    def anamorphic(stream):
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)

    video = write_video(tmp_path / "a.mp4", [patches()] * 2, prepare=anamorphic)
    assert look(video).size == (256, 64)
    (still,) = stills(video)
    assert (still.image.size, still.seen) == ((192, 64), (256, 64))


@pytest.mark.parametrize(("degrees", "corner"), [(90, -1), (270, 0)])
def test_a_phone_held_upright(tmp_path, degrees, corner):
    plain = write_video(tmp_path / "plain.mp4", [patches()] * 2, options={"crf": "4"})
    video = tmp_path / "turned.mp4"
    ffmpeg.run([
        ffmpeg.find(), "-y", "-display_rotation", str(degrees), "-i", str(plain), "-c", "copy",
        str(video),
    ])  # fmt: skip
    assert look(video).size == (64, 192)
    (still,) = stills(video)
    upright = converted(video, tmp_path / "upright.mkv", "-c:v", "ffv1", "-pix_fmt", "bgr0")
    (expected,) = stills(upright)
    assert still.image.size == expected.image.size == (64, 192)
    difference = np.asarray(still.image, int) - np.asarray(expected.image, int)
    assert abs(difference).mean() < 3


PAN = 6  # pixels a frame


def panned(count, step):
    landscape = cv2.resize(draw_landscape(3, 320, 90), (1280, 360), interpolation=cv2.INTER_CUBIC)
    return [landscape[60:300, number * step : number * step + 320] for number in range(count)]


INTERLACED = ("-flags", "+ilme+ildct", "-x264-params", "tff=1", "-pix_fmt", "yuv420p", "-crf", "8")


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("film") / "film.mkv"
    return write_video(path, panned(120, PAN), fps=Fraction(24000, 1001), options={"crf": "4"})


@pytest.fixture(scope="module")
def telecined(film):
    return converted(film, film.with_name("tv.mkv"), "-vf", "telecine=pattern=23", *INTERLACED)


def nearest_film_frame(still, frames):
    """Which one it is, and the mean distance from it in levels."""
    picture = np.asarray(still.image, int)
    distances = [abs(picture - frame).mean() for frame in frames]
    return int(np.argmin(distances)), min(distances)


def test_film_is_left_alone(film):
    assert suitable(look(film)) is Mending.NONE


def test_telecine_is_taken_back_to_film(telecined):
    assert suitable(look(telecined)) is Mending.IVTC
    frames = np.stack(panned(120, PAN)).astype(int)
    times = [0.4 + number / 5 for number in range(20)]
    for time, still in zip(times, stills(telecined, times, Mending.IVTC), strict=True):
        number, distance = nearest_film_frame(still, frames)
        assert distance < 2.5
        assert abs(number - time * 24000 / 1001) < 1.5


def test_a_break_in_the_cadence(film, telecined, tmp_path):
    """Frames 40 to 51 of what was telecined are cut out, so the pattern jumps."""
    broken = converted(
        telecined, tmp_path / "broken.mkv",
        "-vf", "select='not(between(n,40,51))',setpts=N/(30000/1001)/TB", *INTERLACED,
    )  # fmt: skip
    frames = np.stack(panned(120, PAN)).astype(int)
    times = [1.0 + number / 10 for number in range(10)]
    found = [nearest_film_frame(each, frames) for each in stills(broken, times, Mending.IVTC)]
    assert [number for number, _ in found] == sorted(number for number, _ in found)
    assert sorted(distance for _, distance in found)[-2] < 2.5  # one may lie on the cut itself


def jaggedness(still):
    """How far rows lie off the middle of their neighbours."""
    picture = np.asarray(still.image, int)
    return abs(picture[:-2] - 2 * picture[1:-1] + picture[2:]).mean()


def test_interlaced_video_is_told_and_mended(tmp_path):
    source = write_video(tmp_path / "source.mkv", panned(100, 3), fps=50, options={"crf": "4"})
    video = converted(source, tmp_path / "a.mkv", "-vf", "tinterlace=interleave_top", *INTERLACED)
    assert suitable(look(video)) is Mending.YADIF
    (combed,), (whole,) = stills(video, [1.0]), stills(video, [1.0], Mending.YADIF)
    assert jaggedness(whole) < jaggedness(combed) / 2


def test_where_frames_are_counted_not_only_the_beginning_is_looked_at(tmp_path):
    still = [panned(1, 3)[0]] * 60
    source = write_video(tmp_path / "a.mkv", still + panned(90, 3), fps=50, options={"crf": "4"})
    video = converted(
        source, tmp_path / "a.vob",
        "-vf", "tinterlace=interleave_top", "-c:v", "mpeg2video", "-flags", "+ilme+ildct",
        "-q:v", "2",
    )  # fmt: skip
    assert suitable(look(video)) is Mending.YADIF


NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize("pattern", ["23", "2332"])
@pytest.mark.parametrize("first", ["top", "bottom"])
def test_telecine_of_any_order_is_told(film, tmp_path, pattern, first):
    how = f"telecine=pattern={pattern}:first_field={first},noise=alls=8:allf=t"
    video = converted(film, tmp_path / "tv.mkv", "-vf", how, *INTERLACED[:-1], "24")
    assert suitable(look(video)) is Mending.IVTC


@pytest.mark.parametrize("fps", [25, 30, NTSC], ids=str)
@pytest.mark.parametrize("moved", [range(5), (1, 3)], ids=["all", "two of five"])
def test_fine_patterns_of_whole_frames_are_left_alone(tmp_path, fps, moved):
    """Rows by turns bright and dark, which change in some frames of five: so do grids of GANs."""
    rows = np.arange(90)[:, None, None]
    random = np.random.default_rng(0)
    drawn = []
    for number in range(60):
        if not drawn or number % 5 in moved:
            turned, grey = number % 2, random.integers(0, 40, (1, 160, 1))
            frame = np.where((rows + turned) % 2, 220 - grey, 20 + grey).repeat(3, axis=2)
        drawn.append(frame.astype(np.uint8))
    video = write_video(tmp_path / "grid.mp4", drawn, fps=fps)
    assert suitable(look(video)) is Mending.NONE


@pytest.mark.parametrize(
    ("share", "rate", "progressive", "chosen"),
    [
        (0.0, 29.97, False, Mending.NONE),
        (0.4, 29.97, False, Mending.YADIF),
        (0.2, 25.0, True, Mending.NONE),
        (0.2, 25.0, False, Mending.YADIF),
    ],
)
def test_what_suits(share, rate, progressive, chosen):
    combed = [int(number < share * 100) for number in range(100)]
    assert choose([Fields(combed, False)], rate, progressive=progressive) is chosen
    assert choose([], rate, progressive=progressive) is Mending.NONE


@pytest.mark.parametrize(
    ("rate", "telecined", "chosen"),
    [
        (float(NTSC), [True] * 5, Mending.IVTC),
        (float(NTSC), [True, True, None, False], Mending.IVTC),
        (float(NTSC), [True, False, None], Mending.YADIF),
        (30.0, [True] * 5, Mending.YADIF),
        (25.0, [True] * 5, Mending.YADIF),
    ],
)
def test_only_video_of_tv_that_is_telecined_all_along_is_taken_back(rate, telecined, chosen):
    places = [Fields([1, 1, 0, 0, 0], each) for each in telecined]
    assert choose(places, rate, progressive=True) is chosen


def test_rows_of_two_orders_are_no_fields():
    assert choose([Fields([1, -1, 1, -1, 0] * 4, False)], 25.0, progressive=False) is Mending.YADIF
    assert choose([Fields([1, -1, 0, 0, 0] * 4, False)], 25.0, progressive=True) is Mending.NONE


def test_music_with_a_cover_is_no_video(tmp_path):
    cover = tmp_path / "cover.png"
    cv2.imwrite(str(cover), patches())
    music = tmp_path / "music.mp4"
    ffmpeg.run([
        ffmpeg.find(), "-f", "lavfi", "-i", "sine=d=1", "-i", str(cover), "-map", "0", "-map", "1",
        "-c:v", "png", "-disposition:v", "attached_pic", str(music),
    ])  # fmt: skip
    with pytest.raises(UnreadableVideo, match="holds no video"):
        look(music)


def test_a_playlist_reaches_nothing_on_the_network(tmp_path):
    playlist = tmp_path / "a.m3u8"
    playlist.write_text("#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(UnreadableVideo):
        look(playlist)
