"""Loops of real films: they have exactly their frames, and go round without a jump."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from jobs.errors import MultitrainError, ProgramFailed, UsageError
from jobs.plans.framing import Corner
from jobs.settings.kinds import Resolution
from jobs.settings.loops import ClipSettings, Duration
from jobs.settings.videos import for_loops
from jobs.workspace.files import listing
from render.clips import looping
from render.clips.alike import quiet_turn
from render.clips.looping import make_loop, plan_clip
from render.encoding import ffmpeg
from render.encoding.streaming import RawVideo, encoding
from render.files import finished
from render.files.mixing import mixed, with_channels
from render.files.reading import FilmReader, frames_in_order
from tests.combinations import combinations
from tests.footage import number_of, numbered, write_video

MODES = ("pingpong", "crossfade", "best")
FINEST = {"crf": "6"}


def nobody(frames):
    pass


def frames(count):
    return Duration(frames=count)


def moving(count, width=96, height=64):
    """Waves that travel, each at a speed of its own."""
    x, y = np.arange(width) / width, np.arange(height)[:, None] / height
    for number in range(count):
        turns = [x + number / 90 + 0 * y, y - number / 70 + 0 * x, x + y + number / 110]
        waves = [127 + 100 * np.sin(2 * np.pi * turn) for turn in turns]
        yield np.stack(waves, axis=2).astype(np.uint8)


def growing(count, width=96, height=64):
    """As films of a training: pictures out of noise, which go on to change."""
    random = np.random.default_rng(0)
    noise = random.normal(0, 60, (height // 4, width // 4, 3))
    for number, wave in enumerate(moving(count, width, height)):
        noise = 0.97 * noise + random.normal(0, 12, noise.shape)
        share = 1 / (1 + number / 40)
        grain = np.kron(noise, np.ones((4, 4, 1)))
        yield np.clip((1 - share) * wave + share * 127 + grain, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module", params=[moving, growing], ids=["moving", "growing"])
def film(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    return write_video(path, request.param(240), fps=60, options=FINEST)


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """A film whose frames show their numbers."""
    return write_video(tmp_path_factory.mktemp("films") / "film.mp4", 120, fps=60, options=FINEST)


def decoded(path):
    with FilmReader([path]) as reader:
        return list(frames_in_order(reader))


def steps(path):
    """How much each frame differs from the next one; the last, from the first."""
    pictures = [picture.astype(np.float32) for picture in decoded(path)]
    pairs = zip(pictures, [*pictures[1:], pictures[0]], strict=True)
    return np.array([np.abs(one - other).mean() for one, other in pairs])


@pytest.mark.parametrize(
    ("mode", "changes"),
    combinations(MODES, [{}, {"speed": 1.5}, {"fps": 30}, {"duration": None}]),
    ids=str,
)
def test_a_loop_goes_round_without_a_jump(film, tmp_path, mode, changes):
    loop = tmp_path / "loop.mp4"
    told = []
    settings = ClipSettings(mode, **{"duration": frames(80), **changes})
    made = make_loop([film], settings, "h264", loop, told.append)
    found = steps(loop)
    planned = plan_clip([film], settings, "h264", nobody).cycle
    assert len(found) == made.frames == told[-1] == planned.frames
    assert found[-1] <= 1.5 * np.median(found)
    assert listing(tmp_path) == ["loop.mp4"]


def quickening(count):
    """Its last steps are many times as long as those in its middle."""
    places = np.cumsum(1 + 8 * np.linspace(0, 1, count) ** 3)
    film = list(moving(int(places[-1]) + 1))
    return [film[int(place)] for place in places]


def both_turns(count):
    """As a frame after each network's turn: the discriminator's shows what was there before."""
    return [picture for picture in growing(count // 2) for _ in range(2)]


@pytest.mark.parametrize("kind", [quickening, both_turns])
@pytest.mark.parametrize(
    ("mode", "changes"),
    combinations(["crossfade", "best"], [{}, {"duration": None}, {"fps": 120}]),
    ids=str,
)
def test_where_the_film_itself_takes_long_steps_the_file_begins_at_a_short_one(
    tmp_path, mode, changes, kind
):
    film, loop = tmp_path / "film.mp4", tmp_path / "loop.mov"
    write_video(film, kind(120), fps=60, options=FINEST)
    settings = ClipSettings(mode, **{"duration": frames(60), **changes})
    make_loop([film], settings, "ffv1", loop, nobody)
    found = steps(loop)
    assert found[-1] <= np.median(found) + 0.1


def training(count, grey):
    """Flat at first, then waves whose look stays though they are fast; each of them twice."""
    yield from [np.full((64, 96, 3), 128, np.uint8)] * grey
    x, y = np.arange(96) / 96, np.arange(64)[:, None] / 64
    for number in range(grey, count):
        turn = number // 2
        turns = (x + turn / 15 + 0 * y, y - x - turn / 10, y + turn / 15)
        waves = np.stack(np.broadcast_arrays(*turns), axis=2)
        yield (127 + 100 * np.sin(2 * np.pi * waves)).astype(np.uint8)


@pytest.mark.parametrize("grey", [40, 41])
def test_so_does_a_pingpong_that_begins_where_the_picture_has_settled(tmp_path, grey):
    """Every other step is none: after one of both, it would begin with a long one."""
    film, loop = tmp_path / "film.mp4", tmp_path / "loop.mov"
    write_video(film, training(124, grey), fps=60, options=FINEST)
    settings = ClipSettings("pingpong", frames(60))
    assert plan_clip([film], settings, "ffv1", nobody) == plan_clip(
        [film], settings, "ffv1", nobody
    )
    made = make_loop([film], settings, "ffv1", loop, nobody)
    found = steps(loop)
    assert made.start == made.settled == pytest.approx(grey / 60, abs=3 / 60)
    assert found[-1] <= np.median(found) + 0.1


@pytest.mark.parametrize("mode", MODES)
def test_noise_hides_no_jump_where_every_frame_is_a_keyframe(tmp_path, mode):
    """As films of trainings are: a lone keyframe would stand out at the default quality."""
    random = np.random.default_rng(0)
    noisy = [
        np.clip(frame + random.normal(0, 2, frame.shape), 0, 255).astype(np.uint8)
        for frame in moving(15, 192, 128)
        for _ in range(6)
    ]
    film = write_video(tmp_path / "film.mp4", noisy, fps=30, options={"crf": "12"})
    loop, settings = tmp_path / "loop.mp4", ClipSettings(mode, frames(60))
    make_loop([film], settings, for_loops("h264"), loop, nobody)
    found = steps(loop)
    assert found[-1] <= 1.5 * np.median(found)


def test_a_turned_loop_shows_the_same_round(tmp_path, monkeypatch):
    film = write_video(tmp_path / "film.mp4", quickening(120), fps=60, options=FINEST)
    settings = ClipSettings("crossfade", frames(60))
    rounds = []
    for turn in (0, 7):
        monkeypatch.setattr(looping, "quiet_turn", lambda steps, turn=turn: turn)
        make_loop([film], settings, "ffv1", tmp_path / "loop.mov", nobody)
        rounds.append(np.stack(decoded(tmp_path / "loop.mov")))
    assert np.array_equal(np.roll(rounds[0], -7, axis=0), rounds[1])


@pytest.mark.parametrize(
    ("steps", "turn"), [([1, 2, 3], 0), ([9, 9, 1, 2, 1], 2), ([5, 5, 5], 0), ([3, 0, 3, 0], 1)]
)
def test_the_first_step_that_is_short_enough(steps, turn):
    assert quiet_turn(steps) == turn


@pytest.mark.parametrize(("mode", "speed"), combinations(MODES, [0.5, 0.37]))
def test_motion_is_drawn_where_frames_are_missing(tmp_path, mode, speed):
    film = write_video(tmp_path / "film.mp4", moving(120), fps=60, options=FINEST)
    loop = tmp_path / "loop.mov"
    settings = ClipSettings(mode, frames(90), speed=speed, smooth=True)
    made = make_loop([film], settings, "ffv1", loop, nobody)
    found = steps(loop)
    assert len(found) == made.frames == 90
    assert found[-1] <= 1.5 * np.median(found)
    assert found.min() > 0.3 * np.median(found)  # none is shown twice


def test_smooth_leaves_alone_what_lacks_nothing(counted, tmp_path):
    settings = ClipSettings("pingpong", frames(20), smooth=True)
    make_loop([counted], settings, "h264", tmp_path / "loop.mp4", nobody)
    assert numbers(tmp_path / "loop.mp4") == [*range(11), *range(9, 0, -1)]


def numbers(path):
    return [number_of(Image.fromarray(picture)) for picture in decoded(path)]


def test_pingpong_shows_the_frames_forth_and_back(counted, tmp_path):
    settings = ClipSettings("pingpong", start=1)
    made = make_loop([counted], settings, "h264", tmp_path / "loop.mp4", nobody)
    assert numbers(tmp_path / "loop.mp4") == [*range(60, 120), *range(118, 60, -1)]
    assert (made.start, made.taken, made.fade) == (1, 1, 0)


def test_a_crossfade_follows_its_own_end(counted, tmp_path):
    settings = ClipSettings("crossfade", frames(80), start=0.25, fade=0.1)
    make_loop([counted], settings, "h264", tmp_path / "loop.mp4", nobody)
    found = numbers(tmp_path / "loop.mp4")
    assert found[0] == 15 + 80
    assert found[6:] == list(range(15 + 6, 15 + 80))


def test_timecuts_are_one_film(tmp_path):
    cuts = []
    for first, last in ((0, 30), (30, 50), (50, 90)):
        cut = tmp_path / f"{first}.mp4"
        pictures = (numbered(number) for number in range(first, last))
        cuts.append(write_video(cut, pictures, fps=60, options=FINEST))
    settings = ClipSettings("pingpong")
    make_loop(cuts, settings, "h264", tmp_path / "loop.mp4", nobody)
    assert numbers(tmp_path / "loop.mp4") == [*range(90), *range(88, 0, -1)]


def test_the_best_place_is_found(tmp_path):
    """What comes again after forty frames, in the midst of what never does."""
    random = np.random.default_rng(1)
    pictures = random.integers(0, 256, (100, 12, 16, 3), dtype=np.uint8)
    pictures[70:80] = pictures[30:40]
    large = np.kron(pictures, np.ones((1, 4, 4, 1), np.uint8))
    film = write_video(tmp_path / "film.mp4", large, fps=60, options={"crf": "10"})
    settings = ClipSettings("best", frames(40), fade=8 / 60)
    made = make_loop([film], settings, "h264", tmp_path / "loop.mp4", nobody)
    assert made.start * 60 in (30, 31, 32)
    made = make_loop([film], settings, "h264", tmp_path / "near.mp4", nobody, within=20 / 60)
    assert made.start * 60 < 22


@pytest.mark.parametrize(
    ("name", "suffix"), [("hap", ".mov"), ("prores", ".mov"), ("gif", ".gif"), ("webm", ".webm")]
)
def test_in_other_formats(counted, tmp_path, name, suffix):
    output = tmp_path / f"loop{suffix}"
    settings = ClipSettings("crossfade", frames(25))
    made = make_loop([counted], settings, name, output, nobody)
    with av.open(str(output)) as video:
        assert sum(1 for _ in video.decode(video=0)) == made.frames == 25
    assert made.fps == (50 if name == "gif" else 60)


def test_as_pictures_in_a_folder(counted, tmp_path):
    output = tmp_path / "loop.png"
    for count in (8, 6):
        make_loop([counted], ClipSettings("pingpong", frames(count)), "png", output, nobody)
        assert len(listing(output)) == count
    assert listing(tmp_path) == ["loop.png"]
    assert number_of(output / "frame_000000002.png") == 2


def test_it_is_cut_and_scaled(counted, tmp_path):
    crop, scale = Resolution(80, 80), Resolution(40, 20)
    settings = ClipSettings("pingpong", frames(4), crop=crop, scale=scale)
    output = tmp_path / "loop.mov"
    made = make_loop([counted], settings, "ffv1", output, nobody, corner=Corner(0, 10))
    [first, *_] = decoded(output)
    with FilmReader([counted]) as reader:
        part = Image.fromarray(reader[0][10:90, :80])
    expected = np.asarray(part.resize((40, 40), Image.Resampling.LANCZOS))[10:30]
    assert first.shape == (20, 40, 3)
    assert made.size == (40, 20)
    assert np.abs(first.astype(int) - expected).mean() < 2


def test_beats_that_are_no_whole_number_of_frames(counted, tmp_path):
    settings = ClipSettings("pingpong", Duration.of(beats=4, bpm=174), fps=25)
    made = make_loop([counted], settings, "h264", tmp_path / "loop.mp4", nobody)
    assert made.frames == 34  # 34.48
    assert made.drift == Fraction(34, 25) - Fraction(240, 174)


def test_alpha_stays(tmp_path):
    film = tmp_path / "film.mov"
    pictures = np.random.default_rng(0).integers(0, 256, (20, 24, 32, 4), dtype=np.uint8)
    with encoding(film, RawVideo(32, 24, 4, 60), "ffv1") as sink:
        sink.write(pictures)
    make_loop([film], ClipSettings("pingpong"), "ffv1", tmp_path / "loop.mov", nobody)
    assert np.array_equal(decoded(tmp_path / "loop.mov"), [*pictures, *pictures[18:0:-1]])


@pytest.mark.parametrize("side", [24, 48], ids=["small", "large"])
def test_motion_is_drawn_with_alpha(tmp_path, side):
    """Colours and alpha that grow from frame to frame."""
    film = tmp_path / "film.mov"
    levels = np.arange(0, 200, 10, np.uint8)[:, None, None, None]
    with encoding(film, RawVideo(side, side, 4, 60), "ffv1") as sink:
        sink.write(np.broadcast_to(levels, (20, side, side, 4)))
    settings = ClipSettings("pingpong", speed=0.5, smooth=True)
    make_loop([film], settings, "ffv1", tmp_path / "loop.mov", nobody)
    found = np.array([picture[side // 2, side // 2] for picture in decoded(tmp_path / "loop.mov")])
    expected = np.array([*range(0, 190, 5), *range(190, 0, -5)])
    assert len(found) == 76
    within = [*range(2, 37), *range(40, 75)]  # where it turns, nothing moves evenly
    assert np.abs(found.astype(int) - expected[:, None])[within].max() <= 2


def test_transparent_pictures_lend_no_colour():
    clear, red = np.zeros((1, 1, 4), np.uint8), np.array([[[200, 0, 0, 255]]], np.uint8)
    assert mixed([clear, red], [0.5, 0.5]).tolist() == [[[200, 0, 0, 128]]]
    assert mixed([red[..., :3], clear[..., :3]], [0.25, 0.75]).tolist() == [[[50, 0, 0]]]
    assert with_channels(red[..., :3], 4).tolist() == red.tolist()


def test_a_film_that_is_too_short_leaves_nothing(counted, tmp_path):
    settings = ClipSettings("crossfade", frames(200))
    with pytest.raises(UsageError, match=r"has 120 frames \(2\.00 s\)"):
        make_loop([counted], settings, "h264", tmp_path / "loop.mp4", nobody)
    assert listing(tmp_path) == []


@pytest.mark.parametrize("failure", [KeyboardInterrupt, MultitrainError])
def test_what_was_there_stays_where_it_fails(counted, tmp_path, monkeypatch, failure):
    output = tmp_path / "loop.mp4"
    output.write_text("old")

    def fail(*arguments, **options):
        raise failure

    if failure is MultitrainError:
        monkeypatch.setattr(finished, "verify_made", fail)
    with pytest.raises(failure):
        make_loop(
            [counted], ClipSettings("pingpong"), "h264", output,
            nobody if failure is MultitrainError else fail,
        )  # fmt: skip
    assert listing(tmp_path) == ["loop.mp4"]
    assert output.read_text() == "old"


def test_ffmpeg_that_fails_is_told(counted, tmp_path, monkeypatch):
    monkeypatch.setattr(ffmpeg, "find", lambda name: "/bin/false")
    with pytest.raises(ProgramFailed, match="false ended with code 1"):
        make_loop([counted], ClipSettings("pingpong"), "h264", tmp_path / "loop.mp4", nobody)
    assert listing(tmp_path) == []


def test_a_pingpong_holds_few_frames(counted, tmp_path, monkeypatch):
    """Its way back is decoded again, not remembered."""
    monkeypatch.setattr("render.files.reading.KEPT_BYTES", 0)
    held = []
    written = looping.mixed

    def look(pictures, weights):
        held.append(len(reader._open._kept))
        return written(pictures, weights)

    original = FilmReader.__getitem__

    def remember(self, number):
        nonlocal reader
        reader = self
        return original(self, number)

    reader = None
    monkeypatch.setattr(FilmReader, "__getitem__", remember)
    monkeypatch.setattr(looping, "mixed", look)
    make_loop([counted], ClipSettings("pingpong"), "h264", tmp_path / "loop.mp4", nobody)
    assert max(held) <= 4
