"""Random calls: of every command, the same for a seed, and such that harm nothing else."""

from __future__ import annotations

from random import Random

from benchmarks.strange_calls import ODD_FILES, RIGHT, STRANGE, draw_call, leaves
from multitrain.commands.cli import commands

EVERY = list(leaves(commands))


def drawn(seed: int, count: int) -> list[tuple[str, ...]]:
    random = Random(seed)
    return [draw_call(random, EVERY).words for _ in range(count)]


def test_every_command_and_every_option_is_called() -> None:
    calls = drawn(1, 3000)
    for path, command in EVERY:
        words = {word for call in calls if call[: len(path)] == path for word in call}
        assert words, path
        for parameter in command.params:
            assert words & {*parameter.opts, *parameter.secondary_opts} or not any(
                each.startswith("-") for each in parameter.opts
            ), (path, parameter.name)


def test_a_seed_draws_the_same_calls() -> None:
    assert drawn(7, 50) == drawn(7, 50)
    assert drawn(7, 50) != drawn(8, 50)


def test_no_call_names_what_a_program_could_replace() -> None:
    """Of absolute paths only such of which the system is master."""
    every = {*ODD_FILES, *STRANGE, *(value for values in RIGHT.values() for value in values)}
    assert not [word for word in every if word.startswith("/") and not word.startswith("/proc/")]
    assert not [word for word in every if word.startswith("../") or "/.." in word]
    assert not [word for call in drawn(3, 2000) for word in call if "\0" in word]
