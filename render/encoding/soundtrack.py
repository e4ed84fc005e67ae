"""Sound in files that we make: its encoders, and a part of a song that a video is to have."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from jobs.settings.videos import MOV, MP4, VIDEOS, WEBM, FormatName

# By the suffixes of files that can have sound (`jobs.settings.videos.holds_sound`).
ENCODED = {
    MP4: ("aac", "-b:a", "256k"),
    MOV: ("aac", "-b:a", "256k"),
    WEBM: ("libopus", "-b:a", "192k"),
}
_OF_SONGS = ENCODED | {MOV: ("pcm_s24le",)}  # as the video there: large, and as it was

# What encoders of sound take; the nearest to what there is.
LAYOUTS = "aformat=channel_layouts=7.1|5.1|stereo|mono"


@dataclass(frozen=True)
class Soundtrack:
    """So many seconds of a song, from its second `start` on; behind its end it is silent.

    They are counted in samples, from the first one that is decoded: times that a file tells may
    begin elsewhere, and those of an MP3 are not exact enough to seek by.
    """

    song: Path
    start: Fraction
    seconds: Fraction

    @property
    def input(self) -> list[str]:
        """What ffmpeg is told before its outputs."""
        return ["-protocol_whitelist", "file", "-vn", "-i", f"file:{self.song.absolute()}"]

    def output(self, name: FormatName, number: int) -> list[str]:
        """What it is told of an output; the song is input `number`, the video the first one."""
        end = float(self.start + self.seconds)
        part = (
            f"asetpts=N/SR/TB,atrim=start={float(self.start):.9f}:end={end:.9f},"
            f"asetpts=N/SR/TB,apad=whole_dur={float(self.seconds):.9f},{LAYOUTS}"
        )
        codec, *how = _OF_SONGS[VIDEOS[name].suffix]
        tracks = ["-map", "0:v:0", "-map", f"{number}:a:0", "-c:a", codec, *how, "-af", part]
        return [*tracks, "-map_metadata:s:a", "-1", "-avoid_negative_ts", "disabled"]
