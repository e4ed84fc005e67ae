"""The parts of the benchmarks that decide what is measured."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from benchmarks import training
from benchmarks.figures import Effort
from benchmarks.frame_path import from_pngs
from benchmarks.memory_growth import ends
from benchmarks.merging import copy_all
from benchmarks.overhead import left_over
from benchmarks.peers.process import Peer
from benchmarks.progress import newest
from benchmarks.standard import GRAIN, landscapes, moving_frames, on_cores, standard_job
from benchmarks.turns import Rounds
from jobs.errors import MultitrainError
from jobs.workspace.paths import Workspace
from render.encoding.commands import encode_command


def test_pngs_are_encoded_with_the_same_settings() -> None:
    plan = standard_job(Effort(quick=True)).plan
    raw = encode_command("ffmpeg", Path("/raw"), plan, [Path("/film")], crf=17, preset="medium")
    pngs = from_pngs(raw, Path("/pngs/%09d.png"), plan.fps)
    before, behind = raw[: raw.index("-f")], raw[raw.index("/raw") + 1 :]
    assert pngs == [*before, "-framerate", "60", "-i", "/pngs/%09d.png", *behind]


def test_memory_is_compared_between_the_warm_start_and_the_end() -> None:
    """The start-up, the middle and a single strange sample do not count."""
    start_up = [(step, 999) for step in range(0, 250, 10)]
    warm = [(250, 100), (300, 100), (349, 500)]
    middle = [(500, 9999), (899, 9999)]
    last = [(900, 104), (950, 104), (1000, 1)]
    assert ends([*start_up, *warm, *middle, *last], steps=1000) == (100, 104)


@pytest.mark.parametrize("samples", [[(0, 1), (950, 1)], [(250, 1), (899, 1)]])
def test_memory_that_nobody_saw_is_no_figure(samples: list[tuple[int, int]]) -> None:
    with pytest.raises(MultitrainError, match="too fast"):
        ends(samples, steps=1000)


def test_the_newest_whole_line_of_progress_counts(workspace: Workspace) -> None:
    paths = workspace.job("job")
    assert newest(paths) is None
    paths.run.mkdir(parents=True)
    line = '{{"time": 1.5, "step": {step}, "frame": 4, "losses": {{}}}}\n'
    many = "".join(line.format(step=step) for step in range(1000))
    paths.progress.write_text(many + '{"time": 2.5, "st')
    told = newest(paths)
    assert told
    assert told.step == 999


def test_only_timecuts_are_copied_to_one_file(tmp_path: Path) -> None:
    source, target = tmp_path / "from", tmp_path / "to"
    source.mkdir()
    target.write_bytes(b"an older one, which was longer than the copy is" * 9)
    for name in ("a_timecut0001.mp4", "a_timecut0002.mp4", "a.mp4"):
        (source / name).write_bytes(name.encode())
    copy_all(source, target)
    assert target.read_bytes() == b"a_timecut0001.mp4a_timecut0002.mp4"


@pytest.mark.parametrize(("behind", "held"), [(3, True), (5, True), (6, False)])
def test_a_spool_that_grows_is_told(behind: int, held: bool) -> None:
    figure = left_over(3, behind)
    assert (figure.value, figure.held) == (behind - 3, held)


class Unable:
    def wait_until_ready(self) -> None:
        raise MultitrainError(
            "torch_dcgan --job {} ended: Traceback (most recent call last):\n"
            '  File "a.py", line 1, in <module>\n'
            "torch._dynamo.exc.BackendCompilerFailed: backend='inductor' raised:\n"
            "RuntimeError: Failed to find C compiler.\n\n"
            "Set TORCH_LOGS for more\n"
        )


class Able:
    def wait_until_ready(self) -> None:
        pass


def test_why_pytorch_does_not_compile_stands_in_the_note() -> None:
    name, able = "PyTorch compiled float32", cast(Peer, Able())
    ready, missing = training.take_ready({"PyTorch float32": able, name: cast(Peer, Unable())})
    assert list(ready) == ["PyTorch float32"]
    assert missing == {name: "RuntimeError: Failed to find C compiler."}
    names = [f"{who} {what}" for who in ("ours", "PyTorch") for what in training.PRECISIONS]
    names += ["ours auto", "PyTorch compiled bfloat16"]
    names += [f"products torch {what}" for what in training.PRECISIONS]
    names += [f"products tensorflow {what}" for what in training.PRECISIONS]
    rounds = Rounds({name: [1.0] for name in names})
    figures = training._figures(Effort(quick=True), rounds, missing)
    notes = {figure.name: figure.note for figure in figures}
    said = "without PyTorch compiled float32: RuntimeError: Failed to find C compiler."
    assert notes.pop("training float32 / PyTorch float32") == said
    assert notes.pop("training auto / PyTorch float32") == said
    assert set(notes.values()) == {""}


def test_only_what_is_compiled_may_be_unable() -> None:
    with pytest.raises(MultitrainError, match="C compiler"):
        training.take_ready({"PyTorch float32": cast(Peer, Unable())})


def test_words_that_are_no_traceback_are_told_by_their_first_line() -> None:
    assert training.cause("torch_dcgan ended: \nkilled") == "torch_dcgan ended: "


def test_each_moving_frame_is_new_and_a_grid_of_landscapes() -> None:
    frames = list(moving_frames(15, columns=3, rows=2, width=16, height=9))
    assert {frame.shape for frame in frames} == {(18, 48, 3)}
    assert len({frame.tobytes() for frame in frames}) == 15
    cells = landscapes(6, 16, 9)
    for row, column in np.ndindex(2, 3):
        shown = frames[0][9 * row : 9 * row + 9, 16 * column : 16 * column + 16].astype(int)
        apart = [np.abs(shown - cell).mean() for cell in cells]  # by the grain, or as pictures
        assert np.argmin(apart) == 3 * row + column
        assert 0 < min(apart) < GRAIN


def test_what_runs_on_fewer_cores_gives_them_back() -> None:
    before = os.sched_getaffinity(0)
    with on_cores(1):
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before


def test_a_contender_that_cannot_run_says_why() -> None:
    with Peer("matrices", "abacus") as peer, pytest.raises(MultitrainError, match="abacus"):
        peer.wait_until_ready()
