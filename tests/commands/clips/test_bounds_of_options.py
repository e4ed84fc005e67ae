"""Options of loops and walks take what sheets take, and nothing else."""

from __future__ import annotations

import click
import pytest
from annotated_types import Ge, Gt, Le

from jobs.settings.bounds import unwrap, words_of
from jobs.settings.loops import Loop
from multitrain.commands.clips import loop, walk
from multitrain.commands.clips.clip_options import SizeType

# Any of the table; any job of the workspace; and `smooth` may also name one.
OF_THEIR_OWN = {"format", "scale_with", "smooth"}
CASES = [
    (command, mode, name)
    for command, mode in ((loop.command, "best"), (walk.command, "walk"))
    for name in Loop.TABLE[mode]
    if name not in OF_THEIR_OWN
]


@pytest.mark.parametrize(("command", "mode", "name"), CASES, ids=str)
def test_an_option_has_the_bounds_of_the_sheet(command: click.Command, mode: str, name: str):
    (option,) = [each for each in command.params if each.name == name]
    parameter = Loop.TABLE[mode][name]
    kind, bounds = unwrap(parameter.type)
    if words := words_of(kind):
        assert option.type.choices == words
    elif isinstance(option.type, click.IntRange | click.FloatRange):
        told = {Ge(option.type.min)} if not option.type.min_open else {Gt(option.type.min)}
        told |= {Le(option.type.max)} if option.type.max is not None else set()
        assert told <= set(filter(lambda each: isinstance(each, Ge | Gt | Le), bounds))
    else:
        assert isinstance(option.type, SizeType | loop.CropType | click.types.BoolParamType)
    if kind is not bool and parameter.default is not None:
        assert option.default == parameter.default


@pytest.mark.parametrize("words", [["--start", "inf"], ["--fade", "inf"], ["--speed", "nan"]])
def test_what_is_no_length_of_time_is_refused(words: list[str]) -> None:
    with pytest.raises(click.BadParameter):
        loop.command.make_context("loop", ["a.mp4", *words])


def test_a_grid_may_be_as_large_as_in_a_sheet() -> None:
    call = ["night", "--frames", "8", "--grid", "16384x1"]
    assert walk.command.make_context("walk", call).params["grid"] == (16384, 1)
