"""Streams that come as they come, from a camera or an address, and end when they end. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ADDRESS = re.compile(r"(rtsp|rtsps|rtmp|rtmps|http|https|udp|tcp|srt|rtp)://\S+", re.IGNORECASE)
_DEVICE = re.compile(r"/dev/video\d+")  # a camera, as Linux has it


def is_live(name: str) -> bool:
    """Whether this names a device or an address, and no file or folder."""
    return is_device(name) or bool(_ADDRESS.fullmatch(name))


def is_device(name: str) -> bool:
    """Whether this names a camera: `/dev/video0`."""
    return bool(_DEVICE.fullmatch(name))


def any_live(names: Iterable[str]) -> bool:
    """Whether one of these is live."""
    return any(map(is_live, names))
