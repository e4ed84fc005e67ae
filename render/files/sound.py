"""A video with the sound and the time code of another one, which it was made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, Self

import av

from jobs.errors import MultitrainError
from jobs.settings.videos import MOV, MP4, VIDEOS, WEBM, FormatName
from jobs.videos.opening import opened
from render.encoding import ffmpeg
from render.encoding.commands import QUIET, Command
from render.encoding.comments import comment_arguments
from render.encoding.containers import Rate, file_arguments
from render.encoding.soundtrack import ENCODED, LAYOUTS
from render.files.copies import have_same_packets
from render.files.film import Film, as_unreadable, state_of
from render.files.probe import exact

# Codecs of sound, by FFmpeg's names, that players find in each kind of file; others are encoded.
_COPIED = {
    MP4: {"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"},
    MOV: {"aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s24le", "pcm_s16be", "pcm_s24be"},
    WEBM: {"opus", "vorbis"},
}


class Sound(NamedTuple):
    """A track of sound: its place among those of its file, its codec, and whether it begins before
    the first frame that is shown.
    """

    place: int
    codec: str
    is_earlier: bool


@dataclass(frozen=True)
class Beside:
    """What lies beside the frames of a film, in its file."""

    path: Path
    sounds: tuple[Sound, ...]  # without those that FFmpeg does not know
    begins: Fraction  # when its first frame is shown, in seconds, as the file counts them
    timecode: str | None  # `01:00:00:00`, of the first frame
    state: tuple[int, ...]  # of the file, as of a film

    @classmethod
    def look(cls, film: Film) -> Self:
        """MultitrainError where the file cannot be read."""
        with as_unreadable(film.path), opened(film.path) as (container, stream):
            begins = film.times[0] * exact(stream.time_base)
            sounds = tuple(
                Sound(
                    place,
                    each.codec_context.name,
                    (each.start_time or 0) * exact(each.time_base) < begins,
                )
                for place, each in enumerate(container.streams.audio)
                if each.codec_context
            )
            codes = (each.metadata.get("timecode") for each in container.streams)
            timecode = next(filter(None, codes), None) or container.metadata.get("timecode")
        return cls(film.path, sounds, begins, timecode, film.state)

    @property
    def silent(self) -> Beside:
        """The same without sound."""
        return replace(self, sounds=())


class Shape(NamedTuple):
    """What the file with the sound is to be; the `note` is for it, as of `encoding`."""

    name: FormatName
    fps: Rate
    note: str
    has_alpha: bool = False


def add_sound(video: Path, output: Path, shape: Shape, beside: Beside | None) -> None:
    """Write the video with what lies `beside` another one to `output`, a temporary name.

    Tracks are copied where such files may hold them. Verified: all frames are there, as they were;
    and all tracks. MultitrainError where not, and where the other one was replaced since it was
    looked at.
    """
    if beside and beside.sounds and state_of(beside.path) != beside.state:
        raise MultitrainError(f"{beside.path} was replaced meanwhile")
    ffmpeg.run(_command(video, output, shape, beside), ffmpeg.FILM_SECONDS)
    if not have_same_packets(video, output, with_sound=True):
        raise MultitrainError(f"{output} does not hold the frames of {video}")
    with av.open(str(output.absolute())) as container:
        found = len(container.streams.audio)
    if found != (wanted := len(beside.sounds) if beside else 0):
        raise MultitrainError(f"{output} has {found} tracks of sound instead of {wanted}")


def _command(video: Path, output: Path, shape: Shape, beside: Beside | None) -> Command:
    """ffmpeg's command that copies the video, with what lies beside the other one."""
    name, suffix = shape.name, VIDEOS[shape.name].suffix
    command = [ffmpeg.find(name), *QUIET, "-i", str(video.absolute())]
    tracks: list[str] = []
    if beside and beside.sounds:
        # Times are then counted from the first frame on: by us, for FFmpeg counts from the first
        # packet that it uses. What is earlier has negative times, which .mov and .mp4 have hidden;
        # of .webm, it is cut off while it is encoded.
        shift = ("-itsoffset", f"{float(-beside.begins):.6f}")
        command += ["-copyts", *shift, "-i", str(beside.path.absolute())]
        for number, sound in enumerate(beside.sounds):
            is_cut = suffix == WEBM and sound.is_earlier
            tracks += ["-map", f"1:a:{sound.place}"]
            tracks += [f"-map_metadata:s:a:{number}", f"1:s:a:{sound.place}"]
            if sound.codec in _COPIED[suffix] and not is_cut:
                tracks += [f"-c:a:{number}", "copy"]
            else:
                codec, *how = ENCODED[suffix]
                cut = "atrim=start=0," if is_cut else ""
                tracks += [f"-c:a:{number}", codec, *how, f"-filter:a:{number}", cut + LAYOUTS]
    if beside and beside.timecode and suffix in (MP4, MOV):
        tracks += ["-timecode", beside.timecode]
    if shape.has_alpha and suffix == WEBM:  # for players, which look here
        tracks += ["-metadata:s:v:0", "alpha_mode=1"]
    return [
        *(*command, "-map", "0:v:0", "-c:v", "copy", *tracks),
        *("-avoid_negative_ts", "disabled", *comment_arguments(name, shape.note)),
        *file_arguments(name, shape.fps, output),
    ]
