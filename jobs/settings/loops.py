"""Loops that a job asks for, and how long they are: in seconds, frames, or beats of music.

A loop is *cut* from the film (`pingpong`, `crossfade`, `best`) or drawn anew by the trained network
(`walk`, `song`). In a sheet: `walk(beats=32, bpm=128, format=hap)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self, cast, get_args

from annotated_types import Ge, Gt, Le
from pydantic import BeforeValidator, Field, InstanceOf, PlainSerializer

from jobs.settings.bounds import Count, Natural, NotNegative, Positive, Share
from jobs.settings.choices import Choice, Finite, Parameter, Table
from jobs.settings.kinds import Name, Resolution, Size
from jobs.settings.lengths import SECONDS
from jobs.settings.songs import SongFile, SongSettings, Tempi
from jobs.settings.videos import FormatName

# A job's name that a loop written as text can hold: no commas, no brackets.
PlainName = Annotated[Name, Field(pattern=r"^[\w.-]+( [\w.-]+)*$")]

LoopMode = Literal["pingpong", "crossfade", "best"]
PathName = Literal["spherical", "cubic"]

LEAST_FRAMES = 2  # of a loop: one frame alone does not move
LONGEST_SECONDS = 86_400


class Length(NamedTuple):
    """A loop's frames, and by how many seconds they last longer (+) or shorter than was asked."""

    frames: int
    drift: Fraction


@dataclass(frozen=True)
class Duration:
    """How long a loop is to be, in one of three ways; beats come with the tempo, per minute."""

    seconds: Fraction | None = None
    frames: int | None = None
    beats: Fraction | None = None
    bpm: Fraction | None = None

    def __post_init__(self) -> None:
        """ValueError says in one clause what is missing, or too much."""
        if self.bpm is not None and self.beats is None:
            raise ValueError("bpm is the tempo of beats; give beats, too")
        if self.beats is not None and self.bpm is None:
            raise ValueError("beats need a tempo; give bpm, too")
        ways = [self.seconds, self.frames, self.beats]
        if sum(way is not None for way in ways) != 1:
            raise ValueError("give its length in one way: seconds, frames, or beats and bpm")

    @classmethod
    def of(
        cls,
        *,
        seconds: float | None = None,
        frames: int | None = None,
        beats: float | None = None,
        bpm: float | None = None,
    ) -> Self | None:
        """From numbers as people write them: 0.1 is a tenth. None where no number is given."""
        if seconds is frames is beats is bpm is None:
            return None
        return cls(_exact(seconds), frames, _exact(beats), _exact(bpm))

    def exact_frames(self, fps: int) -> Fraction:
        """At `fps` frames per second, rarely a whole number: frames = fps * 60 * beats / bpm."""
        if self.frames is not None:
            return Fraction(self.frames)
        if self.seconds is not None:
            return self.seconds * fps
        assert self.beats is not None, "checked when it was made"
        assert self.bpm is not None, "checked when it was made"
        return fps * 60 * self.beats / self.bpm

    @property
    def label(self) -> str:
        """As it stands in the name of a file: `32beats_128bpm`, `10s`, `600frames`."""
        return str(self).replace(" at ", "_").replace(" ", "").casefold()

    def __str__(self) -> str:
        if self.frames is not None:
            return f"{self.frames} frames"
        if self.seconds is not None:
            return f"{float(self.seconds):g} s"
        assert self.beats is not None, "checked when it was made"
        assert self.bpm is not None, "checked when it was made"
        return f"{float(self.beats):g} beats at {float(self.bpm):g} BPM"


