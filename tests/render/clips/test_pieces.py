"""Videos made in pieces: whatever comes between, all frames are there, with sound and time code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from jobs.errors import MultitrainError
from jobs.plans.plan import FrameRange
from jobs.settings.videos import FormatName
from render.clips.asked import is_as_asked
from render.clips.pieces import Pieces
from render.encoding import ffmpeg
from render.encoding.formats import Quality
from render.encoding.streaming import RawVideo
from render.files import sound
from render.files.claims import BeingMade
from render.files.film import Film
from render.files.reading import FilmReader
from render.files.sound import Beside
from tests.footage import numbered, write_video

WIDTH, HEIGHT, FRAMES, LENGTH = 64, 48, 10, 4
NOTE = "multitrain 0123"

Make = Callable[..., Pieces]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def make(name: FormatName = "h264", fps: Fraction | int = 10, **more: object) -> Pieces:
        raw = RawVideo(WIDTH, HEIGHT, 3, fps)
        return Pieces(tmp_path / "pieces" / "of one", name, raw, FRAMES, LENGTH, **more)

    return make


def frame(number: int) -> np.ndarray:
    return numbered(number, WIDTH, HEIGHT)


def write(pieces: Pieces) -> list[int]:
    """The frames that were missing, by their numbers."""
    written = []
    for piece in pieces.missing():
        fill(pieces, piece, piece)
        written += range(piece.start, piece.stop)
    return written


def fill(pieces: Pieces, piece: FrameRange, frames: FrameRange) -> None:
    with pieces.making(piece) as sink:
        for number in range(frames.start, frames.stop):
            sink.write(frame(number))


def die_at(pieces: Pieces, piece: FrameRange) -> None:
    with pieces.making(piece) as sink:
        sink.write(frame(piece.start))
        raise ZeroDivisionError


def far(film: Path, numbers: Sequence[int] = range(FRAMES)) -> float:
    """How far frames are from those that were written, in levels."""
    with FilmReader([Film.look(film, with_sound=True)]) as reader:
        assert reader.frames == FRAMES
        shown = (reader[each][..., :3].astype(float) for each in numbers)
        return max(np.abs(each - frame(n)).mean() for n, each in zip(numbers, shown, strict=True))


@pytest.mark.parametrize("name", ["h264", "prores", "ffv1", "hap", "webm", "gif"])
@pytest.mark.parametrize("fps", [10, Fraction(30000, 1001)])
def test_all_frames_are_there_at_their_times(
    make: Make, tmp_path: Path, name: FormatName, fps: Fraction
) -> None:
    pieces = make(name, fps)
    assert write(pieces) == list(range(FRAMES))
    output = tmp_path / f"made.{output_suffix(name)}"

    pieces.finish(output, NOTE)

    assert far(output) < 6
    if name != "gif":  # hundredths of a second
        assert Film.look(output).format.fps == pytest.approx(fps, rel=1e-3)
    assert is_as_asked(output, NOTE)
    assert not pieces.folder.exists()


def output_suffix(name: FormatName) -> str:
    return {"h264": "mp4", "webm": "webm", "gif": "gif"}.get(name, "mov")


def test_pieces_that_are_there_are_not_made_again(make: Make, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole.mp4", tmp_path / "broken.mp4"
    write(make())
    make().finish(whole, NOTE)
    first, second, third = make().all
    fill(make(), first, first)
    with pytest.raises(ZeroDivisionError):
        die_at(make(), second)
    fill(make(), third, third)

    assert write(make()) == list(range(second.start, second.stop))

    make().finish(broken, NOTE)
    assert whole.read_bytes() == broken.read_bytes()


def test_a_damaged_piece_is_made_again(make: Make) -> None:
    write(make())
    (damaged, *_) = sorted(make().folder.iterdir())
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)

    assert write(make()) == list(range(LENGTH))


def test_a_piece_that_lacks_frames_does_not_appear(make: Make) -> None:
    pieces = make()
    shorter = FrameRange(0, LENGTH - 1)
    with pytest.raises(MultitrainError, match="3 frames instead of 4"):
        fill(pieces, pieces.all[0], shorter)
    assert pieces.missing() == pieces.all


def test_one_process_makes_them(make: Make) -> None:
    with make().held(), pytest.raises(BeingMade, match="another process makes the same video"):  # noqa: SIM117
        with make().held():
            pass
    with make().held():
        pass


def with_sound(tmp_path: Path, *arguments: str, name: str = "sounding.mov") -> Path:
    """A film of as many frames, and a tone for as long."""
    film, sounding = write_video(tmp_path / "silent.mp4", FRAMES, fps=10), tmp_path / name
    command = [ffmpeg.find(), "-nostdin", "-v", "error", "-i", str(film)]
    command += ["-f", "lavfi", "-i", "sine=440:duration=1", *arguments, str(sounding)]
    ffmpeg.run(command)
    return sounding


def tone(film: Path) -> np.ndarray:
    with av.open(str(film)) as container:
        decoded = [each.to_ndarray().astype(float) for each in container.decode(audio=0)]
    return np.concatenate(decoded, axis=-1)[0]


def seconds(film: Path) -> float:
    """Of sound."""
    with av.open(str(film)) as container:
        return sum(each.samples / each.sample_rate for each in container.decode(audio=0))


@pytest.mark.parametrize(
    ("name", "codec", "kept"),
    [
        ("h264", "aac", True),
        ("h264", "pcm_s16le", False),
        ("prores", "pcm_s16le", True),
        ("webm", "aac", False),
    ],
)
def test_sound_is_copied_where_the_file_can_hold_it(
    make: Make, tmp_path: Path, name: FormatName, codec: str, kept: bool
) -> None:
    source = with_sound(tmp_path, "-c:v", "copy", "-c:a", codec)
    pieces = make(name, beside=Beside.look(Film.look(source, with_sound=True)))
    write(pieces)
    output = tmp_path / f"made.{output_suffix(name)}"

    pieces.finish(output, NOTE)

    with av.open(str(output)) as container:
        (stream,) = container.streams.audio
        assert (stream.codec_context.name == codec) is kept
    heard, wanted = seconds(output), seconds(source)
    assert heard == pytest.approx(wanted, rel=0.15)
    assert tone(output).std() > 0
    assert far(output) < 6


def test_sound_that_begins_later_still_does(make: Make, tmp_path: Path) -> None:
    late = ("-c:v", "copy", "-c:a", "pcm_s16le", "-af", "asetpts=PTS+0.3/TB")
    source = with_sound(tmp_path, *late)
    pieces = make("prores", beside=Beside.look(Film.look(source, with_sound=True)))
    write(pieces)
    pieces.finish(tmp_path / "made.mov", NOTE)
    np.testing.assert_array_equal(tone(tmp_path / "made.mov"), tone(source))
    with av.open(str(tmp_path / "made.mov")) as container:
        assert next(container.decode(audio=0)).time == pytest.approx(0.3, abs=0.01)


def test_the_time_code_is_kept(make: Make, tmp_path: Path) -> None:
    source = with_sound(tmp_path, "-c:v", "copy", "-an", "-timecode", "01:02:03:04")
    beside = Beside.look(Film.look(source, with_sound=True))
    pieces = make("prores", beside=beside)
    write(pieces)
    pieces.finish(tmp_path / "made.mov", NOTE)
    made = Beside.look(Film.look(tmp_path / "made.mov", with_sound=True))
    assert beside.timecode == made.timecode == "01:02:03:4", "FFmpeg writes tens in one digit"


def test_sound_that_begins_later_in_a_stream_does_so_here(make: Make, tmp_path: Path) -> None:
    """FFmpeg counts the times of such a file from the first packet that it uses."""
    late = ("-c:v", "mpeg2video", "-c:a", "mp2", "-output_ts_offset", "1.4")
    late_tone = (
        "-filter_complex",
        "[1:a]asetpts=PTS+0.5/TB[late]",
        "-map",
        "0:v",
        "-map",
        "[late]",
    )
    source = with_sound(tmp_path, *late_tone, *late, name="sounding.ts")
    pieces = make("h264", beside=Beside.look(Film.look(source, with_sound=True)))
    write(pieces)
    pieces.finish(tmp_path / "made.mp4", NOTE)
    with av.open(str(tmp_path / "made.mp4")) as container:
        first = next(container.decode(audio=0))
    assert first.time == pytest.approx(0.5, abs=0.06)


def test_alpha_and_languages_are_kept(make: Make, tmp_path: Path) -> None:
    tones = (
        "-f",
        "lavfi",
        "-i",
        "sine=220:duration=1",
        "-map",
        "0:v",
        "-map",
        "1:a",
        "-map",
        "2:a",
    )
    named = ("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu")
    source = with_sound(tmp_path, *tones, *named, "-c:v", "copy", "-c:a", "libopus", name="s.mkv")
    raw = RawVideo(WIDTH, HEIGHT, 4, 10)
    pieces = replace(make("webm", beside=Beside.look(Film.look(source, with_sound=True))), raw=raw)
    for piece in pieces.all:
        with pieces.making(piece) as sink:
            for number in range(piece.start, piece.stop):
                sink.write(np.dstack([frame(number), np.full((HEIGHT, WIDTH), 90, np.uint8)]))
    pieces.finish(tmp_path / "made.webm", NOTE)
    with FilmReader([Film.look(tmp_path / "made.webm", with_sound=True)]) as reader:
        assert abs(int(np.median(reader[3][..., 3])) - 90) <= 2
    with av.open(str(tmp_path / "made.webm")) as container:
        assert [each.metadata["language"] for each in container.streams.audio] == ["eng", "deu"]


def test_a_track_that_cannot_be_kept_costs_the_sound_alone(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = with_sound(tmp_path, "-c:v", "copy", "-c:a", "pcm_s16le")
    pieces = make("h264", beside=Beside.look(Film.look(source, with_sound=True)))
    write(pieces)
    monkeypatch.setitem(sound.ENCODED, ".mp4", ("no_such_codec",))
    assert "its sound is left out" in (pieces.finish(tmp_path / "made.mp4", NOTE) or "")
    assert far(tmp_path / "made.mp4") < 6


def test_sound_of_a_film_that_was_replaced_meanwhile_is_left_out(
    make: Make, tmp_path: Path
) -> None:
    source = with_sound(tmp_path, "-c:v", "copy", "-c:a", "aac")
    pieces = make("h264", beside=Beside.look(Film.look(source, with_sound=True)))
    write(pieces)
    source.write_bytes(source.read_bytes())
    assert "was replaced meanwhile" in (pieces.finish(tmp_path / "made.mp4", NOTE) or "")
    assert far(tmp_path / "made.mp4") < 6


def test_the_quality_is_that_which_is_asked_for(make: Make, tmp_path: Path) -> None:
    sizes = []
    for crf in (1, 51):
        pieces = make(quality=Quality(crf, "ultrafast"))
        write(pieces)
        output = tmp_path / f"{crf}.mp4"
        pieces.finish(output, NOTE)
        sizes.append(output.stat().st_size)
    assert sizes[1] < 0.95 * sizes[0]
