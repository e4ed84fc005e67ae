"""`multitrain export` and `multitrain formats`, as people call them."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jobs.errors import MultitrainError, UsageError
from jobs.settings.videos import VIDEOS
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.commands.clips import export, formats
from render.clips import exporting
from render.encoding import ffmpeg

MakeJob = Callable[..., JobFile]


def call(*arguments: object) -> Result:
    return CliRunner().invoke(export.command, list(map(str, arguments)))


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """18x14, which hap does not take."""
    path = tmp_path / "night.mkv"
    command = [ffmpeg.find(), "-f", "lavfi", "-i", "testsrc2=s=18x14:r=60:d=0.2"]
    ffmpeg.run([*command, "-pix_fmt", "yuv444p", str(path)])
    return path


def test_exports_stand_beside_the_film(film: Path) -> None:
    result = call(film, "--format", "hap, gif,hap")
    assert result.exit_code == 0
    assert result.stdout.split() == [str(film.with_name(n)) for n in ("night.hap.mov", "night.gif")]
    assert result.stderr.splitlines() == [
        f"note: {film}: the film becomes 20x16: hap takes multiples of 4",
        f"note: {film}: frames are left out: gif shows at most 50 a second, not 60",
    ]
    assert all(Path(line).stat().st_size for line in result.stdout.split())


def test_to_another_folder(film: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tonight" / "show"
    assert call(film, "--format", "png", "-o", folder).exit_code == 0
    assert len(list((folder / "night.png").iterdir())) == 12


@pytest.mark.parametrize("name", ["hap", "webm", "gif", "png", "dpx", "ffv1", "h265-10bit"])
def test_an_export_that_is_there_is_passed_over_and_named(film: Path, name: str) -> None:
    [there] = call(film, "--format", name).stdout.split()
    made = Path(there).stat().st_mtime_ns
    result = call(film, "--format", name)
    assert result.exit_code == 0
    assert f"{there} is there already; --force replaces it" in result.stderr
    assert result.stdout == ""
    assert Path(there).stat().st_mtime_ns == made


@pytest.mark.parametrize("name", ["hap", "webm", "gif", "png", "dpx", "ffv1", "h265-10bit"])
def test_an_export_of_another_film_is_not_taken_for_one_of_this(film: Path, name: str) -> None:
    """Though it is as long, as large, and made later than this one."""
    [there] = call(film, "--format", name).stdout.split()
    command = [ffmpeg.find(), "-y", "-f", "lavfi", "-i", "testsrc=s=18x14:r=60:d=0.2"]
    ffmpeg.run([*command, "-pix_fmt", "yuv444p", str(film)])
    os.utime(film, (0, 0))
    result = call(film, "--format", name)
    assert isinstance(result.exception, UsageError)
    assert f"{there} is there already, and is no {name} of {film}" in str(result.exception)


def test_a_film_and_its_exports_may_be_copied(film: Path, tmp_path: Path) -> None:
    call(film, "--format", "png,webm")
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    shutil.copytree(film.with_name("night.png"), copy / "night.png")
    for name in ("night.webm", "night.mkv"):
        shutil.copyfile(film.with_name(name), copy / name)
    assert call(copy / "night.mkv", "--format", "png,webm").stderr.count("is there already") == 2


def test_an_export_that_lacks_pictures_is_none(film: Path) -> None:
    [there] = call(film, "--format", "png").stdout.split()
    Path(there, "frame_000000003.png").unlink()
    assert isinstance(call(film, "--format", "png").exception, UsageError)


def test_what_is_no_export_of_the_film_stays_and_nothing_is_made(film: Path) -> None:
    there = film.with_name("night.hap.mov")
    there.write_bytes(b"mine")
    result = call(film, "--format", "webm,hap")
    assert isinstance(result.exception, UsageError)
    assert f"{there} is there already, and is no hap of {film}" in str(result.exception)
    assert there.read_bytes() == b"mine"
    assert not film.with_name("night.webm").exists()
    assert call(film, "--format", "hap", "--force").exit_code == 0
    assert there.stat().st_size > 100


def test_an_export_of_a_shorter_film_is_another_one(film: Path) -> None:
    call(film, "--format", "hap")
    command = [ffmpeg.find(), "-y", "-f", "lavfi", "-i", "testsrc2=s=18x14:r=60:d=0.3"]
    ffmpeg.run([*command, "-pix_fmt", "yuv444p", str(film)])
    assert isinstance(call(film, "--format", "hap").exception, UsageError)


def test_one_that_fails_does_not_cost_the_others(film: Path) -> None:
    broken = film.with_name("broken.mkv")
    broken.write_bytes(b"no video")
    result = call(broken, film, "--format", "webm")
    assert result.exit_code == 1
    assert str(broken) in result.stderr
    assert result.stdout.split() == [str(film.with_name("night.webm"))]


def test_a_full_disk_ends_all_but_what_failed_before_is_told(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = film.with_name("broken.mkv")
    broken.write_bytes(b"no video")

    def full(*_: object) -> None:
        raise MultitrainError("no room") from OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(exporting, "export_film", full)
    result = call(broken, film, "--format", "webm")
    assert str(result.exception) == "no room"
    assert str(broken) in result.stderr


def test_a_job_is_exported_by_its_name(film: Path, workspace: Workspace, tiny_job: MakeJob) -> None:
    job = tiny_job(name="night", video_length=0.002, format="ffv1")
    job.save(workspace.job("night"))
    (there,) = workspace.job("night").films(job.plan)
    arguments = ("night", "--format", "webm", "--workspace", workspace.root)
    early = call(*arguments)
    assert isinstance(early.exception, UsageError)
    assert str(early.exception) == f"night has no film yet, which would be {there}"
    workspace.renders.mkdir()
    film.rename(there)
    assert call(*arguments).stdout.split("\n") == [str(there.with_suffix(".webm")), ""]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("none.mp4", "--format", "hap"), "there is no film none.mp4"),
        (("{film.parent}/more", "--format", "hap"), "more is a folder; name the film that its"),
        (("nights", "--format", "hap"), "There is no job 'nights'"),
        (("{film}", "--format", "hap", "-o", "{film}"), "no folder can be there"),
        (("{film}", "{other}", "--format", "hap", "-o", "{film.parent}"), "two films would become"),
        (("{film}", "--format", "png"), "is in the way: it is not what png makes"),
        (("{webm}", "--format", "webm"), "would be replaced by its own export"),
    ],
)
def test_wrong_calls(film: Path, arguments: tuple[str, ...], told: str) -> None:
    other = film.parent / "more" / "night.mkv"
    other.parent.mkdir()
    other.write_bytes(film.read_bytes())
    film.with_name("night.png").write_bytes(b"")
    webm = film.with_name("night.webm")
    webm.write_bytes(b"")
    result = call(*(each.format(film=film, other=other, webm=webm) for each in arguments))
    assert isinstance(result.exception, UsageError)
    assert told in str(result.exception)


@pytest.mark.parametrize("words", ["happ", "h264;hap", ""])
def test_unknown_formats(film: Path, words: str) -> None:
    result = call(film, "--format", words)
    assert result.exit_code == 2
    assert "names no format" in result.stderr or "see `multitrain formats`" in result.stderr
    assert words != "happ" or "did you mean 'hap'?" in result.stderr


def test_a_missing_encoder_is_told_before_anything_is_made(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(name: str = "h264") -> str:
        raise MultitrainError(f"No ffmpeg here can encode {name}")

    monkeypatch.setattr(ffmpeg, "find", find)
    result = call(film, "--format", "dxv")
    assert isinstance(result.exception, UsageError)
    assert str(result.exception) == "No ffmpeg here can encode dxv"


def test_a_film_with_sound_is_told(film: Path) -> None:
    loud = film.with_name("loud.mkv")
    sound = ["-f", "lavfi", "-i", "sine=d=0.2"]
    ffmpeg.run([ffmpeg.find(), "-i", str(film), *sound, "-c:v", "copy", str(loud)])
    result = call(loud, "--format", "hap")
    assert result.exit_code == 1
    assert "does not hold exactly one video and nothing else" in result.stderr


def test_formats_are_listed_with_what_works(monkeypatch: pytest.MonkeyPatch) -> None:
    real = ffmpeg.find

    def find(name: str = "h264") -> str:
        if name != "dxv":
            return real("h264")
        raise MultitrainError("No ffmpeg here") from MultitrainError("Unknown encoder 'dxv'")

    monkeypatch.setattr(ffmpeg, "find", find)
    known = json.loads(CliRunner().invoke(formats.command, ["--json"]).stdout)
    assert [each["name"] for each in known] == list(VIDEOS)
    by_name = {each["name"]: each for each in known}
    assert by_name["dxv"]["ffmpeg"] is None
    assert by_name["dxv"]["missing"] == "Unknown encoder 'dxv'"
    assert (by_name["hap"]["ffmpeg"], by_name["hap"]["missing"]) == (real("h264"), "")
    assert by_name["hap"] | {"file": ".mov", "alpha": False, "film": True} == by_name["hap"]
    assert (by_name["png"]["lossless"], by_name["png"]["film"]) == (True, False)

    table = CliRunner().invoke(formats.command, []).stdout
    (line,) = [line for line in table.splitlines() if line.startswith("dxv")]
    assert line.rstrip().endswith("no: Unknown encoder 'dxv'")
    assert table.count(" yes") >= len(VIDEOS)
