"""What the page of networks to take away says can be called so; its code is run elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import click

from multitrain.commands.network import command
from multitrain.portable.asked import MADE

PAGE = (Path(__file__).parents[2] / "docs" / "networks.md").read_text(encoding="utf-8")


def test_its_calls_can_be_made() -> None:
    calls = re.findall(r"(?m)^    multitrain network (.+)$", PAGE)
    assert len(calls) == 6
    for call in calls:
        command.make_context("network", call.split())


def test_it_tells_of_every_option() -> None:
    for each in command.params:
        if isinstance(each, click.Option) and each.name not in ("output", "workspace"):
            assert all(name in PAGE for name in each.opts), each.name


def test_what_it_shows_is_told_so() -> None:
    (shown,) = re.findall(r"```\n(night_network.*?)```", PAGE, re.DOTALL)
    assert f"\nout: {MADE} (n, " in shown
