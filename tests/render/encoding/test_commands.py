"""The command lines, compared with tests/golden/*.txt, one argument a line.

To refresh them after a change that is meant, run

    REFRESH_GOLDEN=1 .venv/bin/pytest tests/render/test_commands.py

and look at the difference before it is committed.
"""

import os
from fractions import Fraction
from pathlib import Path
from typing import get_args

import pytest

from jobs.plans.plan import FramePlan
from jobs.plans.timing import Timing
from jobs.settings.spec import JobSpec
from render.clips.exporting import export_command
from render.encoding.commands import (
    calls,
    concat_list,
    encode_again_command,
    encode_command,
    images_command,
    join_command,
)
from render.encoding.containers import image_pattern
from render.encoding.formats import NVENC_PRESETS, Quality, pixels_from_video, shown_size
from render.encoding.pixels import Source

GOLDEN = Path(__file__).parents[2] / "golden"
BATCH = Path("/w/runs/job/spool/000000120-000000240.rgb")


def plan(width, height, box_width=None, box_height=None, **more):
    return FramePlan(
        frame_width=width,
        frame_height=height,
        box_width=box_width or width,
        box_height=box_height or height,
        fps=60,
        frames_total=600,
        timing=Timing(frames_per_step=2),
        cut_frames=240,
        **more,
    )


def outputs(a_plan):
    numbers = range(1, len(a_plan.boxes) + 1)
    return [Path(f"/w/segments/{number}{a_plan.suffix}.part") for number in numbers]


def encode(a_plan, crf=17, **more):
    return encode_command(
        "ffmpeg", BATCH, a_plan, outputs(a_plan), crf=crf, preset="medium", **more
    )


OPAQUE = Source(has_alpha=False, matrix="bt709", range="tv")


def export(name, fps, source=OPAQUE):
    return export_command(
        "ffmpeg",
        ["-i", "/w/night.mp4"],
        pixels_from_video(name, 91, 51, source),
        name,
        fps,
        Quality(),
        Path("/tmp/progress"),
        Path("/w/night.part"),
    )


RGBA_MOV = {"channels": 4, "suffix": ".mov"}

COMMANDS = {
    "encode_whole": encode(plan(1920, 1080)),
    "encode_odd": encode(plan(91, 51)),
    "encode_boxes": encode(plan(182, 51, 91, 51)),
    "encode_nvenc": encode(plan(1920, 1080), name="h264-nvenc"),
    "encode_nvenc_lossless": encode(plan(1920, 1080), crf=0, name="h264-nvenc"),
    "encode_over_black": encode(plan(91, 51, channels=4)),
    "encode_prores": encode(plan(91, 51, **RGBA_MOV), name="prores-4444"),
    "encode_hap": encode(plan(128, 64, 64, 64, **RGBA_MOV), name="hap-alpha"),
    "encode_again": encode_again_command(
        "ffmpeg",
        Path("/w/segments/1.mp4"),
        plan(1920, 1080),
        Path("/w/segments/1.mp4.part"),
        crf=17,
        preset="medium",
    ),
    "encode_intra": encode(plan(1920, 1080), name="h264-intra"),
    "encode_h265": encode(plan(1920, 1080), name="h265"),
    "encode_h265_10bit": encode(plan(1920, 1080), name="h265-10bit"),
    "encode_h265_nvenc": encode(plan(1920, 1080), name="h265-nvenc"),
    "encode_hap_q": encode(plan(91, 51, suffix=".mov"), name="hap-q"),
    "encode_dxv": encode(plan(1920, 1080, suffix=".mov"), name="dxv"),
    "encode_prores_422": encode(plan(1920, 1080, suffix=".mov"), name="prores"),
    "encode_ffv1": encode(plan(91, 51, **RGBA_MOV), name="ffv1"),
    "encode_again_h265": encode_again_command(
        "ffmpeg",
        Path("/w/segments/1.mp4"),
        plan(1920, 1080),
        Path("/w/segments/1.mp4.part"),
        crf=17,
        preset="medium",
        name="h265",
    ),
    "export_gif": export("gif", 60),
    "export_png": export("png", 60),
    "export_dpx": export("dpx", 60),
    "export_dpx_deep": export("dpx", 60, OPAQUE._replace(is_deep=True)),
    "export_webm": export("webm", Fraction(30000, 1001), Source(has_alpha=True, matrix="bt709")),
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


@pytest.mark.parametrize("name", ["h264", "prores-4444", "png"])
def test_no_command_is_longer_than_a_system_takes(name):
    """Linux: 128 KiB an argument, and 2 MiB all of them with the environment."""
    a_plan = plan(16 * 101, 16 * 99, 16, 16)
    folder = Path("/", *["a folder with a long name" * 10] * 15)  # as long as a path may be
    if name == "png":
        patterns = [image_pattern(folder, f"box{n:04d}_") for n in range(1, len(a_plan.boxes) + 1)]
        commands = [
            images_command("ffmpeg", BATCH, a_plan, 0, files, boxes=boxes)
            for boxes, files in calls(a_plan, patterns)
        ]
    else:
        files_of_all = [folder / f"{n:04d}.mp4" for n in range(len(a_plan.boxes))]
        commands = [
            encode_command(
                "ffmpeg", BATCH, a_plan, files, crf=17, preset="medium", name=name, boxes=boxes
            )
            for boxes, files in calls(a_plan, files_of_all)
        ]
    assert sum(command.count("-map") for command in commands) == 9_999
    for command in commands:
        assert max(len(os.fsencode(each)) for each in command) < 128 * 1024
        assert sum(len(os.fsencode(each)) + 1 for each in command) < 1024 * 1024


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
    ("name", "size", "shown"),
    [
        ("h264", (1, 51), (2, 52)),
        ("h265", (1, 51), (16, 52)),
        ("hap", (1920, 1081), (1920, 1084)),
        ("dxv", (1366, 766), (1376, 768)),
        ("prores-4444", (51, 1), (51, 1)),
    ],
)
def test_the_size_of_a_video(name, size, shown):
    assert shown_size(name, *size) == shown
