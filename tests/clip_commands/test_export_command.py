"""`multitrain export` and `multitrain formats`, as people call them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jobs.errors import MultitrainError, UsageError
from jobs.videos import VIDEOS
from multitrain.clip_commands import export, formats
from render import ffmpeg


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
    folder = tmp_path / "show"
    folder.mkdir()
    assert call(film, "--format", "png", "-o", folder).exit_code == 0
    assert len(list((folder / "night.png").iterdir())) == 12


def test_what_is_there_is_replaced_only_by_force(film: Path) -> None:
    there = film.with_name("night.hap.mov")
    there.write_bytes(b"mine")
    refused = call(film, "--format", "webm,hap")
    assert isinstance(refused.exception, UsageError)
    assert str(refused.exception) == f"{there} is there already; --force replaces it"
    assert not film.with_name("night.webm").exists(), "nothing is made where one cannot be"
    assert call(film, "--format", "webm,hap", "--force").exit_code == 0
    assert there.stat().st_size > 100


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("none.mp4", "--format", "hap"), "there is no film none.mp4"),
        (("{film}", "--format", "hap", "-o", "nowhere"), "there is no folder nowhere"),
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
    force = ["--force"] if "png" in arguments else []
    result = call(*(each.format(film=film, other=other, webm=webm) for each in arguments), *force)
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
    assert isinstance(result.exception, MultitrainError)
    assert "does not hold exactly one video and nothing else" in str(result.exception)


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
