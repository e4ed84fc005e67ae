"""Frames of films by number, in any order, in their colours."""

from __future__ import annotations

import random
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from jobs.errors import MultitrainError
from jobs.settings.kinds import Resolution
from render.encoding.streaming import RawVideo, encoding
from render.files import reading
from render.files.reading import FilmReader, frames_in_order
from tests.footage import number_of, numbered, write_video

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128), (255, 255, 255), (200, 100, 50)]


def shown(reader, number):
    return number_of(Image.fromarray(reader[number]))


@pytest.fixture(params=[1 << 30, 0], ids=["many kept", "few kept"])
def memory(request, monkeypatch):
    monkeypatch.setattr(reading, "KEPT_BYTES", request.param)


@pytest.mark.parametrize("b_frames", ["0", "3"])
def test_frames_in_any_order(memory, workspace, b_frames):
    """Of two files that follow each other, forwards, backwards and at random."""
    files = [
        write_video(
            workspace.root / f"{first}.mp4",
            (numbered(number) for number in range(first, last)),
            gop=25,
            options={"crf": "12", "bf": b_frames},
        )
        for first, last in ((0, 60), (60, 101))
    ]
    forth = list(range(101))
    anywhere = random.Random(0).sample(forth, 40)
    with FilmReader(files) as reader:
        assert (reader.frames, reader.size, reader.channels) == (101, (160, 90), 3)
        for order in (forth, forth[::-1], anywhere, [3, 3, 3]):
            assert [shown(reader, number) for number in order] == order
        for outside in (-1, 101):
            with pytest.raises(IndexError):
                reader[outside]


def test_few_frames_are_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "KEPT_BYTES", 0)
    film = write_video(tmp_path / "film.mp4", 100, gop=100)
    with FilmReader([film]) as reader:
        for number in (*range(100), *range(99, -1, -1)):
            assert shown(reader, number) == number
            assert len(reader._open._kept) <= reading.LEAST_KEPT


def test_going_back_decodes_as_often_as_memory_makes_it(tmp_path, monkeypatch):
    """Not from the keyframe for each frame."""
    options = {"crf": "12", "sc_threshold": "0"}
    film = write_video(tmp_path / "film.mp4", 60, gop=60, options=options)
    seeks = []
    with FilmReader([film]) as reader:
        reader[59]
        original = reader._open._go_to
        monkeypatch.setattr(reader._open, "_go_to", lambda n: (seeks.append(n), original(n)))
        assert [shown(reader, number) for number in range(59, -1, -1)] == list(range(59, -1, -1))
    assert seeks == []


