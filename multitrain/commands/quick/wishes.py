"""What a user wants of `multitrain quick`: asked, given as options, or read in an earlier sheet."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from jobs.errors import UsageError
from jobs.secrets import hidden
from jobs.settings.lengths import seconds_of

MADE_BY = "# Made by: multitrain quick "  # and a call: the first line of each sheet
FAMILIES = {  # by the name that `--family` takes
    "pix2pix": "learns to see: paints your pictures anew of their edges, then your whole video",
    "fastgan": "dreams up pictures of its own; for few pictures, with a composition early",
    "upconv": "a dcgan without checkerboards",
    "dcgan": "the classic one, whose every layer can be bent",
}


class Wishes(NamedTuple):
    """What is asked for; all but the name have defaults that the machine without a GPU can train.

    - frames: taken of the videos, at most.
    - size: pixels of the pictures' longer side.
    - length: seconds of film.
    """

    name: str
    frames: int = 400
    size: int = 192
    family: str = "pix2pix"
    length: float = 30.0

    def words(self) -> tuple[str, ...]:
        """The options that say the same."""
        return tuple(
            word
            for key, value in self._asdict().items()
            for word in (f"--{key}", length_words(value) if key == "length" else str(value))
        )


class Earlier(NamedTuple):
    """What an earlier call was given."""

    named: str  # the video, folder or address
    wishes: Wishes


def head_line(named: str, wishes: Wishes) -> str:
    """The line of a sheet that tells how it was made; without logins and keys of addresses."""
    return one_line(MADE_BY + shlex.join([hidden(named), *wishes.words()]))


def read_back(sheet: str) -> Earlier | None:
    """What the call was given that has made this sheet; None where it is not one of ours."""
    line = sheet.partition("\n")[0]
    if not line.startswith(MADE_BY):
        return None
    try:
        named, *options = shlex.split(line.removeprefix(MADE_BY))
        given = dict(_pairs(options))
        length = round(seconds_of(given.pop("--length")) or 0, 3)
        numbers = int(given.pop("--frames")), int(given.pop("--size"))
        wishes = Wishes(given.pop("--name"), *numbers, given.pop("--family"), length)
    except (ValueError, KeyError):  # somebody has edited the line
        return None
    return Earlier(named, wishes) if not given and length else None


def together(name: str, given: Mapping[str, Any], earlier: Wishes | None) -> Wishes:
    """The wishes of a call: as it was `given` them, or as an earlier call had them, or defaults.

    UsageError where the earlier call had others than are given now.
    """
    told = {key: value for key, value in given.items() if value is not None}
    if earlier is None:
        return Wishes(name, **told)
    asked = earlier._replace(**told)
    if changed := set(_pairs(earlier.words())) - set(_pairs(asked.words())):
        had = ", ".join(" ".join(each) for each in sorted(changed))
        raise UsageError(
            f"{name}.yaml is there already, made with {had}: edit it and call again without that "
            "option, or give another --name"
        )
    return earlier


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    return zip(words[::2], words[1::2], strict=True)


def length_words(seconds: float) -> str:
    """`30s`, `1m30s`, `0.4s`."""
    minutes, rest = divmod(round(seconds, 3), 60)
    left = f"{round(rest, 3):g}s" if rest or not minutes else ""
    return (f"{int(minutes)}m" if minutes else "") + left


def one_line(text: str) -> str:
    """`text` as a comment can hold it."""
    return "".join(each if each.isprintable() else " " for each in text)
