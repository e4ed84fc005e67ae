"""A video with the sound and the time code of another one, which it was made of."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Self

import av

from jobs.errors import MultitrainError
from jobs.settings.videos import MOV, MP4, VIDEOS, WEBM, FormatName
from render.encoding import ffmpeg
from render.encoding.commands import QUIET, Command
from render.encoding.comments import comment_arguments
from render.encoding.containers import Rate, file_arguments
from render.files.copies import have_same_packets
from render.files.film import Film, as_unreadable
from render.files.probe import exact
from render.shown.opening import opened

# Codecs of sound, by FFmpeg's names, that players find in each kind of file; others are encoded.
_COPIED = {
    MP4: {"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"},
    MOV: {"aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s24le", "pcm_s16be", "pcm_s24be"},
    WEBM: {"opus", "vorbis"},
}
_ENCODED = {
    MP4: ("aac", "-b:a", "256k"),
    MOV: ("aac", "-b:a", "256k"),
    WEBM: ("libopus", "-b:a", "192k"),
}


@dataclass(frozen=True)
class Beside:
    """What lies beside the frames of a film, in its file."""

    path: Path
    sounds: tuple[str, ...]  # codecs of the tracks
    ahead: Fraction  # seconds from the file's beginning to its first frame that is shown
    timecode: str | None  # `01:00:00:00`, of the first frame

    @classmethod
    def look(cls, film: Film) -> Self:
        """MultitrainError where the file cannot be read."""
        with as_unreadable(film.path), opened(film.path) as (container, stream):
            sounds = tuple(each.codec_context.name for each in container.streams.audio)
            begins = film.times[0] * exact(stream.time_base)
            ahead = begins - Fraction(container.start_time or 0, av.time_base)
            codes = (each.metadata.get("timecode") for each in container.streams)
            timecode = next(filter(None, codes), None) or container.metadata.get("timecode")
        return cls(film.path, sounds, ahead, timecode)


def holds_sound(name: FormatName) -> bool:
    """Whether files of the format can have sound."""
    return VIDEOS[name].suffix in _COPIED


def add_sound(
    video: Path, output: Path, name: FormatName, fps: Rate, beside: Beside | None, note: str
) -> None:
    """Write the video with what lies `beside` another one to `output`, a temporary name.

    The `note` is for the file, as of `encoding`. Tracks are copied where such files may hold them.
    Verified: all frames are there, as they were; and all tracks. MultitrainError where not.
    """
    ffmpeg.run(
        sound_command(ffmpeg.find(name), video, output, name, fps, beside, note),
        ffmpeg.FILM_SECONDS,
    )
    if not have_same_packets(video, output, with_sound=True):
        raise MultitrainError(f"{output} does not hold the frames of {video}")
    with av.open(str(output)) as container:
        found = len(container.streams.audio)
    if found != (wanted := len(beside.sounds) if beside else 0):
        raise MultitrainError(f"{output} has {found} tracks of sound instead of {wanted}")


def sound_command(
    program: str,
    video: Path,
    output: Path,
    name: FormatName,
    fps: Rate,
    beside: Beside | None,
    note: str,
) -> Command:
    """ffmpeg's command that copies the video, with what lies beside the other one."""
    suffix = VIDEOS[name].suffix
    command = [program, *QUIET, "-i", str(video.absolute())]
    tracks: list[str] = []
    if beside and beside.sounds:
        # What is heard before the first frame is left out; what begins later still does.
        earlier = beside.ahead > 0
        shift = ("-ss" if earlier else "-itsoffset", f"{float(abs(beside.ahead)):.6f}")
        command += [*(shift if beside.ahead else ()), "-i", str(beside.path.absolute())]
        tracks = ["-map", "1:a", "-map_metadata:s:a", "1:s:a"]
        for number, codec in enumerate(beside.sounds):
            copied = codec in _COPIED[suffix]
            own = ("copy",) if copied else _ENCODED[suffix]
            tracks += [f"-c:a:{number}", *own]
    if beside and beside.timecode and suffix in (MP4, MOV):
        tracks += ["-timecode", beside.timecode]
    return [
        *(*command, "-map", "0:v:0", "-c:v", "copy", *tracks),
        *("-avoid_negative_ts", "disabled", *comment_arguments(name, note)),
        *file_arguments(name, fps, output),
    ]
