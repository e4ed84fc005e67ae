"""Where the frames of a video at a higher rate lie between those of the film. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from jobs.plans.cycles import rounded


class Place(NamedTuple):
    """A share of the way from a frame of the film to the next one; 0: that frame itself."""

    frame: int
    share: Fraction

    @property
    def nearest(self) -> int:
        """The nearer one of both frames; of two that are as near, the first."""
        return self.frame + (2 * self.share > 1)


@dataclass(frozen=True)
class Spacing:
    """Frames that lie evenly among the `seen` ones of a film, so many `times` as many.

    `made` are shown at `fps` frames per second. Where it is `closed`, what follows on the last
    frame of the film is its first one.
    """

    seen: int
    made: int
    times: Fraction
    fps: Fraction
    closed: bool = False

    @classmethod
    def of(cls, seen: int, times: Fraction, fps: Fraction, *, closed: bool) -> Spacing:
        """As long as the film, to the nearest frame; a closed one is even across its end, too."""
        made = rounded(seen * times)
        return cls(seen, made, Fraction(made, seen) if closed else times, fps, closed)

    def at(self, number: int) -> Place:
        """Where frame `number` lies. Nothing is known behind the last frame of a film that is not
        closed: it stays.
        """
        frame, share = divmod(number / self.times, 1)
        if frame >= self.seen - 1 and not self.closed:
            return Place(self.seen - 1, Fraction(0))
        return Place(frame, share)

    def around(self, first: int, stop: int) -> range:
        """The film's frames that are seen for those from `first` on; behind its last one, they are
        counted on.
        """
        last = self.at(stop - 1)
        return range(self.at(first).frame, last.frame + (2 if last.share else 1))

    def most_between(self, block: int) -> int:
        """Of so many frames in a row, how many at most are none of the film's."""
        return block - block // self.times.numerator

    @property
    def told(self) -> str | None:
        """A sentence where few of the film's frames stay as they are; None: all of them do."""
        kept = self.times.denominator
        if kept == 1:
            return None
        which = f"one of {kept}" if self.seen > kept else "the first one alone"
        return (
            f"of its frames, {which} stays as it is: at {float(self.fps):g} fps, the others fall "
            "between; with --times, all of them stay"
        )