def planned(wanted: Duration, fps: int, *, even: bool = False) -> Length:
    """The nearest whole number of frames, of two that are equally near the larger one.

    With `even`, the nearest even number: forth and back, without doubled ends.
    """
    exact, unit = wanted.exact_frames(fps), 2 if even else 1
    frames = max(LEAST_FRAMES, unit * ((2 * exact + unit) // (2 * unit)))
    return Length(frames, (frames - exact) / fps)


@dataclass(frozen=True)
class ClipSettings:
    """How a loop is cut from a film."""

    mode: LoopMode
    duration: Duration | None = None  # None: as long as the film gives
    fps: int | None = None  # None: the film's
    speed: float = 1.0
    start: float | None = None  # seconds of the film; None: where the picture has settled
    fade: float | None = None  # seconds; None: an eighth of the loop, at most 2 s
    smooth: bool = False  # motion interpolation where frames are missing
    scale: Resolution | None = None
    crop: Resolution | None = None


@dataclass(frozen=True)
class WalkSettings:
    """A way through latent space, closed unless it goes to a song."""

    duration: Duration | None  # None: as long as the song
    song: SongSettings | None = None
    keyframes: int = 8
    seed: int = 0
    fps: int | None = None  # None: the job's
    grid: Resolution | None = None  # columns x rows of samples; None: the job's
    checkpoint: int | None = None  # a step; None: the newest
    through_time: bool = False
    path: PathName = "spherical"
    scale: Resolution | None = None
    crop: Resolution | None = None


_LENGTH: Mapping[str, Parameter] = {
    "beats": Parameter(Annotated[Positive, Le(100_000)], None, "length in beats, with `bpm`"),
    "bpm": Parameter(
        Annotated[float, Ge(1), Le(1000), Finite],
        None,
        "beats per minute, of a `song` about; empty: as they are heard",
    ),
    "seconds": Parameter(
        Annotated[Positive, Le(LONGEST_SECONDS), SECONDS], None, "length in seconds"
    ),
    "frames": Parameter(Annotated[int, Ge(LEAST_FRAMES), Le(10**8)], None, "length in frames"),
}
_LOOK: Mapping[str, Parameter] = {
    "fps": Parameter(Annotated[Count, Le(240)], None, "frames per second; empty: the job's"),
    "scale": Parameter(Size, None, "pixels, by Lanczos; what stands over is cut off"),
    "crop": Parameter(Size, None, "pixels cut from the middle, before scaling"),
    "format": Parameter(
        FormatName, None, "empty: the job's first; for H.264 and H.265, `h264-intra`"
    ),
    "scale_with": Parameter(
        PlainName, None, "a superres job whose network enlarges it, after `crop` and `scale`"
    ),
}
_NOT_OF_CLIPS = ("format", "scale_with")  # they are about what becomes of a clip that is cut
_DRAWN: Mapping[str, Parameter] = {
    "seed": Parameter(Annotated[int, Ge(0), Le(2**31 - 1)], 0, "of these latents"),
    "grid": Parameter(Size, None, "samples, columns x rows; empty: the job's grid"),
    "checkpoint": Parameter(Natural, None, "a step of `keep_checkpoints`; empty: the last one"),
    "through_time": Parameter(
        bool, False, "through the kept checkpoints, too, from the first to the last and back"
    ),
    "path": Parameter(PathName, "spherical", "`spherical` or `cubic`, between keyframes"),
    **_LOOK,
}
_OF_SONG: Mapping[str, Parameter] = {
    "file": Parameter(SongFile, None, "the whole path of the song"),
    "from": Parameter(
        Annotated[NotNegative, Le(LONGEST_SECONDS), SECONDS],
        None,
        "seconds of the song where the walk begins; empty: its beginning",
    ),
    "to": Parameter(
        Annotated[Positive, Le(LONGEST_SECONDS), SECONDS],
        None,
        "seconds of the song where it ends; empty: its end",
    ),
    "bpm": _LENGTH["bpm"],
    "bpm_range": Parameter(Tempi, None, "tempi that it may have, such as 90-180"),
    "every": Parameter(Annotated[Count, Le(256)], 4, "beats from a keyframe to the next"),
    "sections": Parameter(bool, False, "each section of the song has latents of its own region"),
    "closed": Parameter(bool, False, "its end leads back to its beginning"),
    "quiet": Parameter(Share, 0.5, "the width of the way where the song is silent; 1 where loud"),
    "sway": Parameter(
        Annotated[float, Ge(0), Le(0.95), Finite],
        0.5,
        "how far bass, mids and highs pull the latents, each in its direction",
    ),
}
_CUT: Mapping[str, Parameter] = {
    "start": Parameter(
        Annotated[NotNegative, Le(LONGEST_SECONDS), SECONDS],
        None,
        "seconds of the film where it begins; empty: where the picture has settled",
    ),
    "speed": Parameter(Annotated[float, Gt(0), Le(1000), Finite], 1.0, "2 is twice as fast"),
    "smooth": Parameter(bool, False, "motion interpolation where frames are missing"),
}
_FADE = {
    "fade": Parameter(
        Annotated[Positive, Le(LONGEST_SECONDS), SECONDS],
        None,
        "seconds; empty: an eighth of the loop, at most 2 s",
    )
}


@dataclass(frozen=True)
class Loop(Choice):
    """A loop that a sheet asks for."""

    KEY: ClassVar[str] = "mode"
    TABLE: ClassVar[Table] = {
        "pingpong": {**_LENGTH, **_CUT, **_LOOK},
        "crossfade": {**_LENGTH, **_CUT, **_FADE, **_LOOK},
        "best": {**_LENGTH, **_CUT, **_FADE, **_LOOK},
        "walk": {
            **_LENGTH,
            "keyframes": Parameter(Annotated[int, Ge(2), Le(10_000)], 8, "latents on the way"),
            **_DRAWN,
        },
        "song": {**_OF_SONG, **_DRAWN},
    }
    HELP: ClassVar[Mapping[str, str]] = {
        "pingpong": "forth and back, without doubled ends; always an even number of frames",
        "crossfade": "the end fades into the beginning",
        "best": "a crossfade between the two most alike moments at that length",
        "walk": "drawn anew by the trained network: a closed way through its latents",
        "song": "a walk to a song, which it has as its sound",
    }

    def __post_init__(self) -> None:
        """ValueError says in one clause why there can be no such loop."""
        try:
            duration = self.duration
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from error
        if duration is None and self.name == "walk":
            raise ValueError("walk: give its length: seconds, frames, or beats and bpm")
        if self.is_to_song and not self["file"]:
            raise ValueError("song: give its file, such as file=/home/me/song.mp3")
        if self.is_to_song and (
            reason := song_settings(**{name: self[name] for name in _OF_SONG}).mistake
        ):
            raise ValueError(f"song: {reason}")

    @property
    def is_walk(self) -> bool:
        """Whether a network draws it; `song` is such a walk, too."""
        return self.name in ("walk", "song")

    @property
    def is_to_song(self) -> bool:
        return self.name == "song"

    @property
    def is_closed(self) -> bool:
        """Whether behind its last frame comes its first."""
        return not self.is_to_song or bool(self["closed"])

    @property
    def duration(self) -> Duration | None:
        """None: as long as there is film, or song."""
        if self.is_to_song:
            return None
        return Duration.of(**{name: self[name] for name in _LENGTH})

    @property
    def format(self) -> FormatName | None:
        """None: the job's first format."""
        return cast("FormatName | None", self["format"])

    @property
    def scale_with(self) -> str | None:
        """The job whose network enlarges it; None: it stays as large as it is."""
        return cast("str | None", self["scale_with"])

    def clip_settings(self) -> ClipSettings:
        """The settings of a loop that is cut from the film."""
        assert self.name in get_args(LoopMode), "walks are not cut from films"
        own = {name: self[name] for name in (*_CUT, *_LOOK) if name not in _NOT_OF_CLIPS}
        fade = self.parameters().get("fade")
        return ClipSettings(cast("LoopMode", self.name), self.duration, fade=fade, **own)

    def walk_settings(self) -> WalkSettings:
        """The settings of a walk."""
        given = self.parameters()
        own = {name: given[name] for name in _DRAWN if name not in _NOT_OF_CLIPS}
        if self.is_to_song:
            song = song_settings(**{name: given[name] for name in _OF_SONG})
            return WalkSettings(None, song, **own)
        return WalkSettings(self.duration, keyframes=given["keyframes"], **own)


def song_settings(**given: Any) -> SongSettings:
    """From the parameters of a `song`, by their names."""
    start, end, tempi = given.pop("from"), given.pop("to"), given.pop("bpm_range")
    file = Path(given.pop("file"))
    return SongSettings(file=file, start=start or 0.0, end=end, tempi=tempi, **given)


OneLoop = Annotated[InstanceOf[Loop], BeforeValidator(Loop.parse), PlainSerializer(str)]


def _exact(number: float | None) -> Fraction | None:
    """The number as it is written: 0.1 is a tenth, not the float that is nearest to it."""
    return None if number is None else Fraction(str(number))
