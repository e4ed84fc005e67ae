import os
import stat
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest

from jobs.errors import MultitrainError, ProgramFailed
from jobs.plans.plan import FramePlan
from jobs.plans.timing import Timing
from render.encoding import ffmpeg
from render.encoding.commands import encode_command


@pytest.fixture
def fresh_find():
    ffmpeg.find.cache_clear()
    yield ffmpeg.find
    ffmpeg.find.cache_clear()


def program(folder: Path, script: str) -> Path:
    """An executable called ffmpeg."""
    path = folder / "ffmpeg"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_the_one_on_path_is_used_if_it_encodes(tmp_path, monkeypatch, fresh_find):
    own = program(tmp_path, f'exec "{ffmpeg.find()}" "$@"')
    ffmpeg.find.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert fresh_find() == str(own)


@pytest.mark.parametrize("script", ["exit 0", "echo unknown encoder libx264 >&2; exit 1"])
def test_one_that_cannot_encode_is_passed_over(tmp_path, monkeypatch, fresh_find, script):
    program(tmp_path, script)
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert "imageio_ffmpeg" in fresh_find()


def test_one_that_makes_8_bits_of_more_is_passed_over(tmp_path, monkeypatch, fresh_find):
    """As FFmpeg 6 and older did with an x265 of 8 bits, with no more than a warning."""
    eight = 'for each; do shift; set -- "$@" "${each%10le}"; done'
    own = program(tmp_path, f'{eight}\nexec "{ffmpeg.find()}" "$@"')
    ffmpeg.find.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert fresh_find("h265") == str(own)
    assert "imageio_ffmpeg" in fresh_find("h265-10bit")
    with pytest.raises(ProgramFailed, match="makes yuv420p, of 8 bits"):
        ffmpeg.try_out(str(own), "h265-10bit")


def test_one_that_hangs_is_given_up_after_seconds_and_once(tmp_path, monkeypatch, fresh_find):
    assert ffmpeg.FIRST_SECONDS <= 10
    asked = tmp_path / "asked"
    program(tmp_path, f'echo x >> "{asked}"; exec sleep 600')
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(ffmpeg, "FIRST_SECONDS", 0.5)
    monkeypatch.setattr(ffmpeg, "_HANGING", set())
    assert "imageio_ffmpeg" in fresh_find("h264")
    assert "imageio_ffmpeg" in fresh_find("gif")
    assert asked.read_text() == "x\n"


def test_a_failed_look_at_the_bundled_one_is_not_remembered(monkeypatch, tmp_path, fresh_find):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE", raising=False)
    imageio_ffmpeg._utils._get_ffmpeg_exe.cache_clear()  # as in a process that has just begun
    with monkeypatch.context() as killed:
        killed.setattr(ffmpeg, "try_out", raiser(ProgramFailed(["ffmpeg"], -9, "")))
        killed.setattr(
            subprocess, "check_call", raiser(subprocess.CalledProcessError(-9, "ffmpeg"))
        )
        with pytest.raises(MultitrainError):
            fresh_find()
    assert "imageio_ffmpeg" in fresh_find()


def raiser(error):
    def fail(*_, **__):
        raise error

    return fail


@pytest.mark.skipif(sys.platform != "linux", reason="files in memory")
def test_a_trial_that_is_killed_leaves_no_file(tmp_path, monkeypatch):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    script = f'ls "{temporary}" > "{tmp_path}/seen"; exec "{ffmpeg.find()}" "$@"'
    ffmpeg.try_out(str(program(tmp_path, script)))
    assert (tmp_path / "seen").read_text() == ""


def test_none_at_all_is_told_with_advice(tmp_path, monkeypatch, fresh_find):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program(tmp_path, "echo broken; exit 3")))
    with pytest.raises(MultitrainError, match=r"pip install .* imageio-ffmpeg.*: broken"):
        fresh_find()


def test_a_failure_is_told_whole():
    script = "print('x' * 99999, flush=True); raise SystemExit('the end')"
    with pytest.raises(ProgramFailed) as caught:
        ffmpeg.run([sys.executable, "-c", script])
    failure = caught.value
    assert failure.returncode == 1
    assert str(failure).endswith("ended with code 1: the end")
    assert failure.command[0] == sys.executable
    assert len(failure.said) <= ffmpeg.SAID_BYTES


def test_a_program_that_says_much_does_not_block():
    ffmpeg.run([sys.executable, "-c", "print('x' * 2**20)"], timeout=30)