@pytest.mark.parametrize(
    "name", ["h264", "h265", "h265-10bit", "hap", "dxv", "prores", "prores-4444", "ffv1"]
)
def test_colours_are_those_that_were_encoded(tmp_path, name):
    side = 32
    frame = np.repeat(np.repeat(np.array([COLOURS], np.uint8), side, axis=0), side, axis=1)
    film = tmp_path / "film.mov"
    with encoding(film, RawVideo(side * len(COLOURS), side, 3, 60), name) as sink:
        sink.write(np.stack([frame] * 3))
    with FilmReader([film]) as reader:
        found = reader[1][side // 2, side // 2 :: side, :3].astype(int)
    bound = 0 if name == "ffv1" else 2
    assert np.abs(found - COLOURS).max() <= bound, found


@pytest.mark.parametrize(("height", "matrix"), [(64, "smpte170m"), (720, "bt709")])
def test_untagged_colours_are_taken_as_players_do(tmp_path, height, matrix):
    film = tmp_path / "film.mp4"
    red = np.zeros((height, 64, 3), np.uint8)
    red[..., 0] = 255
    graph = av.filter.Graph()
    source = graph.add_buffer(width=64, height=height, format="rgb24", time_base=Fraction(1, 25))
    chain = graph.add("scale", f"out_color_matrix={matrix}:out_range=tv")
    graph.link_nodes(source, chain, graph.add("format", "yuv420p"), graph.add("buffersink"))
    graph.configure()
    with av.open(str(film), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "5"})
        stream.width, stream.height, stream.pix_fmt = 64, height, "yuv420p"
        for number in range(2):
            frame = av.VideoFrame.from_ndarray(red, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            graph.push(frame)
            yuv = graph.pull()
            yuv.colorspace, yuv.color_range = 2, 0
            container.mux(stream.encode(yuv))
        container.mux(stream.encode(None))
    with FilmReader([film]) as reader:
        assert np.abs(reader[0][height // 2, 32].astype(int) - [255, 0, 0]).max() <= 3


def test_alpha_is_read(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (4, 24, 32, 4), dtype=np.uint8)
    film = tmp_path / "film.mov"
    with encoding(film, RawVideo(32, 24, 4, 30), "ffv1") as sink:
        sink.write(frames)
    with FilmReader([film]) as reader:
        assert reader.channels == 4
        assert np.array_equal(list(frames_in_order(reader)), frames)


def test_alpha_that_a_decoder_would_hide_is_read_too(tmp_path):
    """VP9's, forwards, backwards, and behind a keyframe."""
    levels = [5 * number for number in range(50)]
    frames = np.full((50, 24, 32, 4), 128, np.uint8)
    frames[..., 3] = np.array(levels)[:, None, None]
    film = tmp_path / "film.webm"
    with encoding(film, RawVideo(32, 24, 4, 30), "webm") as sink:
        sink.write(frames)
    with FilmReader([film]) as reader:
        assert (reader.channels, reader.has_alpha) == (4, True)
        for number in (*range(50), 49, 30, 7, 41, 0):
            assert reader[number].shape == (24, 32, 4)
            assert abs(int(reader[number][12, 16, 3]) - levels[number]) <= 2


def test_small_pictures(tmp_path):
    film = write_video(tmp_path / "film.mp4", 5)
    with FilmReader([film], small=Resolution(8, 6)) as reader:
        assert [frame.shape for frame in frames_in_order(reader, 2)] == [(6, 8, 3)] * 3


@pytest.mark.parametrize(
    ("number", "start"), [(0, 0), (19, 0), (20, 20), (39, 20), (49, 40), (50, 50), (75, 70)]
)
def test_where_decoding_can_begin(tmp_path, number, start):
    """Keyframes, each twentieth here, of the file that has the frame."""
    options = {"sc_threshold": "0"}  # and nowhere else
    cuts = [write_video(tmp_path / f"{name}.mp4", 50, gop=20, options=options) for name in "ab"]
    with FilmReader(cuts) as reader:
        assert reader.nearest_start(number) == start


def test_times_that_a_container_rounds(tmp_path):
    film = write_video(tmp_path / "film.mkv", 90, fps=Fraction(60000, 1001), codec="mpeg4")
    with FilmReader([film]) as reader:
        assert reader.frames == 90
        assert shown(reader, 77) == 77


def test_files_that_do_not_go_together(tmp_path):
    first = write_video(tmp_path / "a.mp4", 3)
    other = write_video(tmp_path / "b.mp4", 3, fps=30)
    with pytest.raises(
        MultitrainError, match=r"b\.mp4 does not go with .*a\.mp4: it is .*, 30 fps"
    ):
        FilmReader([first, other])


def test_no_film_at_all(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    with pytest.raises(MultitrainError, match=r"a\.mp4 cannot be read as a video"):
        FilmReader([tmp_path / "a.mp4"])


def test_a_damaged_frame_is_named(tmp_path):
    film = write_video(tmp_path / "film.mp4", 60, gop=10)
    with av.open(str(film)) as container:
        position = [packet.pos for packet in container.demux(video=0)][25]
    data = bytearray(film.read_bytes())
    data[position : position + 400] = bytes(400)
    film.write_bytes(data)
    with FilmReader([film]) as reader:
        assert shown(reader, 5) == 5
        with pytest.raises(MultitrainError, match=r"film\.mp4: frame 2\d cannot be decoded"):
            [reader[number] for number in range(20, 40)]
