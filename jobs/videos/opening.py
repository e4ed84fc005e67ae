"""Opening video files, and what decodes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import av
from av.codec import CodecContext
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

# A file may be a playlist of others: these may only be files, nothing on the network. In containers
# that have only times of decoding (AVI), FFmpeg makes up the times when frames are shown.
OPTIONS = {"protocol_whitelist": "file", "fflags": "+genpts"}
# FFmpeg's own decoders leave out the alpha of these.
WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


class UnreadableVideo(Exception):
    """Why one file cannot be used: one clause for a person."""


@contextmanager
def opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """An open file and its video stream, no cover picture. UnreadableVideo where there is none."""
    with ExitStack() as files:
        try:
            container = open_file(path, files)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise UnreadableVideo(reason_of(path, error)) from error
        streams = [each for each in container.streams.video if not _is_cover(each)]
        if not streams:
            raise UnreadableVideo("holds no video")
        streams[0].codec_context.thread_count = 1  # callers read parts of a file side by side
        with told_as_unreadable(path):
            yield container, streams[0]


@contextmanager
def told_as_unreadable(path: Path) -> Iterator[None]:
    """Turns FFmpeg's errors about a file into UnreadableVideo."""
    try:
        yield
    except av.error.FFmpegError as error:
        raise UnreadableVideo(reason_of(path, error)) from error


def hides_alpha(stream: VideoStream) -> bool:
    """Whether a stream is VP8 or VP9 with alpha, which FFmpeg's own decoders leave out."""
    return alpha_decoder(stream) is not None


def alpha_decoder(stream: VideoStream) -> str | None:
    """The decoder that must be named so that alpha is decoded; None: the usual one does."""
    told = {key.casefold(): value for key, value in stream.metadata.items()}
    if told.get("alpha_mode") != "1":
        return None
    name = stream.codec_context.name
    return next((own for codec, own in WITH_ALPHA.items() if name in (codec, own)), None)


def decoder_of(stream: VideoStream) -> VideoCodecContext:
    """The decoder for the packets of a stream, alpha included."""
    name = alpha_decoder(stream)
    if name is None:
        return stream.codec_context
    decoder = CodecContext.create(name, "r")
    assert isinstance(decoder, VideoCodecContext)
    return decoder


def open_file(path: Path, files: ExitStack) -> InputContainer:
    """The open file. FFmpeg takes text before a colon for a protocol, and only Unicode names."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        file = files.enter_context(path.open("rb"))
        return files.enter_context(av.open(file, "r", options=OPTIONS))
    return files.enter_context(av.open(f"file:{path}", "r", options=OPTIONS))


def _is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def reason_of(path: Path, error: Exception, what: str = "video") -> str:
    """Why a file cannot be read, in one clause; it should be a `what`."""
    if not path.exists():
        return "is not there"
    if path.is_file() and not path.stat().st_size:
        return "is empty"
    if isinstance(error, (av.error.InvalidDataError, av.error.EOFError)):
        return f"is no {what}, or it is damaged"
    return str(getattr(error, "strerror", None) or error).casefold()
