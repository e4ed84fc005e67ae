from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from jobs.workspace.jobfile import JobFile
from multitrain.engine.session import SessionSettings
from multitrain.families.testcard.session import Blocks, open_session, read_number

MakeJob = Callable[..., JobFile]
NUMBERS = (0, 1, 2, 1000, 2**24 + 1)


def card_of(job: JobFile):
    return open_session(job, {}, SessionSettings())


@pytest.mark.parametrize(("width", "height"), [(160, 90), (16, 12), (97, 55), (8, 5), (300, 20)])
def test_every_cell_shows_the_number(tiny_job: MakeJob, width: int, height: int) -> None:
    card = card_of(tiny_job(width, height, video_length=1440, fps=240))

    assert [read_number(card.draw(number), width, height) for number in NUMBERS] == list(NUMBERS)
    box = card.draw(77)[height:, width:]
    assert read_number(box, width, height) == 77


def test_frames_are_numbered_through_all_steps(tiny_job: MakeJob) -> None:
    card = card_of(tiny_job(40, 30))

    frames = [*card.run(2).frames, *card.run(1).frames]

    assert [read_number(frame, 40, 30) for frame in frames] == [0, 1, 2, 3, 4, 5]


def test_noise_as_from_a_codec_does_not_change_the_number(tiny_job: MakeJob) -> None:
    frame = card_of(tiny_job(64, 48)).draw(12345)
    noise = np.random.default_rng(0).normal(0, 40, frame.shape)

    damaged = np.clip(frame + noise, 0, 255).astype(np.uint8)

    assert read_number(damaged, 64, 48) == 12345


def test_the_number_is_opaque_and_the_rest_a_wave_of_alpha(tiny_job: MakeJob) -> None:
    job = tiny_job(64, 48, colour_model="rgba")
    frames = card_of(job).run(3).frames
    assert frames.shape == (6, job.plan.frame_height, job.plan.frame_width, 4)
    over_black = [frame[..., :3] * (frame[..., 3:] / 255) for frame in frames]
    assert [read_number(frame, 64, 48) for frame in over_black] == [0, 1, 2, 3, 4, 5]
    alpha = frames[..., 3]
    assert alpha.min() < 60
    assert alpha.max() == 255
    assert (alpha[0] != alpha[5]).mean() > 0.4


def test_cells_that_disagree_are_an_error(tiny_job: MakeJob) -> None:
    card = card_of(tiny_job(40, 30))
    mixed = np.concatenate([card.draw(1)[:30], card.draw(2)[:30]])

    with pytest.raises(ValueError, match="different numbers"):
        read_number(mixed, 40, 30)


def test_cells_differ_and_move(tiny_job: MakeJob) -> None:
    card = card_of(tiny_job(40, 30))
    frame = card.draw(5)

    assert (frame[:5, :40] != frame[:5, 40:80]).any()
    assert (frame[:5] != card.draw(6)[:5]).any()


def test_blocks_take_a_third_of_the_height_at_most_where_they_can() -> None:
    for width, height in [(160, 90), (1920, 1080), (96, 54)]:
        blocks = Blocks.fitting(width, height)
        assert blocks.side >= 6
        assert blocks.height <= height / 3
        assert blocks.columns * blocks.side <= width


def test_tiny_cells_show_the_lowest_bits(tiny_job: MakeJob) -> None:
    assert read_number(card_of(tiny_job(2, 2)).draw(0b110101), 2, 2) == 0b0101


def test_a_long_block_holds_every_frame(tiny_job: MakeJob) -> None:
    job = tiny_job(32, 24)

    frames = card_of(job).run(250).frames

    assert [read_number(frame, 32, 24) for frame in frames] == list(range(len(frames)))
    assert len(frames) == 250 * job.plan.timing.frames_per_step


def test_it_needs_no_tensorflow() -> None:
    code = "import multitrain.families.testcard.session, sys; sys.exit('tensorflow' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
