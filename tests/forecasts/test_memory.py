"""What a job needs of a GPU's memory, by earlier ones like it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jobs.workspace.jobfile import JobFile
from multitrain.forecasts.memory import MARGIN, memory_of, picture_bytes
from multitrain.forecasts.speeds import Cost, Speed, add_speeds, read_speeds
from tests.serving.stage import GIB, a_job

JOB = a_job("night").replaced(picture_count=1000)


def seen(job: JobFile, memory: int, device: str = "H200") -> Speed:
    return Speed(device, Cost.of(job), 100, 0.1, 5.0, None, memory, picture_bytes(job))


@pytest.mark.parametrize(
    ("other", "counts"),
    [
        (JOB, True),
        (JOB.replaced(picture_count=900), True),
        (JOB.replaced(picture_count=500), False),
        (JOB.replaced(picture_count=0), True),
        (JOB.replaced(spec=JOB.spec.model_copy(update={"batch_size": 7})), False),
        (JOB.replaced(spec=JOB.spec.model_copy(update={"engine": "jax"})), False),
    ],
)
def test_it_is_told_by_jobs_like_it(other: JobFile, counts: bool) -> None:
    assert bool(memory_of(JOB, "H200", [seen(other, GIB)])) == counts


def test_the_most_counts_and_only_on_such_a_gpu() -> None:
    speeds = [seen(JOB, size * GIB) for size in (2, 5, 3, 0)]
    assert memory_of(JOB, "H200", speeds) == int(5 * GIB * MARGIN)
    assert memory_of(JOB, "RTX", speeds) is None
    assert memory_of(JOB, "H200", [replace(speeds[0], memory=0)]) is None


def test_it_is_kept_beside_speeds_and_lines_of_before_are_read(tmp_path) -> None:
    path = tmp_path / "speeds.jsonl"
    add_speeds(path, [seen(JOB, GIB)])
    with path.open("a") as file:
        file.write(path.read_text().replace(f', "memory": {GIB}', "").replace("0.1", "0.2"))
        file.write(path.read_text().replace(f'"memory": {GIB}', '"memory": "much"'))
    assert [speed.memory for speed in read_speeds(path)] == [GIB, 0]
