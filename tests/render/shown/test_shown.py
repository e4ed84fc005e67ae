"""Films as they are in the wild, read as players show them: by loops, exports, merges, posters."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from jobs.errors import MultitrainError, UsageError
from jobs.settings.loops import ClipSettings
from render.clips.chaining import Piece, chain_films, copy_films
from render.clips.exporting import export_film, notes
from render.clips.looping import make_loop
from render.files.film import Film
from render.files.reading import FilmReader, frames_in_order
from tests.footage import write_video
from tests.render.numbered import picture, read
from tests.wild import (
    H264,
    HEIGHT,
    MPEG2,
    SHOWN,
    TURNS,
    WIDTH,
    as_player,
    corners,
    half_clear,
    numbered,
    put_together,
    quadrants,
    remuxed,
)


def nobody(_: int) -> None: ...


def numbers(film: Path) -> list[int]:
    """What its frames show, forwards and the same backwards."""
    with FilmReader([film]) as reader:
        forth = [read(frame) for frame in frames_in_order(reader)]
        back = [read(reader[number]) for number in range(reader.frames - 1, -1, -1)]
    assert back[::-1] == forth
    return forth


def first_frame(film: Path) -> np.ndarray:
    with FilmReader([film]) as reader:
        return reader[0]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return quadrants(tmp_path_factory.mktemp("plain") / "plain.mp4", *H264)


@pytest.mark.parametrize("turn", TURNS, ids=lambda turn: " ".join(turn) or "upright")
def test_all_eight_display_matrices(tmp_path, plain, turn):
    film = remuxed(plain, tmp_path / "film.mp4", *turn)
    right = as_player(film)
    seen = first_frame(film)
    assert seen.shape == right.shape
    assert corners(seen) == corners(right)
    export_film(film, "png", tmp_path / "film.png", nobody)
    exported = np.asarray(Image.open(tmp_path / "film.png" / "frame_000000000.png"))
    assert (exported.shape, corners(exported)) == (right.shape, corners(right))
    make_loop([film], ClipSettings("pingpong"), "ffv1", tmp_path / "loop.mov", nobody)
    looped = as_player(tmp_path / "loop.mov")
    assert (looped.shape, corners(looped)) == (right.shape, corners(right))


def test_the_eight_display_matrices_are_all_different(tmp_path, plain):
    shown = {
        (seen.shape, corners(seen))
        for number, turn in enumerate(TURNS)
        for seen in [first_frame(remuxed(plain, tmp_path / f"{number}.mp4", *turn))]
    }
    assert len(shown) == len(TURNS) == 8


@pytest.mark.parametrize("suffix", [".mkv", ".mov"])
def test_other_files_are_turned_too(tmp_path, plain, suffix):
    film = remuxed(plain, tmp_path / f"film{suffix}", "-display_rotation", 90)
    assert corners(first_frame(film)) == corners(as_player(film)) != corners(as_player(plain))


@pytest.mark.parametrize("name", ["h264", "webm", "gif", "ffv1"])
@pytest.mark.parametrize(
    ("suffix", "encoder", "size"),
    [
        (".mp4", H264, (91, 32)),
        (".mkv", H264, (91, 32)),
        (".mpg", MPEG2, (57, 32)),
    ],
)
def test_pixels_that_are_not_square_become_so(tmp_path, name, suffix, encoder, size):
    shape = "16/9*32/64" if suffix == ".mpg" else "64/45"  # MPEG-2 knows four shapes of pictures
    film = numbered(tmp_path / f"film{suffix}", range(4), *encoder, "-vf", f"setsar={shape}")
    assert Film.look(film).size == size
    assert numbers(film) == list(range(4))
    output = tmp_path / "output.mkv"
    export_film(film, name, output, nobody)
    with av.open(str(output)) as container:
        stream = container.streams.video[0]
        assert stream.sample_aspect_ratio in (None, 0, 1)
        assert abs(stream.width - size[0]) < 2
    make_loop([film], ClipSettings("pingpong"), "ffv1", tmp_path / "loop.mov", nobody)
    assert Film.look(tmp_path / "loop.mov").size == size


ALPHA = {
    "prores": (".mov", "-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"),
    "hap": (".mov", "-c:v", "hap", "-format", "hap_alpha"),
    "qtrle": (".mov", "-c:v", "qtrle", "-pix_fmt", "argb"),
    "png": (".mov", "-c:v", "png", "-pix_fmt", "rgba"),
    "vp8": (".webm", "-c:v", "libvpx", "-pix_fmt", "yuva420p", "-auto-alt-ref", "0"),
    "vp9": (".webm", "-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p"),
    "gif": (
        ".gif",
        "-filter_complex",
        "split[a][b];[b]palettegen=reserve_transparent=1[p];[a][p]paletteuse",
    ),
}


@pytest.mark.parametrize("kind", ALPHA)
def test_what_is_transparent_stays_so_or_becomes_black(tmp_path, kind):
    suffix, *encoder = ALPHA[kind]
    film = half_clear(tmp_path / f"film{suffix}", *encoder)
    seen = first_frame(film)
    assert (seen[4, -4, 3], seen[4, 4, 3]) == (0, 255)
    for name, clear in (("h264", False), ("prores-4444", True)):
        for output, make in (
            (tmp_path / f"export.{name}.mov", export_film),
            (tmp_path / f"loop.{name}.mov", looped),
        ):
            make(film, name, output, nobody)
            shown = first_frame(output)
            assert np.abs(shown[4, 4, :3].astype(int) - SHOWN).max() < 12
            assert shown.shape[2] == (4 if clear else 3)
            assert shown[4, -4, 3] == 0 if clear else shown[4, -4].max() < 12


def looped(film, name, output, told):
    make_loop([film], ClipSettings("pingpong"), name, output, told)


def test_no_hidden_colour_at_the_edge_of_what_is_scaled(tmp_path):
    film = half_clear(tmp_path / "film.mov", *ALPHA["png"][1:], "-vf", "setsar=2")
    settings = ClipSettings("pingpong", scale=Film.look(film).size._replace(height=48))
    export_film(film, "ffv1", tmp_path / "export.mov", nobody)
    make_loop([film], settings, "ffv1", tmp_path / "loop.mov", nobody)
    for output in ("export.mov", "loop.mov"):
        shown = first_frame(tmp_path / output).astype(int)
        covered = shown[shown[..., 3] > 32]
        assert covered[:, 0].max() < 16  # red is of the hidden colour alone
        assert covered[:, 1].max() > 190


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize(
    ("span", "shown"),
    [
        (("-ss", 1.2), range(30, 60)),
        (("-t", 1.2), range(30)),
        (("-ss", 0.4, "-t", 0.8), range(10, 30)),
    ],
    ids=["start", "end", "both"],
)
def test_what_an_edit_list_hides_is_not_there(tmp_path, suffix, b_frames, span, shown):
    """A keyframe may be hidden, too: decoding begins there.

    ffmpeg cuts between packets as they are stored, so that frames may be missing before the last.
    """
    whole = numbered(tmp_path / f"whole{suffix}", range(60), *H264, "-g", 50, "-bf", b_frames)
    film = remuxed(whole, tmp_path / f"film{suffix}", *span)
    with av.open(str(film)) as container:
        there = [read(each.to_ndarray(format="rgb24")) for each in container.decode(video=0)]
    assert shown[0] == there[0]
    assert {*shown} <= {*there}
    right = [max(n for n in there if n <= at) for at in range(there[0], there[-1] + 1)]
    assert numbers(film) == right
    export_film(film, "ffv1", tmp_path / "export.mov", nobody)
    assert numbers(tmp_path / "export.mov") == right


# When both recordings begin, in seconds; the clock of MPEG-TS wraps at 95443.7 s.
CLOCKS = {"again": (0, 0), "a leap": (0, 5000), "behind a wrap": (95441, 100)}


@pytest.mark.parametrize("codec", [H264, MPEG2], ids=["h264", "mpeg2"])
@pytest.mark.parametrize("clocks", CLOCKS.values(), ids=CLOCKS)
@pytest.mark.parametrize("size", [(WIDTH, HEIGHT), (2 * WIDTH, HEIGHT)], ids=["same", "wider"])
def test_recordings_that_were_put_together(tmp_path, codec, clocks, size):
    """Of one size or not, with B-frames in one of them; their times begin again, leap or wrap."""
    begins = [("-output_ts_offset", clock) for clock in clocks]
    first = numbered(tmp_path / "0.ts", range(40), *codec, "-g", 8, *begins[0])
    behind = range(100, 120)
    other = numbered(tmp_path / "1.ts", behind, *codec, "-g", 8, "-bf", 2, *begins[1], size=size)
    film = put_together(tmp_path / "film.ts", first, other, first)
    right = [*range(40), *behind, *range(40)]
    if codec == MPEG2 and size[0] != WIDTH:  # its decoder drops the last frame of another size
        right[39], right[59] = 38, 118
    assert numbers(film) == right
    export_film(film, "ffv1", tmp_path / "export.mov", nobody)
    assert numbers(tmp_path / "export.mov") == right


def test_a_short_gap_is_held(tmp_path):
    parts = [
        numbered(tmp_path / f"{n}.ts", range(n, n + 5), *H264, "-bf", 0, "-output_ts_offset", n)
        for n in (0, 1)
    ]
    film = put_together(tmp_path / "film.ts", *parts)
    assert numbers(film) == [*range(5), *[4] * 20, *range(1, 6)]


def test_recordings_without_b_frames_before_those_with_some(tmp_path):
    parts = [
        numbered(
            tmp_path / f"{b_frames}.ts", range(9), *H264, "-x264-params", f"bframes={b_frames}"
        )
        for b_frames in (0, 3)
    ]
    for order in (parts, parts[::-1]):
        assert numbers(put_together(tmp_path / "film.ts", *order)) == [*range(9), *range(9)]


def test_a_recording_that_begins_between_keyframes(tmp_path):
    whole = numbered(tmp_path / "whole.ts", range(30), *H264, "-g", 10, "-bf", 0)
    data, film = whole.read_bytes(), tmp_path / "film.ts"
    film.write_bytes(data[len(data) // 188 // 2 * 188 :])
    found = numbers(film)
    assert found == list(range(found[0], 30))
    assert found[0] in (10, 20)


def test_frames_at_uneven_times_are_held(tmp_path):
    """Each until the next one; of those that come at once, the last is seen."""
    times = [0, 1, 2, 3, 7, 8, 9, 10, 12, 13, 14, 15]
    frames = [picture(number, WIDTH, HEIGHT) for number in range(len(times))]
    film = write_video(tmp_path / "film.mkv", frames, times=times.__getitem__)
    right = [max(n for n, time in enumerate(times) if time <= at) for at in range(16)]
    assert Film.look(film).format.fps == 25
    assert numbers(film) == right
    export_film(film, "ffv1", tmp_path / "export.mov", nobody)
    assert numbers(tmp_path / "export.mov") == right
    assert notes(film, "ffv1") == [
        "its frames come at uneven times; shown at 25 fps, 12 of them become 16"
    ]


def test_times_that_are_years_apart_are_told(tmp_path):
    film = tmp_path / "film.mkv"
    with av.open(film, "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 32
        stream.time_base = Fraction(1, 1000)
        for time in (0, 40, 80, 120, 10**11):
            frame = av.VideoFrame(32, 32, "yuv420p")
            frame.pts, frame.time_base = time, stream.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(MultitrainError, match="its frames come days apart"):
        Film.look(film)


@pytest.mark.parametrize("fps", [25, Fraction(30000, 1001), 60])
def test_films_at_even_times_are_taken_frame_by_frame(tmp_path, fps):
    film = Film.look(write_video(tmp_path / "film.mp4", 12, fps=fps))
    assert film.is_as_stored
    assert (film.format.fps, film.frames) == (fps, 12)


def test_films_that_are_not_shown_as_they_are_stored_are_not_copied(tmp_path, plain):
    turned = remuxed(plain, tmp_path / "turned.mp4", "-display_rotation", 180)
    pieces = [Piece("plain", (plain,)), Piece("turned", (turned,))]
    with pytest.raises(UsageError, match=r"turned\.mp4 is shown otherwise .* name a format"):
        copy_films(pieces, tmp_path / "all.mp4")
    chain_films(pieces, 0, "ffv1", tmp_path / "all.mov", nobody)
    with FilmReader([tmp_path / "all.mov"]) as reader:
        assert [corners(reader[n]) for n in (0, 7)] == ["RGBW", "WBGR"]
