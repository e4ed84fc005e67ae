"""Which frames of a film make a loop, in which order, mixed how."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from jobs.errors import UsageError
from jobs.plans.cycles import Footage, eased, plan_loop
from jobs.plans.framing import Corner, framing
from jobs.settings.kinds import Resolution
from jobs.settings.loops import ClipSettings, Duration
from render.clips.alike import best_start

FILM = Footage(600, Fraction(60))


def frames(count):
    return Duration(frames=count)


def seconds(count):
    return Duration(seconds=Fraction(count))


def shown(cycle):
    """The frame that is seen most in each frame of the loop."""
    return [max(moment, key=lambda part: part.weight).frame for moment in cycle.shown()]


def test_pingpong_doubles_no_end():
    cycle = plan_loop(ClipSettings("pingpong", frames(8)), FILM)
    assert shown(cycle) == [0, 1, 2, 3, 4, 3, 2, 1]
    assert cycle.taken == 5


def test_pingpong_of_all_that_there_is():
    cycle = plan_loop(ClipSettings("pingpong", start=9.95), FILM)
    assert shown(cycle) == [597, 598, 599, 598]
    assert cycle.drift == 0


def test_pingpong_is_even_and_tells_what_that_costs():
    cycle = plan_loop(ClipSettings("pingpong", frames(9)), FILM)
    assert (cycle.frames, cycle.drift) == (10, Fraction(1, 60))


def test_a_crossfade_begins_with_what_follows_its_end():
    cycle = plan_loop(ClipSettings("crossfade", frames(16), start=1), FILM)
    moments = list(cycle.shown())
    assert cycle.fade == 2
    assert [part for part in moments[0] if part.weight] == [(60 + 16, 1.0)]
    assert moments[-1] == ((60 + 15, 1.0),)
    assert moments[2] == ((62, 1.0),)
    assert cycle.taken == 18


@pytest.mark.parametrize("mode", ["pingpong", "crossfade", "best"])
@pytest.mark.parametrize("speed", [0.3, 1.0, 1.37, 2.5])
@pytest.mark.parametrize("fps", [None, 24, 50, 120])
@pytest.mark.parametrize("duration", [None, frames(70), seconds(2), Duration.of(beats=8, bpm=174)])
def test_every_loop_closes_and_lies_in_the_film(mode, speed, fps, duration):
    cycle = plan_loop(ClipSettings(mode, duration, fps=fps, speed=speed), FILM)
    moments = list(cycle.shown())
    assert len(moments) == cycle.frames
    assert cycle.moment(cycle.moments) == cycle.moment(0)
    for moment in moments:
        assert sum(part.weight for part in moment) == pytest.approx(1)
        assert all(0 <= part.frame < FILM.frames for part in moment)
    pace = Fraction(str(speed)) * 60 / cycle.fps
    assert abs(cycle.moments - cycle.frames * pace) <= 1 + pace
    if duration:
        exact = duration.exact_frames(cycle.fps)
        assert cycle.drift == (cycle.frames - exact) / cycle.fps


@pytest.mark.parametrize("mode", ["crossfade", "best"])
def test_no_step_of_a_crossfade_is_larger_than_its_neighbours_make_it(mode):
    """On a film of which every frame shows its own number."""
    cycle = plan_loop(ClipSettings(mode, frames(160)), FILM)
    level = [sum(part.frame * part.weight for part in moment) for moment in cycle.shown()]
    steps = np.abs(np.diff([*level, level[0]]))
    fading = 1.5 * cycle.moments / cycle.fade  # smoothstep is at most so steep
    assert steps.max() <= fading + 1
    assert steps[-1] == pytest.approx(1)


def test_a_fade_is_eased():
    assert [eased(share) for share in (-1, 0, 0.5, 1, 2)] == [0, 0, 0.5, 1, 1]
    assert eased(0.01) < 0.001


def test_the_fade_that_is_asked_for():
    cycle = plan_loop(ClipSettings("crossfade", seconds(4), fade=0.5, speed=2), FILM)
    assert (cycle.fade, cycle.moments, cycle.frames) == (60, 480, 240)


def test_long_loops_fade_for_two_seconds():
    assert plan_loop(ClipSettings("crossfade"), Footage(6000, Fraction(60))).fade == 120


def test_the_best_start_is_where_the_film_repeats_itself():
    """Noise, but for a stretch that comes again one length later."""
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (300, 50), dtype=np.uint8)
    cycle = plan_loop(ClipSettings("best", frames(80), start=1), Footage(360, Fraction(60)))
    pictures[140 + 80 : 140 + 80 + cycle.fade] = pictures[140 : 140 + cycle.fade]
    assert best_start(pictures, cycle) == 60 + 140


def test_the_grey_of_the_beginning_is_not_the_best_start():
    """Of pictures that all differ, those of little contrast differ least."""
    random = np.random.default_rng(0)
    scale = np.minimum(np.arange(300) / 200, 1)[:, None]
    pictures = (128 + 60 * scale * random.normal(0, 1, (300, 50)).clip(-2, 2)).astype(np.uint8)
    cycle = plan_loop(ClipSettings("best", frames(80)), Footage(300, Fraction(60)))
    likeness = 0.8
    head, tail = slice(190, 190 + cycle.fade), slice(270, 270 + cycle.fade)
    pictures[tail] = likeness * pictures[head] + (1 - likeness) * pictures[tail]
    assert best_start(pictures, cycle) == 190


@pytest.mark.parametrize(
    ("settings", "settled", "start"),
    [
        (ClipSettings("pingpong", seconds(4)), 240, 240),
        (ClipSettings("pingpong"), 240, 240),
        (ClipSettings("crossfade", seconds(4)), 240, 240),  # takes 270 frames
        (ClipSettings("crossfade", seconds(6)), 240, 600 - 405),
        (ClipSettings("best", seconds(6)), 240, 600 - 405),
        (ClipSettings("crossfade", fade=4), 240, 600 - 480),
        (ClipSettings("best", fade=4), 240, 600 - 480),
        (ClipSettings("crossfade", seconds(6), start=0), 240, 0),
        (ClipSettings("crossfade", seconds(1), start=2), 240, 120),
        (ClipSettings("pingpong"), 599, 598),
        (ClipSettings("pingpong", frames(1198)), 300, 0),
    ],
    ids=str,
)
def test_it_begins_where_the_picture_has_settled_or_as_little_before_as_it_must(
    settings, settled, start
):
    cycle = plan_loop(settings, FILM, settled)
    assert cycle.start == start
    assert cycle.start + cycle.taken <= FILM.frames


def test_where_the_picture_settles_makes_no_film_too_short():
    with pytest.raises(UsageError) as caught:
        plan_loop(ClipSettings("crossfade", seconds(12)), FILM, 300)
    assert "the film has 600 frames (10.00 s), and" in str(caught.value)


def test_the_best_start_of_a_film_that_is_just_long_enough():
    cycle = plan_loop(ClipSettings("best", frames(80)), Footage(90, Fraction(60)))
    assert cycle.taken == 90
    assert best_start(np.zeros((90, 4), np.uint8), cycle) == 0


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            ClipSettings("pingpong", start=10),
            "the film ends after 10.00 s, before the start at 10 s",
        ),
        (
            ClipSettings("crossfade", seconds(12)),
            "the film has 600 frames (10.00 s), and a crossfade of 12 s with a fade "
            "of 1.50 s takes 810 (13.50 s): a speed of 0.74 would do, or a length of 8.88 s, or "
            "pingpong, which takes half as much film",
        ),
        (
            ClipSettings("pingpong", seconds(30), start=1),
            "the film has 540 frames (9.00 s) from 1 s on, and a pingpong of 30 s takes 901 "
            "(15.02 s): a speed of 0.599 would do, or a length of 17.96 s",
        ),
        (
            ClipSettings("crossfade", seconds(86400), speed=0.1),
            "takes 518412 (8640.20 s): a length of 98 s would do, or pingpong",
        ),
        (ClipSettings("crossfade", seconds(1), fade=2), "the fade of 2 s is longer than the loop"),
        (ClipSettings("crossfade", fade=6), "too few for crossfade with a fade of 6 s"),
        (ClipSettings("pingpong", start=9.99), "has one frame from 9.99 s on, which does not move"),
    ],
    ids=str,
)
def test_a_film_that_is_too_short(settings, told):
    with pytest.raises(UsageError) as caught:
        plan_loop(settings, FILM)
    assert told in str(caught.value)


def test_no_length_of_nothing_is_advised():
    with pytest.raises(UsageError) as caught:
        plan_loop(ClipSettings("crossfade", seconds(1), fps=240, speed=1000), FILM)
    told = " would do, or pingpong, which takes half as much film"
    assert str(caught.value).endswith(told)


@pytest.mark.parametrize("mode", ["pingpong", "crossfade"])
def test_what_is_advised_does(mode):
    settings = ClipSettings(mode, seconds(30))
    with pytest.raises(UsageError) as caught:
        plan_loop(settings, FILM)
    words = str(caught.value).replace(",", "").split()
    speed = float(words[words.index("speed") + 2])
    length = Fraction(words[words.index("length") + 2])
    assert plan_loop(ClipSettings(mode, seconds(30), speed=speed), FILM).taken <= 600
    assert plan_loop(ClipSettings(mode, Duration(seconds=length)), FILM).taken <= 600


def test_a_film_at_a_broken_rate_needs_another():
    film = Footage(600, Fraction(30000, 1001))
    with pytest.raises(UsageError, match=r"29\.970 frames per second.*such as 30"):
        plan_loop(ClipSettings("pingpong"), film)
    assert plan_loop(ClipSettings("pingpong", fps=30), film).fps == 30


SIZE = Resolution(640, 360)


def test_nothing_is_framed():
    assert framing(SIZE, None, None) == ("", SIZE, "")
    assert framing(SIZE, None, SIZE).filters == ""


def test_a_crop_is_cut_from_the_middle_or_a_corner():
    crop = Resolution(100, 60)
    assert framing(SIZE, crop, None).filters == "crop=100:60:270:150"
    assert framing(SIZE, crop, None, Corner(0, 300)).filters == "crop=100:60:0:300"
    for wrong in (Corner(541, 0), Corner(0, 301)):
        with pytest.raises(UsageError, match="does not lie in a picture of 640x360"):
            framing(SIZE, crop, None, wrong)
    with pytest.raises(UsageError, match="a crop of 641x2 does not lie"):
        framing(SIZE, Resolution(641, 2), None)


def test_a_scale_covers_and_tells_what_it_cuts_off():
    filters, size, told = framing(SIZE, None, Resolution(1080, 1080))
    assert filters.startswith("scale=1920:1080:flags=lanczos")
    assert filters.endswith(",crop=1080:1080")
    assert size == (1080, 1080)
    assert (
        told == "scaled to 1920x1080, 840 pixels of the width cut off, so that 1080x1080 is filled"
    )
    wide = framing(SIZE, Resolution(100, 100), Resolution(300, 100))
    assert wide.filters.startswith("crop=100:100:270:130,scale=300:300")
    assert "200 pixels of the height" in wide.told


@pytest.mark.parametrize("scale", [(1920, 1080), (33, 21), (1, 999), (641, 360)])
def test_a_scale_is_always_covered(scale):
    filters = framing(Resolution(637, 357), None, Resolution(*scale)).filters
    width, height = map(int, filters.removeprefix("scale=").split(":")[:2])
    assert width >= scale[0]
    assert height >= scale[1]
