"""Lengths of time as people write them, and as this program prints them: `0:39.5`, `1m30s`."""

from __future__ import annotations

import re

from pydantic import BeforeValidator

# Behind a colon stands a number below 60: `1:75` is no length.
_CLOCK = re.compile(r"(?:(\d{1,6}):(?=[0-5]?\d:))?(\d{1,6}):([0-5]?\d(?:\.\d{1,9})?)")
MOST_DIGITS = 8  # of a number that somebody may have typed
_NUMBER = r"(\d{1,9}(?:\.\d{1,9})?)\s*"
_UNITS = re.compile(
    rf"(?=.)(?:{_NUMBER}h(?:ours?)?\s*)?(?:{_NUMBER}m(?:in(?:utes?)?)?\s*)?"
    rf"(?:{_NUMBER}s(?:ec(?:onds?)?)?)?",
    re.IGNORECASE,
)


def seconds_of(text: str) -> float | None:
    """A length in seconds; None for a number alone, whose unit its column has, and other texts."""
    match = _CLOCK.fullmatch(text.strip()) or _UNITS.fullmatch(text.strip())
    if not match:
        return None
    hours, minutes, seconds = (float(each or 0) for each in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def length_text(value: float, unit: float) -> str:
    """`value` times `unit` seconds as somebody would type it: `0.5`, but `0:10`, not 0.1666….

    It is read back as the very same number.
    """
    plain = str(value)
    if len(plain) <= MOST_DIGITS:
        return plain
    minutes, seconds = divmod(round(value * unit, 9), 60)
    text = f"{int(minutes)}:{seconds:012.9f}".rstrip("0").rstrip(".")
    found = seconds_of(text)
    return text if found is not None and found / unit == value else plain


def minutes_told(minutes: float) -> str:
    """A length as sentences name it: `20 minutes`, `0:10`."""
    text = length_text(minutes, 60)
    return text if ":" in text else f"{minutes:g} minutes"


def _in_seconds(value: object) -> object:
    found = seconds_of(value) if isinstance(value, str) else None
    return value if found is None else found


def _in_minutes(value: object) -> object:
    found = seconds_of(value) if isinstance(value, str) else None
    return value if found is None else found / 60


# Of a setting that is a number of seconds, or of minutes: a length with its units may stand there.
# In an annotation they stand behind the bounds of the number.
SECONDS = BeforeValidator(_in_seconds)
MINUTES = BeforeValidator(_in_minutes)
