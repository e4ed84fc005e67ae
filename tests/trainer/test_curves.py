from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from jobs.workspace.paths import JobPaths
from multitrain.trainer.curves import Curves


def points(paths: JobPaths) -> dict[str, list[int]]:
    """The steps of each curve, as TensorBoard reads them."""
    events = EventAccumulator(str(paths.tensorboard)).Reload()
    return {tag: [event.step for event in events.Tensors(tag)] for tag in events.Tags()["tensors"]}


def test_tensorboard_reads_each_point_at_once(paths: JobPaths) -> None:
    curves = Curves(paths)
    curves.draw(1000.5, 3, {"loss/d": 0.5, "loss/g": 1.5})
    curves.draw(1001.5, 5, {"loss/d": 0.25, "loss/g": 1.5})

    assert points(paths) == {"loss/d": [3, 5], "loss/g": [3, 5]}
    events = EventAccumulator(str(paths.tensorboard)).Reload()
    second = events.Tensors("loss/d")[1]
    assert (second.wall_time, second.tensor_proto.float_val[0]) == (1001.5, 0.25)
    curves.close()


def test_without_points_there_is_no_file(paths: JobPaths) -> None:
    Curves(paths).close()

    assert not paths.tensorboard.exists()


def test_the_next_start_goes_on_in_a_file_of_its_own(paths: JobPaths) -> None:
    for time, step in ((1000.0, 3), (1001.0, 4)):
        curves = Curves(paths)
        curves.draw(time, step, {"loss/d": 0.5})
        curves.close()

    assert len(list(paths.tensorboard.iterdir())) == 2
    assert points(paths) == {"loss/d": [3, 4]}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told_once_and_ends_them(
    paths: JobPaths, caplog: pytest.LogCaptureFixture
) -> None:
    paths.tensorboard.mkdir(parents=True)
    file = paths.tensorboard / f"events.out.tfevents.0000001000.{os.getpid()}"
    file.symlink_to("/dev/full")
    curves = Curves(paths)

    with caplog.at_level(logging.WARNING):
        for step in (1, 2, 3):
            curves.draw(1000.0, step, {"loss/d": 0.5})
        curves.close()

    assert caplog.text.count("no more curves for TensorBoard until the next start") == 1
    assert "No space left" in caplog.text


def test_a_disk_that_is_full_later_leaves_what_was_drawn(paths: JobPaths) -> None:
    curves = Curves(paths)
    curves.draw(1000.0, 1, {"loss/d": 0.5})
    file = curves._records._writer
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, file.fileno())
    os.close(full)

    curves.draw(1001.0, 2, {"loss/d": 0.5})
    curves.draw(1002.0, 3, {"loss/d": 0.5})
    curves.close()

    assert file.closed
    assert points(paths) == {"loss/d": [1]}
