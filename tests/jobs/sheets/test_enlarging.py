"""Loops that another job's network enlarges: which job that may be."""

from __future__ import annotations

import pytest

from jobs.errors import SheetError
from jobs.settings.loops import Loop
from jobs.sheets.enlarging import enlarging_mistakes
from jobs.sheets.sequence import sequence_mistakes
from jobs.sheets.sheet import read_sheet
from jobs.workspace.jobfile import JobFile
from jobs.workspace.outputs import LoopFile, is_drawn_by_trainer
from jobs.workspace.paths import CheckpointName, Workspace
from tests.farm.simulation import make_job


def sharp(**columns: str) -> JobFile:
    return make_job("sharp", family="superres", scale="4", **columns)


def told(workspace: Workspace, *jobs: JobFile) -> str:
    """What is wrong with the last one's loops."""
    return enlarging_mistakes(jobs, workspace)[-1].get("loops", "")


def larger(name: str, loop: str = "pingpong(frames=4,scale_with=%s)") -> JobFile:
    return make_job("night", loops=loop % name)


def test_a_superres_above_it_or_one_that_has_learnt_will_do(workspace: Workspace) -> None:
    assert told(workspace, sharp(), larger("sharp")) == ""
    assert "sharp' here" in told(workspace, larger("sharp"))
    paths = workspace.job("sharp")
    sharp().save(paths)
    assert "has no checkpoint; put it above" in told(workspace, larger("sharp"))
    paths.checkpoints.mkdir(parents=True)
    paths.checkpoint(CheckpointName(1, 1)).touch()
    assert told(workspace, larger("sharp")) == ""


def test_others_are_told(workspace: Workspace) -> None:
    card = make_job("card")
    for jobs, words in (
        ([card, larger("card")], "loop 1, pingpong: scale_with: card is a dcgan, which enlarges"),
        ([sharp(use_checkpoints="False"), larger("sharp")], "'sharp' keeps no checkpoint"),
        ([sharp(), larger("sharo")], "there is no job 'sharo' here; did you mean 'sharp'?"),
        ([larger("night")], "a job cannot wait for its own network"),
        (
            [sharp(), larger("sharp", "pingpong(frames=4,scale=9000x100,scale_with=%s)")],
            "36000x400",
        ),
    ):
        assert words in told(workspace, *jobs), words
    first, _ = enlarging_mistakes([larger("sharp"), sharp()], workspace)
    assert "'sharp' stands further down in this sheet; move it up" in first["loops"]


def test_it_waits_for_that_job_and_circles_are_told(workspace: Workspace) -> None:
    circle = [sharp(after="night"), larger("sharp")]
    first, _ = sequence_mistakes(circle, workspace)
    assert "these jobs wait for each other" in first["after"]


def test_check_tells_the_line(workspace: Workspace) -> None:
    sheet = workspace.root / "a.csv"
    sheet.write_text(
        'name,family,dataset,steps,loops\na,testcard,demo,9,"pingpong(frames=4,scale_with=b)"\n'
    )
    with pytest.raises(SheetError) as error:
        read_sheet(sheet, workspace)
    assert "a.csv:2: loops: loop 1, pingpong: scale_with: there is no job 'b'" in str(error.value)


def test_the_trainer_makes_what_a_network_enlarges() -> None:
    plain, large = (Loop.parse(f"best(frames=9{more})") for more in ("", ",scale_with=sharp"))
    assert [is_drawn_by_trainer(LoopFile(1, None, each)) for each in (plain, large)] == [
        False,
        True,
    ]
    with pytest.raises(ValueError, match="scale_with must be the name of a job, of letters"):
        Loop.parse("best(scale_with=a;b)")
