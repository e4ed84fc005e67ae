"""The command lines, compared with tests/golden/*.txt, one argument a line.

To refresh them after a change that is meant, run

    REFRESH_GOLDEN=1 .venv/bin/pytest tests/render/test_commands.py

and look at the difference before it is committed.
"""

import os
from pathlib import Path
from typing import get_args

import pytest

from jobs.plan import FramePlan
from jobs.spec import JobSpec
from render.commands import (
    concat_list,
    encode_again_command,
    encode_command,
    image_pattern,
    images_command,
    join_command,
)
from render.formats import NVENC_PRESETS, shown_side

GOLDEN = Path(__file__).parents[1] / "golden"
BATCH = Path("/w/runs/job/spool/000000120-000000240.rgb")


def plan(width, height, box_width=None, box_height=None, **more):
    return FramePlan(
        frame_width=width,
        frame_height=height,
        box_width=box_width or width,
        box_height=box_height or height,
        fps=60,
        frames_total=600,
        frames_per_step=2,
        cut_frames=240,
        **more,
    )


def outputs(a_plan):
    numbers = range(1, len(a_plan.boxes) + 1)
    return [Path(f"/w/segments/{number}{a_plan.suffix}.part") for number in numbers]


def encode(a_plan, crf=17, **encoder):
    return encode_command(
        "ffmpeg", BATCH, a_plan, outputs(a_plan), crf=crf, preset="medium", **encoder
    )


RGBA_MOV = {"channels": 4, "suffix": ".mov"}

COMMANDS = {
    "encode_whole": encode(plan(1920, 1080)),
    "encode_odd": encode(plan(91, 51)),
    "encode_boxes": encode(plan(182, 51, 91, 51)),
    "encode_nvenc": encode(plan(1920, 1080), encoder="nvenc"),
    "encode_nvenc_lossless": encode(plan(1920, 1080), crf=0, encoder="nvenc"),
    "encode_over_black": encode(plan(91, 51, channels=4)),
    "encode_prores": encode(plan(91, 51, **RGBA_MOV), encoder="prores-4444"),
    "encode_hap": encode(plan(128, 64, 64, 64, **RGBA_MOV), encoder="hap-alpha"),
    "encode_again": encode_again_command(
        "ffmpeg",
        Path("/w/segments/1.mp4"),
        plan(1920, 1080),
        Path("/w/segments/1.mp4.part"),
        crf=17,
        preset="medium",
    ),
    "images_whole": images_command(
        "ffmpeg", BATCH, plan(91, 51), 120, [image_pattern(Path("/w/50%"), "frame_")]
    ),
    "images_rgba": images_command(
        "ffmpeg", BATCH, plan(91, 51, channels=4), 120, [image_pattern(Path("/w"), "frame_")]
    ),
    "images_boxes": images_command(
        "ffmpeg",
        BATCH,
        plan(182, 51, 91, 51),
        120,
        [image_pattern(Path("/w"), f"box{box:04d}_frame_") for box in (1, 2)],
    ),
    "join": join_command("ffmpeg", Path("/tmp/list"), Path("/w/job.mp4.part"), 25, ".mp4"),
    "join_mov": join_command("ffmpeg", Path("/tmp/list"), Path("/w/job.mov.part"), 25, ".mov"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_the_golden_one(name):
    golden = GOLDEN / f"{name}.txt"
    text = "\n".join(COMMANDS[name]) + "\n"
    if os.environ.get("REFRESH_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_threads_are_shared_between_boxes_and_never_none():
    commands = [encode(plan(64, 16, 64 // boxes, 16)) for boxes in (1, 2, 8)]
    threads = [command[command.index("-threads") + 1] for command in commands]
    assert threads == ["4", "2", "1"]


def test_every_preset_has_one_of_nvenc_and_slower_is_no_faster():
    presets = get_args(JobSpec.model_fields["preset"].annotation)
    assert tuple(NVENC_PRESETS) == presets
    assert sorted(NVENC_PRESETS.values()) == list(NVENC_PRESETS.values())


def test_concat_list_quotes_what_a_folder_may_be_called():
    text = concat_list([Path('/it\'s 50 % "x" \\ #1/été.mp4')])
    assert text == "ffconcat version 1.0\nfile '/it'\\''s 50 % \"x\" \\ #1/été.mp4'\n"


def test_a_relative_path_is_no_protocol():
    assert concat_list([Path("a:b.mp4")]).splitlines()[1] == f"file '{Path.cwd()}/a:b.mp4'"


@pytest.mark.parametrize(
    ("encoder", "pixels", "side"),
    [("x264", 1, 2), ("nvenc", 2, 2), ("x264", 51, 52), ("prores-4444", 51, 51)],
)
def test_the_side_of_a_video(encoder, pixels, side):
    assert shown_side(encoder, pixels) == side
