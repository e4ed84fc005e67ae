"""How a walk goes to a song."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import BeforeValidator, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

LEAST_BPM, MOST_BPM = 20, 400
LONGEST_LABEL = 60  # characters of a song's name in that of a video


class TempoRange(NamedTuple):
    """Tempi in beats per minute, written `90-180`."""

    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.least:g}-{self.most:g}"


WANTED_TEMPI = f"two tempi from {LEAST_BPM} to {MOST_BPM}, the slower one first, such as 90-180"


def parse_tempi(value: object) -> object:
    """The tempi that a text names. ValueError says in one clause what is wrong with it."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*(\d{1,3}(?:\.\d{1,6})?)\s*[-–]\s*(\d{1,3}(?:\.\d{1,6})?)\s*", value)
    if not match or not LEAST_BPM <= float(match[1]) < float(match[2]) <= MOST_BPM:
        raise ValueError(f"must be {WANTED_TEMPI}")
    return TempoRange(float(match[1]), float(match[2]))


Tempi = Annotated[TempoRange, BeforeValidator(parse_tempi)]


class SongFile(str):
    """The whole path of a song, as a loop written as text can hold it."""

    WANTED: ClassVar[str] = "a path without commas and brackets, such as /home/me/song.mp3"

    def __new__(cls, text: str) -> SongFile:
        """ValueError where the text is none."""
        if not text.strip() or re.search(r"[,()\x00-\x1f]", text):
            raise ValueError(f"must be {cls.WANTED}")
        return super().__new__(cls, text.strip())

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


@dataclass(frozen=True)
class SongSettings:
    """A song, the part of it that a walk goes to, and how. Times are in seconds of the song."""

    file: Path
    start: float = 0.0
    end: float | None = None  # None: that of the song
    bpm: float | None = None  # its tempo, about
    tempi: TempoRange | None = None  # that it may have; None, without `bpm`: any
    every: int = 4  # beats from a keyframe to the next
    sections: bool = False  # each has a region of latents
    closed: bool = False
    quiet: float = 0.5  # the width of the way where nothing is heard
    sway: float = 0.5  # how far three bands of the sound pull the latents

    @property
    def label(self) -> str:
        """As it stands in the name of a file: `track`, `track_from_30s_to_60s`."""
        start = f"_from_{self.start:g}s" if self.start else ""
        end = "" if self.end is None else f"_to_{self.end:g}s"
        return f"{self.file.stem[:LONGEST_LABEL]}{start}{end}"

    @property
    def mistake(self) -> str | None:
        """What does not agree in it, in one clause."""
        if self.end is not None and self.end <= self.start:
            return "it ends before it begins; give a `to` that is later than `from`"
        if self.bpm is not None and self.tempi is not None:
            return "give its tempo in one way: bpm, or bpm_range"
        if self.bpm is not None and not LEAST_BPM <= self.bpm <= MOST_BPM:
            return f"its bpm must be from {LEAST_BPM} to {MOST_BPM}"
        return None
