"""What no ffmpeg here can make is told before anything starts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rich.console import Console

from jobs.errors import MultitrainError, ProgramFailed, UsageError
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.commands.run import assembling as start
from multitrain.commands.run.assembling import RunOptions, run_jobs
from render.encoding import ffmpeg


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The formats that were asked for; none can be made."""
    names: list[str] = []

    def find(name: str) -> str:
        names.append(name)
        raise MultitrainError(f"No ffmpeg here can encode {name}")

    monkeypatch.setattr(ffmpeg, "find", find)
    return names


@pytest.mark.usefixtures("asked")
def test_nothing_starts_without_the_encoder(
    workspace: Workspace, tiny_job: Callable[..., JobFile]
) -> None:
    jobs = [tiny_job(), tiny_job(name="other", format="h264,hap-alpha")]
    with pytest.raises(UsageError, match="No ffmpeg here can encode hap-alpha"):
        run_jobs(workspace, jobs, RunOptions(gpus="cpu", slots=1), Console())
    assert not workspace.runs.exists()


def test_only_what_is_wanted_is_asked_for(
    tiny_job: Callable[..., JobFile], asked: list[str]
) -> None:
    start._check_encoders(
        [tiny_job(), tiny_job(encoder="nvenc"), tiny_job(format="hap-alpha", render_video=False)]
    )
    assert asked == []


def test_a_full_disk_is_no_reason(
    tiny_job: Callable[..., JobFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    full = ProgramFailed(["ffmpeg"], 1, "No space left on device")

    def find(name: str) -> str:
        raise full

    monkeypatch.setattr(ffmpeg, "find", find)
    start._check_encoders([tiny_job(format="prores-4444")])
