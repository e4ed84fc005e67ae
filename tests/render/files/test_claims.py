"""Half-made files: nobody else's while they are made, swept where their maker was killed."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.workspace.files import listing
from render.encoding.commands import LIST
from render.files import claims
from render.files.claims import BeingMade, claimed, making, sweep

# Makes the file of its first argument, half; then waits.
MAKER = """
import signal, sys
from pathlib import Path
from render.files.claims import claimed
with claimed(Path(sys.argv[1])) as part:
    part.write_text("half")
    part.with_name(f"a.mp4{sys.argv[2]}.part").touch()
    print("half", flush=True)
    signal.pause()
"""


@pytest.fixture
def maker(tmp_path: Path):
    """Another process that is just making `a.mp4`."""
    command = [sys.executable, "-c", MAKER, str(tmp_path / "a.mp4"), LIST]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "half\n"
        yield process
        process.kill()


HALF_MADE = [".a.mp4.claim.part", f"a.mp4{LIST}.part", "a.mp4.part"]


def test_it_appears_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    output = tmp_path / "new" / "a.mp4"
    with making(output) as part:
        part.write_text("whole")
        assert listing(output.parent) == [".a.mp4.claim.part", "a.mp4.part"]
    assert listing(output.parent) == ["a.mp4"]
    with pytest.raises(KeyboardInterrupt), making(output) as part:  # noqa: PT012
        part.write_text("half")
        raise KeyboardInterrupt
    assert listing(output.parent) == ["a.mp4"]
    assert output.read_text() == "whole"


def test_what_another_process_makes_is_left_to_it(
    tmp_path: Path, maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "PAUSE", 0)
    sweep(tmp_path)
    assert listing(tmp_path) == HALF_MADE
    with pytest.raises(BeingMade, match=r"a\.mp4 is being made by another process"):  # noqa: SIM117
        with claimed(tmp_path / "a.mp4"):
            raise AssertionError
    assert listing(tmp_path) == HALF_MADE
    assert (tmp_path / "a.mp4.part").read_text() == "half"


def test_what_a_kill_has_left_goes_with_whatever_is_made_next(tmp_path: Path, maker) -> None:
    maker.kill()
    maker.wait()
    assert listing(tmp_path) == HALF_MADE
    with making(tmp_path / "b.mp4") as part:
        part.touch()
        assert listing(tmp_path) == [".b.mp4.claim.part", "b.mp4.part"]
    assert listing(tmp_path) == ["b.mp4"]


def test_a_part_of_somebody_else_stays(tmp_path: Path) -> None:
    """Browsers and others name theirs so, too."""
    theirs = tmp_path / "clip.webm.part"
    theirs.touch()
    sweep(tmp_path)
    with claimed(tmp_path / "b.mp4"):
        pass
    assert listing(tmp_path) == ["clip.webm.part"]


def test_a_claim_that_is_a_link_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / ".a.mp4.claim.part").symlink_to("target")
    sweep(tmp_path)
    with pytest.raises(OSError, match="is no plain file"), claimed(tmp_path / "a.mp4"):
        raise AssertionError
    assert not (tmp_path / "target").exists()


def test_it_does_without_where_the_disk_has_no_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with making(tmp_path / "a.mp4") as part:
        part.touch()
    assert listing(tmp_path) == ["a.mp4"]


def test_a_folder_is_claimed_as_well(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), claimed(tmp_path / "a.png") as part:  # noqa: PT012
        part.mkdir()
        (part / "1.png").touch()
        raise ZeroDivisionError
    assert listing(tmp_path) == []
