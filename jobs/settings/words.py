"""Words that a user may have meant."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from difflib import get_close_matches

from jobs.secrets import HIDDEN, seems_secret

MEANT = "; did you mean"
LONGEST_QUOTE = 60  # characters of a wrong cell that a message repeats


def nearest(word: str, words: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the word most like `word`, or nothing where none is alike."""
    found = most_like(word, words)
    return f"{MEANT} '{found}'?" if found is not None else ""


def most_like(word: str, words: Iterable[str]) -> str | None:
    """The word most like `word`; None where none is alike."""
    spelt = {each.casefold(): each for each in words}
    alike = get_close_matches(word.strip().casefold()[:LONGEST_QUOTE], spelt, n=1, cutoff=0.6)
    return spelt[alike[0]] if alike else None


def quoted(given: object) -> str:
    """What somebody wrote, in quotes, cut where it is long; nothing of what seems a password."""
    text = str(given)
    if seems_secret(text):
        return repr(HIDDEN)
    return repr(text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…")


def with_article(name: str) -> str:
    """`a dcgan`, `an autoencoder`."""
    return f"{'an' if name[:1] in tuple('aeiou') else 'a'} {name}"


def one_of(words: Iterable[str], given: str) -> str:
    """`must be one of a, b, not 'c'; did you mean 'b'?`"""
    words = tuple(words)
    return f"must be one of {', '.join(words)}, not {quoted(given)}{nearest(given, words)}"


def split_commas(text: str) -> list[str]:
    """The parts between commas, those within parentheses not counted; empty parts are left out."""
    return [part for part in _parts(text) if part]


def entries_of(text: str) -> list[str]:
    """The parts between commas, empty ones too; a comma at the end opens no further part."""
    parts = _parts(text)
    return parts if parts[-1] else parts[:-1]


def _parts(text: str) -> list[str]:
    if "(" not in text and ")" not in text:
        return [part.strip() for part in text.split(",")]
    parts, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def start_over(job: str) -> str:
    """The option that has this job, and no other, begin anew: as one would type it."""
    return f"--fresh {shlex.quote(job)}"
