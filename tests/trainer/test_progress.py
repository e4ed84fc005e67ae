from __future__ import annotations

import json

import pytest

from jobs.workspace.paths import JobPaths
from multitrain.trainer.progress import ProgressLog


@pytest.fixture
def progress(paths: JobPaths) -> ProgressLog:
    paths.run.mkdir(parents=True)
    return ProgressLog(paths, wall=lambda: 1000.5)


def lines(paths: JobPaths) -> list[dict[str, object]]:
    return [json.loads(line) for line in paths.progress.read_text().splitlines()]


def test_a_block_is_a_line(paths: JobPaths, progress: ProgressLog) -> None:
    progress.tell(3, 6, 12.34567, {})

    assert lines(paths) == [
        {"time": 1000.5, "step": 3, "frame": 6, "steps_per_second": 12.346, "losses": {}}
    ]


def test_going_back_drops_what_is_done_again_and_what_is_broken(
    paths: JobPaths, progress: ProgressLog
) -> None:
    for step in (1, 2, 3):
        progress.tell(step, 2 * step, 1.0, {})
    with paths.progress.open("a") as file:
        file.write('{"step": 2, "fra')

    progress.rewind(2)
    progress.tell(3, 6, 1.0, {})

    assert [line["step"] for line in lines(paths)] == [1, 2, 3]


@pytest.mark.parametrize(
    "damage",
    [
        b"\xff\xfe\x80",
        bytes(512),
        b'{"time": 1.5, "step": null, "frame": 2}',
        b'{"time": 1.5, "step": "1", "frame": 2}',
        b'{"step": 1, "frame": 2}',
        b"[1, 2]",
        b"7",
        b"[" * 100_000,
        b'{"time": 1.5, "step": ' + b"9" * 5000 + b', "frame": 2}',
        '{"time": 1.5, "step": 1, "frame": 2}'.encode("utf-16"),
        b"",
    ],
    ids=lambda damage: repr(damage[:40]),
)
def test_a_damaged_line_is_dropped_and_nothing_else(
    paths: JobPaths, progress: ProgressLog, damage: bytes
) -> None:
    progress.tell(1, 2, 1.0, {})
    with paths.progress.open("ab") as file:
        file.write(damage + b"\n")
    progress.tell(2, 4, 1.0, {})

    progress.rewind(2)

    assert [line["step"] for line in lines(paths)] == [1, 2]


def test_a_complete_job_says_so_once(paths: JobPaths, progress: ProgressLog) -> None:
    progress.tell(4, 8, 1.0, {})
    progress.tell_complete(5, 10)
    ProgressLog(paths).tell_complete(5, 10)

    assert [line["frame"] for line in lines(paths)] == [8, 10]


def test_losses_are_drawn_by_tensorboard(paths: JobPaths, progress: ProgressLog) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    progress.tell(3, 6, 2.0, {"d": 0.5, "g": 1.5})
    progress.close()

    events = EventAccumulator(str(paths.tensorboard)).Reload()
    tags = events.Tags()["tensors"]
    assert sorted(tags) == ["loss/d", "loss/g", "steps_per_second"]
    assert [event.step for event in events.Tensors("loss/g")] == [3]
