"""What the page of nights says to systemd is a unit that systemd understands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from multitrain.commands.run.command import run

PAGE = (Path(__file__).parents[2] / "docs" / "night.md").read_text(encoding="utf-8")
(UNIT,) = re.findall(r"```ini\n(.*?)```", PAGE, re.DOTALL)


def service() -> dict[str, str]:
    parser = ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(UNIT)
    return dict(parser["Service"])


def test_what_it_starts_can_be_called_so() -> None:
    told = service()
    program, command, *options = told["ExecStart"].split()
    assert program.startswith(told["WorkingDirectory"])
    assert command == "run"
    context = run.make_context("run", options)
    assert context.params["stay"]
    assert told["KillMode"] == "mixed", "trainers that are told twice to end write no checkpoint"


def test_systemd_understands_it(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze")
    unit = tmp_path / "multitrain.service"
    program = service()["ExecStart"].split()[0]
    unit.write_text(UNIT.replace(program, sys.executable).replace("%h/multitrain", str(tmp_path)))
    said = subprocess.run(
        ["systemd-analyze", "verify", "--user", str(unit)],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stderr) == (0, "")
