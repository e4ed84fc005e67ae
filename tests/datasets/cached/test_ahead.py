"""The process that decodes the pictures of jobs to come."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from jobs.workspace.files import listing
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.datasets.cached import cache
from multitrain.datasets.cached.cache import open_pictures

if TYPE_CHECKING:
    from tests.conftest import MakePictures

SIZE = (32, 24)

CHECKED = """
import sys
from multitrain.datasets.cached.ahead import main
code = main()
assert not {"tensorflow", "keras", "jax"} & sys.modules.keys()
sys.exit(code)
"""


BUSY = """
import sys, threading
from multitrain.datasets.cached import ahead
def decode(*_):
    print("busy", flush=True)
    threading.Event().wait()
ahead._decode = decode
ahead.main(sys.argv[1:])
"""


def ahead(workspace: Workspace, *jobs: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CHECKED, str(workspace.root), *jobs]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_trainer_finds_them_decoded(
    workspace: Workspace,
    make_pictures: MakePictures,
    tiny_job: Callable[..., JobFile],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = {"one": "rgb", "two": "rgba"}
    for name, model in models.items():
        make_pictures(workspace.dataset(name), 5, SIZE)
        job = tiny_job(*SIZE, name=name, dataset=name, colour_model=model)
        job.save(workspace.job(name))
    done = ahead(workspace, "one", "two")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(listing(workspace.cache)) == 2
    monkeypatch.delattr(cache, "decode")
    for name, channels in {"one": 3, "two": 4}.items():
        assert len(open_pictures(workspace, [name], *SIZE, channels).images) == 5


def test_failures_are_told_and_nobodys_problem(
    workspace: Workspace, make_pictures: MakePictures, tiny_job: Callable[..., JobFile]
) -> None:
    make_pictures(workspace.dataset("some"), 5, SIZE)
    for name, dataset in (("empty", "none"), ("good", "some")):
        tiny_job(*SIZE, name=name, dataset=dataset).save(workspace.job(name))
    workspace.job("broken").run.mkdir()
    workspace.job("broken").job_file.write_text("[")
    done = ahead(workspace, "gone", "broken", "empty", "good")
    assert done.returncode == 0
    told = done.stderr.splitlines()
    assert [line.partition(":")[0] for line in told] == ["gone", "broken", "empty"]
    assert len(listing(workspace.cache)) == 1


def test_it_ends_with_its_farm(workspace: Workspace) -> None:
    lifeline, farm = os.pipe()
    command = [sys.executable, "-c", BUSY, str(workspace.root), "job", "--lifeline", str(lifeline)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, pass_fds=[lifeline]) as process:
        os.close(lifeline)
        try:
            assert process.stdout
            assert process.stdout.readline() == b"busy\n"
            assert process.poll() is None
            os.close(farm)
            assert process.wait(60) == 0
        finally:
            process.kill()
