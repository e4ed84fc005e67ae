"""Loops that are cut from films: which frames, in which order, mixed how. Pure.

A loop is a cycle of *moments* of the film: the one behind the last is the first. It is shown by as
many frames as were asked for; where these are more or fewer than the moments, each shows the
nearest moment, or (`smooth`) what lies between them.

    pingpong    0 1 2 3 4 3 2 1           no end is doubled: an even number
    crossfade   the frames behind the end fade into those at the beginning:
                film    | head |  ...   middle   ...  | tail |
                loop    |tail to head|     middle     |          and from there into the tail again
    best        a crossfade that begins where head and tail are most alike
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

from jobs.errors import UsageError
from jobs.settings.loops import LEAST_FRAMES, ClipSettings, LoopMode, planned
from jobs.settings.videos import VIDEOS, FormatName

FADE_SHARE = Fraction(1, 8)  # of a loop, where no fade is asked for
LONGEST_FADE = 2  # seconds, where none is asked for
BEST_SHARE = Fraction(1, 2)  # of the film, where no length is asked for: leaves room to choose


class Footage(NamedTuple):
    """What a loop is cut from."""

    frames: int
    fps: Fraction


class Part(NamedTuple):
    """A frame of the film, and its share of a picture."""

    frame: int
    weight: float


Moment = tuple[Part, ...]  # one part, or the head's and the tail's; weights add up to 1


@dataclass(frozen=True)
class Cycle:
    """Which moments of a film make a loop."""

    mode: LoopMode
    start: int  # frame of the film
    moments: int
    fade: int  # moments, from the first on, that are mixed; 0 for pingpong
    frames: int  # of the loop
    fps: int  # of the loop
    drift: Fraction  # seconds that it is longer (+) or shorter than was asked
    turn: int = 0  # frames of the loop by which the file begins later in the round

    @property
    def taken(self) -> int:
        """Frames of the film, from `start` on."""
        return self.moments // 2 + 1 if self.mode == "pingpong" else self.moments + self.fade

    @property
    def lies_between(self) -> bool:
        """Whether some of its frames fall between two moments."""
        return self.moments % self.frames != 0

    def moment(self, number: int) -> Moment:
        """The moment of this number; 0 is the first, and after the last the first comes again."""
        number %= self.moments
        if self.mode == "pingpong":
            return (Part(self.start + min(number, self.moments - number), 1.0),)
        head = self.start + number
        weight = eased(number / self.fade) if number < self.fade else 1.0
        if weight == 1.0:
            return (Part(head, 1.0),)
        return (Part(head, weight), Part(head + self.moments, 1.0 - weight))

    def shown(self) -> Iterator[Moment]:
        """The nearest moment for each frame of the loop, from `turn` on, once round."""
        for number in range(self.turn, self.turn + self.frames):
            yield self.moment((2 * number * self.moments + self.frames) // (2 * self.frames))


def eased(share: float) -> float:
    """Smoothstep of `share`: from 0 to 1, slow at both ends, so that fades begin and end unseen."""
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)


def plan_loop(settings: ClipSettings, footage: Footage, settled: int = 0) -> Cycle:
    """The plan of a loop; one of mode `best` begins as early as it may: `best_start` moves it.

    Where no start is asked for, it begins at frame `settled`, or as little before that as makes it
    fit. UsageError where the film is too short, with the numbers and advice.
    """
    if settings.start is not None:
        start = rounded(Fraction(str(settings.start)) * footage.fps)
        if start >= footage.frames:
            raise UsageError(
                f"the film ends after {_seconds(footage.frames, footage)}, before the start at "
                f"{settings.start:g} s"
            )
        return _plan_from(start, settings, footage)

    def is_too_late(start: int) -> bool:
        try:
            _plan_from(start, settings, footage)
        except UsageError:
            return True
        return False

    whole = _plan_from(0, settings, footage)
    later = bisect_left(range(1, settled + 1), True, key=is_too_late)
    return _plan_from(later, settings, footage) if later else whole


def _plan_from(start: int, settings: ClipSettings, footage: Footage) -> Cycle:
    """UsageError where what is left of the film from frame `start` on is too short."""
    left = footage._replace(frames=footage.frames - start)
    if left.frames < LEAST_FRAMES:
        raise UsageError(f"the film has one frame{_from(settings)}, which does not move")
    if settings.duration is None:
        return replace(_as_given(settings, left), start=start)
    cycle = _as_asked(settings, left)
    if cycle.taken > left.frames:
        raise UsageError(_too_short(settings, cycle, left))
    return replace(cycle, start=start)


def plan_loop_in(
    name: FormatName, settings: ClipSettings, footage: Footage, settled: int = 0
) -> Cycle:
    """As `plan_loop`, at no more frames per second than the format can show."""
    wanted = settings.fps or footage.fps
    shown = VIDEOS[name].shown_fps(wanted)
    fitting = settings if shown == wanted else replace(settings, fps=int(shown))
    return plan_loop(fitting, footage, settled)


def _as_asked(settings: ClipSettings, footage: Footage) -> Cycle:
    assert settings.duration
    fps, is_pingpong = _fps(settings, footage), settings.mode == "pingpong"
    frames, drift = planned(settings.duration, fps, even=is_pingpong)
    exact = frames * _pace(settings, footage) / fps
    moments = 2 * max(1, rounded(exact / 2)) if is_pingpong else max(LEAST_FRAMES, rounded(exact))
    fade = 0 if is_pingpong else _fade(settings, footage, moments)
    if fade > moments:
        raise UsageError(
            f"the fade of {settings.fade:g} s is longer than the loop of {settings.duration}; give "
            "a shorter fade"
        )
    return Cycle(settings.mode, 0, moments, fade, frames, fps, drift)


def _as_given(settings: ClipSettings, footage: Footage) -> Cycle:
    """A loop as long as the film allows; for `best`, half of that."""
    fps, pace = _fps(settings, footage), _pace(settings, footage)
    if settings.mode == "pingpong":
        moments, fade, unit = 2 * (footage.frames - 1), 0, 2
    else:
        moments, unit = int(footage.frames / (1 + FADE_SHARE)), 1
        fade = _fade(settings, footage, moments)
        moments = footage.frames - fade
        if settings.mode == "best":
            moments = min(moments, int(footage.frames * BEST_SHARE))
            fade = _fade(settings, footage, moments)
    if moments < LEAST_FRAMES or fade > moments:
        there = f"{footage.frames} frames ({_seconds(footage.frames, footage)})"
        raise UsageError(
            f"the film has {there}{_from(settings)}, too few for {settings.mode}"
            + (f" with a fade of {settings.fade:g} s" if settings.fade else "")
        )
    exact = moments * fps / pace
    frames = max(LEAST_FRAMES, unit * rounded(exact / unit))
    return Cycle(settings.mode, 0, moments, fade, frames, fps, Fraction(0))


def _too_short(settings: ClipSettings, cycle: Cycle, footage: Footage) -> str:
    there = f"{footage.frames} frames ({_seconds(footage.frames, footage)})"
    fade = f" with a fade of {float(cycle.fade / _pace(settings, footage)):.2f} s"
    what = f"a {settings.mode} of {settings.duration}{fade if cycle.fade else ''}"
    slower = settings.speed * footage.frames / cycle.taken
    speed, length = int(slower * 1000) / 1000, 0.0
    try:
        longest = _as_given(replace(settings, duration=None, mode=_longest_of(settings)), footage)
        length = int(Fraction(longest.frames, longest.fps) * 100) / 100
    except UsageError:
        pass  # there is no loop in what is left of the film
    named = {"a speed of {:g}": speed, "a length of {:g} s": length}
    advice = [words.format(value) for words, value in named.items() if value]
    if advice:
        advice[0] += " would do"
    if advice and settings.mode != "pingpong":
        advice.append("pingpong, which takes half as much film")
    return (
        f"the film has {there}{_from(settings)}, and {what} takes {cycle.taken} "
        f"({_seconds(cycle.taken, footage)})" + (": " + ", or ".join(advice) if advice else "")
    )


def _from(settings: ClipSettings) -> str:
    return f" from {settings.start:g} s on" if settings.start else ""


def _longest_of(settings: ClipSettings) -> LoopMode:
    return "pingpong" if settings.mode == "pingpong" else "crossfade"


def _fade(settings: ClipSettings, footage: Footage, moments: int) -> int:
    pace = _pace(settings, footage)
    if settings.fade is not None:
        fade = Fraction(str(settings.fade)) * pace
    else:
        fade = min(moments * FADE_SHARE, LONGEST_FADE * pace)
    return max(LEAST_FRAMES, rounded(fade))


def _pace(settings: ClipSettings, footage: Footage) -> Fraction:
    """Moments per second of the loop."""
    return Fraction(str(settings.speed)) * footage.fps


def _fps(settings: ClipSettings, footage: Footage) -> int:
    if settings.fps is None and footage.fps.denominator != 1:
        nearest = rounded(footage.fps)
        raise UsageError(
            f"the film has {float(footage.fps):.3f} frames per second, no whole number; say how "
            f"many the loop is to have (fps), such as {nearest}"
        )
    return settings.fps or int(footage.fps)


def _seconds(frames: int, footage: Footage) -> str:
    return f"{float(frames / footage.fps):.2f} s"


def rounded(number: Fraction) -> int:
    """The nearest whole number; halves are rounded up."""
    return int((2 * number + 1) // 2)
