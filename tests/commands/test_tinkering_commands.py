"""`generate`, `mutate` and `compare` as a user calls them: what is said, which exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from jobs.settings.spec import JobSpec
from jobs.sheets.sheet import read_sheet
from jobs.workspace.jobfile import JobFile
from render.encoding import ffmpeg
from render.encoding.commands import encode_command

TEMPLATE = """\
defaults: {dataset: demo, grid_width: 2, grid_height: 2, video_length: 0.1}
jobs:
- {name: neon, learning_rate_g: {log_uniform: [1e-5, 1e-2]}}
"""


@pytest.fixture
def multitrain(workspace):
    """`multitrain(*arguments)` in the workspace: exit code, output, errors."""

    def call(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "multitrain", *arguments],
            cwd=workspace.root, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    return call


@pytest.fixture
def make_film(workspace):
    """`make_film(name, frames)`: a job with a grey film of 32x32 pixels."""

    def make(name, frames):
        columns = {"dataset": "demo", "grid_width": 1, "grid_height": 1, "snapshot": "step"}
        spec = JobSpec(name=name, video_length=frames / 3600, **columns)
        job = JobFile(spec=spec, image_width=32, image_height=32)
        paths = workspace.job(name)
        job.save(paths)
        workspace.renders.mkdir(exist_ok=True)
        raw = paths.run / "raw"
        raw.write_bytes(np.full(job.plan.frame_bytes * frames, 99, np.uint8).tobytes())
        command = encode_command(
            ffmpeg.find(), raw, job.plan, [paths.film()], crf=20, preset="ultrafast"
        )
        ffmpeg.run(command)

    return make


def test_generate_makes_a_sheet_that_check_passes(workspace, multitrain):
    (workspace.root / "t.yaml").write_text(TEMPLATE)
    call = ("generate", "t.yaml", "-o", "s.yaml", "--count", "3", "--seed", "7")
    assert multitrain(*call) == (0, "s.yaml: 3 jobs\n", "")
    text = (workspace.root / "s.yaml").read_text()
    assert text.startswith("# Made by: multitrain generate t.yaml --count 3 --seed 7\n")
    assert multitrain("check", "s.yaml")[0] == 0
    code, _, told = multitrain(*call)
    assert code == 2
    assert told == "s.yaml is there already; give another name, or --force to replace it\n"
    assert multitrain(*call, "--force")[0] == 0
    assert (workspace.root / "s.yaml").read_text() == text
    assert not workspace.runs.exists()


def test_generate_tells_mistakes_at_the_template_s_lines(workspace, multitrain):
    (workspace.root / "t.yaml").write_text(TEMPLATE.replace("1e-5, ", ""))
    assert multitrain("generate", "t.yaml", "-o", "s.yaml") == (
        2,
        "",
        "t.yaml:3: learning_rate_g: log_uniform needs its two bounds, "
        "such as {log_uniform: [1e-5, 1e-2]}\n",
    )
    code, _, told = multitrain("generate", "gone.yaml", "-o", "s.yaml")
    assert code == 2
    assert told.startswith("gone.yaml: there is no such sheet")
    assert not (workspace.root / "s.yaml").exists()


def test_what_a_sheet_is_made_from_is_never_replaced(workspace, multitrain):
    root = workspace.root
    (root / "t.yaml").write_text(TEMPLATE)
    (root / "s.yaml").write_text(TEMPLATE.replace("{log_uniform: [1e-5, 1e-2]}", "0.001"))
    (root / "link.yaml").symlink_to("s.yaml")
    before = [(root / name).read_text() for name in ("t.yaml", "s.yaml")]
    for output, call in {
        "t.yaml": ["generate", "t.yaml"],
        f"{root}/./t.yaml": ["generate", "t.yaml"],
        "s.yaml": ["mutate", "neon", "--count", "1", "--sheet", "s.yaml"],
        "link.yaml": ["mutate", "neon", "--count", "1", "--sheet", "s.yaml"],
    }.items():
        told = f"{Path(output)} is what this sheet is made from; give another name\n"
        assert multitrain(*call, "-o", output, "--force") == (2, "", told)
        assert multitrain(*call, "-o", output) == (2, "", told)
    assert [(root / name).read_text() for name in ("t.yaml", "s.yaml")] == before


def test_mutate_varies_a_job_of_a_sheet_or_one_that_ran(workspace, multitrain, make_film):
    (workspace.root / "s.yaml").write_text(TEMPLATE.replace("{log_uniform: [1e-5, 1e-2]}", "0.001"))
    call = ("mutate", "neon", "-o", "m.yaml", "--count", "4")
    code, _, told = multitrain(*call)
    assert (code, told.startswith("There is no job 'neon' in ")) == (2, True)
    assert multitrain(*call, "--sheet", "s.yaml") == (0, "m.yaml: 4 jobs\n", "")
    text = (workspace.root / "m.yaml").read_text()
    assert "--count 4 --seed 0 --strength 0.5 --sheet s.yaml\n" in text
    specs = [job.spec for job in read_sheet(workspace.root / "m.yaml", workspace).jobs]
    assert all(spec.name.startswith(f"neon-m0{n}-") for n, spec in enumerate(specs, 1))
    make_film("ran", 2)
    assert multitrain("mutate", "ran", "-o", "n.yaml", "--count", "2")[:2] == (
        0,
        "n.yaml: 2 jobs\n",
    )
    code, _, told = multitrain("mutate", "nein", "-o", "n.yaml", "--sheet", "s.yaml")
    assert (code, told) == (2, "There is no job 'nein' in s.yaml; did you mean 'neon'?\n")


def test_compare_makes_one_video_and_says_which_film_is_shorter(workspace, multitrain, make_film):
    make_film("long", 30)
    make_film("short", 12)
    assert multitrain("compare", "long", "short", "-o", "both.mp4") == (
        0,
        "both.mp4\n",
        "note: short ends 0.3 s early and holds its last frame\n",
    )
    with av.open(str(workspace.root / "both.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 30


def test_compare_makes_a_picture_of_the_last_frames(workspace, multitrain, make_film):
    make_film("one", 5)
    make_film("two", 9)
    code, out, _ = multitrain("compare", "one", "two", "-o", "sheet.png")
    assert (code, out) == (0, "sheet.png\n")
    multitrain("compare", "one", "two", "-o", "both.mp4")
    with av.open(str(workspace.root / "both.mp4")) as video:
        last = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)][-1]
    with Image.open(workspace.root / "sheet.png") as sheet:
        shown = np.asarray(sheet).astype(int)
    assert shown.shape == last.shape
    assert np.abs(shown - last).mean() < 5


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["a"], "a alone cannot be compared; name two jobs or more"),
        (["a", "a"], "a alone cannot be compared"),
        (["a", "b"], "There is no job 'b' in"),
        (["a", "a2"], "a2 has no film and no timecut in"),
        (["a", "a2", "-o", "c.gif"], "c.gif must end in .mp4"),
    ],
)
def test_compare_tells_what_it_cannot_show(workspace, multitrain, make_film, arguments, reason):
    make_film("a", 2)
    make_film("a2", 2)
    (workspace.renders / "a2.mp4").unlink()
    code, out, told = multitrain("compare", *arguments)
    assert (code, out, told.startswith(reason)) == (2, "", True), told
    assert told.count("\n") == 1
    assert not list(workspace.root.glob("*.mp4*"))


def test_these_commands_import_nothing_heavy(workspace):
    (workspace.root / "t.yaml").write_text(TEMPLATE)
    script = (
        "import sys\n"
        "from multitrain.commands.cli import commands\n"
        "commands(sys.argv[1:], standalone_mode=False)\n"
        "import render.clips.comparing\n"
        "heavy = {'tensorflow', 'keras', 'cv2', 'h5py', 'jax'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    for command in (["generate", "t.yaml"], ["mutate", "neon", "--sheet", "t1.yaml"]):
        (workspace.root / "t1.yaml").write_text(
            TEMPLATE.replace("{log_uniform: [1e-5, 1e-2]}", "1")
        )
        result = subprocess.run(
            [sys.executable, "-c", script, *command, "-o", f"{command[0]}.yaml"],
            cwd=workspace.root, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
