"""What a sheet will make, by the settings that it depends on."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from rich.console import Console

from jobs.settings.videos import VIDEOS
from jobs.workspace.jobfile import JobFile
from multitrain.commands.estimate import Estimate, for_machines, table
from multitrain.farm.entries import Action, Entry
from multitrain.forecasts.forecasting import Forecast

MakeJob = Callable[..., JobFile]


def disk_bytes(job: JobFile) -> int:
    return Estimate.of(job).disk_bytes


def pixels(job: JobFile) -> int:
    return job.plan.frame_width * job.plan.frame_height * job.plan.frames_total


def test_six_crf_more_halve_a_film(tiny_job: MakeJob) -> None:
    assert disk_bytes(tiny_job(crf=17)) == pytest.approx(3 * 0.15 * pixels(tiny_job()), rel=1e-6)
    assert disk_bytes(tiny_job(crf=23)) == pytest.approx(disk_bytes(tiny_job()) / 2, abs=1)


@pytest.mark.parametrize(("name", "per_pixel"), [("prores-4444", 5), ("hap-alpha", 1)])
def test_films_with_alpha_know_no_crf(tiny_job: MakeJob, name: str, per_pixel: int) -> None:
    jobs = [tiny_job(format=name, colour_model="rgba", crf=crf) for crf in (0, 17, 51)]
    assert {disk_bytes(job) for job in jobs} == {3 * per_pixel * pixels(jobs[0])}


def test_exports_are_there_once(tiny_job: MakeJob) -> None:
    plain, more = tiny_job(), tiny_job(format="h264,hap,png,h264-intra")
    exports = (0.5 + 2 + 4 * 0.15) * pixels(plain)
    assert disk_bytes(more) == pytest.approx(disk_bytes(plain) + exports, abs=1)


def test_every_format_has_a_size(tiny_job: MakeJob) -> None:
    for name in VIDEOS:
        assert disk_bytes(tiny_job(format=f"h265,{name}")) > disk_bytes(tiny_job())


def test_png_frames_take_more_with_alpha(tiny_job: MakeJob) -> None:
    plain = tiny_job(render_video=False)
    clear = tiny_job(render_video=False, colour_model="rgba")
    assert disk_bytes(plain) == 2 * pixels(plain)
    assert disk_bytes(clear) == pytest.approx(disk_bytes(plain) * 4 / 3, abs=1)


def test_loops_have_sizes_of_their_own(tiny_job: MakeJob) -> None:
    loops = "pingpong(frames=8, scale=64x64, format=hap), walk(frames=9, grid=1x1, format=ffv1)"
    plain, more = tiny_job(), tiny_job(loops=loops)
    walk = 9 * plain.image_width * plain.image_height * 3.4
    expected = 8 * 64 * 64 * 0.5 + walk
    assert disk_bytes(more) == pytest.approx(disk_bytes(plain) + expected, abs=2)


def test_frames_steps_and_epochs_are_told_however_a_row_says_it(tiny_job: MakeJob) -> None:
    """Of 30 pictures, 6 of which are drawn in a step: 5 steps are an epoch."""
    ways = ({"video_length": 0.5}, {"steps": 900}, {"epochs": 180})
    jobs = [tiny_job(**{"video_length": None, **way}).replaced(picture_count=30) for way in ways]
    told = for_machines([Entry(job, Action.BEGIN) for job in jobs], [Forecast(60.0, 0.1)])
    assert {(each["frames"], each["steps"], each["epochs"]) for each in told} == {(1800, 900, 180)}
    assert [each["seconds"] for each in told] == [30.0] * 3
    assert [each["seconds_left"] for each in told] == [60.0, None, None]
    console = Console(file=io.StringIO(), width=200)
    console.print(table([Entry(job, Action.BEGIN) for job in jobs]))
    rows = re.findall(r" 1800 +900 +180 ", console.file.getvalue())
    assert len(rows) == 3


def test_jobs_that_are_done_are_told_so(tiny_job: MakeJob) -> None:
    def shown(*actions: Action) -> str:
        console = Console(file=io.StringIO(), width=200)
        console.print(table([Entry(tiny_job(name=each.name), each) for each in actions]))
        return console.file.getvalue()

    told = shown(Action.STAY, Action.BEGIN).splitlines()
    assert [line.split()[0] for line in told if line.rstrip().endswith("done")] == ["STAY"]
    assert "state" not in shown(Action.BEGIN)