def test_a_program_that_is_not_there():
    with pytest.raises(ProgramFailed, match=r"did not start: .*No such file"):
        ffmpeg.run(["/no/such/program"])


def test_a_program_that_hangs_is_ended():
    with pytest.raises(ProgramFailed, match=r"did not end within 0\.1 seconds"):
        ffmpeg.run(["sleep", "60"], timeout=0.1)


def test_a_program_gets_no_input():
    reading, writing = os.pipe()
    os.write(writing, b"job names meant for the worker")
    own = os.dup(0)
    os.dup2(reading, 0)
    try:
        script = "import sys; sys.exit(len(sys.stdin.read(1)))"
        ffmpeg.run([sys.executable, "-c", script], timeout=30)
    finally:
        os.dup2(own, 0)
        for descriptor in (reading, writing, own):
            os.close(descriptor)


def test_priority_is_lowered_for_the_thread_and_its_programs_only():
    expected = max(os.getpriority(os.PRIO_PROCESS, 0), ffmpeg.NICENESS)
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    script = f"import os, sys; sys.exit(os.getpriority(os.PRIO_PROCESS, 0) != {expected})"
    with ThreadPoolExecutor(1, initializer=ffmpeg.lower_priority) as executor:
        executor.submit(ffmpeg.run, [sys.executable, "-c", script]).result()
    assert os.getpriority(os.PRIO_PROCESS, 0) == mine


def test_version_is_a_line():
    assert ffmpeg.version().startswith("ffmpeg version ")


COLOURS = np.array(
    [[128, 128, 128], [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0]], np.uint8
)


@pytest.mark.parametrize(("width", "height"), [(32, 16), (33, 17), (1, 1), (2, 3)])
def test_colours_come_back_and_are_tagged(tmp_path, width, height):
    plan = FramePlan(width, height, width, height, 60, len(COLOURS), Timing(), len(COLOURS))
    raw, film = tmp_path / "a.rgb", tmp_path / "a.mp4"
    np.broadcast_to(COLOURS[:, None, None], (len(COLOURS), height, width, 3)).tofile(raw)
    ffmpeg.run(encode_command(ffmpeg.find(), raw, plan, [film], crf=17, preset="medium"))
    with av.open(str(film)) as container:
        context = container.streams.video[0].codec_context
        assert (context.width, context.height) == (width + width % 2, height + height % 2)
        assert context.profile == "High"
        bt709, limited = 1, 1  # ITU-T H.273
        tags = (context.colorspace, context.color_primaries, context.color_trc)
        assert tags == (bt709, bt709, bt709)
        assert context.color_range == limited
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    for found, colour in zip(decoded, COLOURS, strict=True):
        assert np.abs(found.astype(int) - colour).max() <= 3


def test_odd_sizes_repeat_the_last_column_and_row(tmp_path):
    plan = FramePlan(17, 17, 17, 17, 60, 1, Timing(), 1)
    raw, film = tmp_path / "a.rgb", tmp_path / "a.mp4"
    frame = np.zeros((17, 17, 3), np.uint8)
    frame[:, 16:] = frame[16:, :] = 255
    frame.tofile(raw)
    ffmpeg.run(encode_command(ffmpeg.find(), raw, plan, [film], crf=0, preset="medium"))
    with av.open(str(film)) as container:
        grey = next(container.decode(video=0)).to_ndarray(format="gray")
    assert grey.shape == (18, 18)
    assert (grey[:16, :16] < 8).all()
    assert (grey[:, 16:] > 247).all()
    assert (grey[16:, :] > 247).all()


def test_one_that_is_killed_while_it_is_asked_is_asked_again(monkeypatch):
    """A night must not be refused for that."""
    asked = []

    def try_out(program, name, seconds, *, real=ffmpeg.try_out):
        asked.append(program)
        if len(asked) < ffmpeg.ASKED:
            raise ProgramFailed([program], -9, "")
        real(program, name, seconds)

    monkeypatch.setattr(ffmpeg, "try_out", try_out)
    ffmpeg.find.cache_clear()
    assert ffmpeg.find("h264") == asked[0]
    assert asked == [asked[0]] * ffmpeg.ASKED


def test_one_that_is_always_killed_is_told(monkeypatch):
    def try_out(program, name, seconds):
        raise ProgramFailed([program], -9, "")

    monkeypatch.setattr(ffmpeg, "try_out", try_out)
    ffmpeg.find.cache_clear()
    with pytest.raises(MultitrainError, match="ended with code -9"):
        ffmpeg.find("h264")
