"""Calls of commands as nobody should make them, and some as everybody does: drawn at random.

Commands and their parameters are taken from the command line itself, so that new ones are called,
too. Nothing here names a file outside of the folder that a call is made in, but such that no
program can replace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import click

RIGHT_CALLS = 0.35  # share of calls whose every value may be right
STRANGE_VALUES = 0.3  # share of values in the others
OPTIONS = 0.3  # share of the options that a call has

SHEETS = ("sheet.csv", "tiny.csv", "tiny.yaml")
FILMS = ("renders/cards_box0001.mp4", "renders/nets.mp4", "renders/nets_timecut0001.mp4")
JOBS = ("cards", "nets")

# What can be right for a parameter of this name, whichever command has it. All others: by type.
RIGHT: dict[str, Sequence[str]] = {
    "sheet": SHEETS,
    "template": ("template.yaml", *SHEETS),
    "job": JOBS,
    "jobs": JOBS,
    "source": (*JOBS, *FILMS, "pictures.zip", "http://127.0.0.1:9/pictures.zip"),
    "films": FILMS,
    "videos": FILMS,
    "named": (*FILMS, "data/noise"),
    "folder": ("renders", "data/noise", "data/mixed"),
    "folders": ("data/noise", "data/mixed"),
    "sources": ("data/noise", "data/mixed"),
    "workspace": (".",),
    "gpus": ("cpu",),
    "slots": ("1", "2"),
    "fresh": (*JOBS, "all"),
    "restore": JOBS,
    "drop": JOBS,
    "names": ("noise", "mixed", "hap", "gif"),
    "name": ("fresh", "other", "noise", "h264"),
    "output": ("out.mp4", "out.csv", "out.yaml", "sub/out.mp4"),
    "count": ("1", "3"),
    "frames": ("4", "24"),
    "seconds": ("0.2", "1"),
    "beats": ("1", "2"),
    "bpm": ("240",),
}

# Files, most of which `playground.add_odd_files` makes.
ODD_FILES = (
    "missing", "missing/below", "empty.csv", "empty.mp4", "garbage.csv", "garbage.mp4",
    "garbage.png", "zero", "null", "pipe", "pipe.csv", "loop", "broken", "data", "data/noise",
    "renders", "runs", ".", "..", "runs/farm.sqlite", "runs/cards/job.yaml", "runs/nets/log.txt",
    "renders/cards.json", "renders/nets.jpg", "runs/nets/checkpoints", "data/noise/000.png",
    "sheet.csv", "template.yaml", "pictures.zip", "huge.bin", "/proc/version", "/proc/none/x",
    "na\u00efve \U0001f984.csv", "new\nline.csv", "caf\udce9.csv", "-dash.csv",
    "sheet.csv/below", "a" * 300, "b/" * 2100 + "c",
)  # fmt: skip
STRANGE = (
    "", " ", "nan", "inf", "-inf", "0", "-0", "-1", "1e400", "-1e9", "1e-9", "9" * 400, "0x10",
    "1_000", "½", "１２", "1,5", "50%", "1:30", "1:2:3:4", "64x64", "0x0", "99999x99999", "-1x5",
    "None", "null", "all", "cpu", "0,0", "-", "--", "-h", "--json", "--force", "--nonsense",
    "%s", "%03d", "$HOME", "*", "~", "{}", "[red]x[/red]", "a\nb", "a\tb", "\x1b[31mred", "\x07",
    "\u202eevil", "\u200b", "e\u0301", "İ", "\udcff\udcfe", "x" * 10_000, "file:///", "ftp://x@y",
    "http://127.0.0.1:9/", "https://[", "relu", "h264,hap", "png,png", "walk", "cards,nets", ",",
)  # fmt: skip


@dataclass(frozen=True)
class Call:
    """The words behind `multitrain`."""

    command: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        told = " ".join(map(ascii, self.words))
        return told if len(told) <= 400 else f"{told[:400]}…"


def leaves(command: click.Command, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands below this one that do something, each with its name as it is typed."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        if below := command.get_command(context, name):
            yield from leaves(below, *path, name)


def draw_call(random: Random, commands: Sequence[tuple[tuple[str, ...], click.Command]]) -> Call:
    """One more."""
    path, command = random.choice(commands)
    strangeness = 0.0 if random.random() < RIGHT_CALLS else STRANGE_VALUES
    options: list[str] = []
    arguments: list[str] = []
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            if parameter.required or random.random() < OPTIONS:
                options += _option(random, parameter, strangeness)
        else:
            arguments += _values(random, parameter, strangeness)
    if random.random() < strangeness / 3:
        arguments.append(_strange(random))
    if arguments and random.random() < strangeness / 3:
        arguments.pop()
    words = [*options, *arguments] if random.random() < 0.5 else [*arguments, *options]
    return Call(" ".join(path), tuple(word.replace("\0", "") for word in (*path, *words)))


def _option(random: Random, option: click.Option, strangeness: float) -> list[str]:
    name = random.choice([*option.opts, *option.secondary_opts])
    if option.is_flag and not option.secondary_opts and isinstance(option.flag_value, bool):
        return [name]
    if option.is_flag:
        return [name]
    return [name, *_values(random, option, strangeness)]


def _values(random: Random, parameter: click.Parameter, strangeness: float) -> list[str]:
    """Of an argument or an option: as many as it takes."""
    many = parameter.nargs < 0
    if isinstance(parameter.type, click.Tuple):
        kinds = list(parameter.type.types)
    else:
        kinds = [parameter.type] * (random.randint(1, 3) if many else parameter.nargs)
    return [
        _strange(random) if random.random() < strangeness else _right(random, parameter, kind)
        for kind in kinds
    ]


def _right(random: Random, parameter: click.Parameter, kind: click.ParamType[Any]) -> str:
    if isinstance(kind, click.Choice):
        return str(random.choice(list(kind.choices)))
    if known := RIGHT.get(parameter.name or ""):
        return random.choice(known)
    if isinstance(kind, click.IntRange | click.FloatRange):
        least = kind.min if kind.min is not None else 0
        most = kind.max if kind.max is not None else least + 10
        near = [least, least + 1, least + 3, most] if most - least > 3 else [least, most]
        return str(random.choice([int(each) for each in near]))
    if isinstance(kind, click.Path):
        return random.choice(("out.csv", "data/noise", *SHEETS, *FILMS))
    return random.choice(("64x64", "1", "0.5", "noise", "cards", "hap", "1:00"))


def _strange(random: Random) -> str:
    return random.choice(STRANGE if random.random() < 0.5 else ODD_FILES)
