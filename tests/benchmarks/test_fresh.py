"""The parts of the benchmark of jobs that start over that say what is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.films import digest_of_file
from benchmarks.fresh import LOST, Results, report
from benchmarks.fresh_nights import kept_earlier, lost, sheet_with_others
from benchmarks.scenes import CARDS

FILM, FRAME = "stills.mp4", "stills/frame_000000000.png"


@pytest.fixture
def renders(tmp_path: Path) -> Path:
    """With a film and a frame."""
    for name in (FILM, FRAME):
        write(tmp_path / name, name)
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def old(renders: Path) -> dict[str, str]:
    return {name: digest_of_file(renders / name) for name in (FILM, FRAME)}


def test_a_film_in_its_place_is_not_lost(renders: Path) -> None:
    assert lost(old(renders), renders) == []


def test_nor_is_one_that_has_become_an_earlier_one(renders: Path) -> None:
    files = old(renders)
    for name in (FILM, FRAME):
        target = renders / "earlier" / "stills-1" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (renders / name).rename(target)
    write(renders / FILM, "the new one")
    assert lost(files, renders) == []
    assert kept_earlier(renders) == {*files.values()}


@pytest.mark.parametrize("kept", ["the new one", "", None])
def test_one_that_is_gone_or_kept_in_part_is_lost(renders: Path, kept: str | None) -> None:
    files = old(renders)
    write(renders / FILM, "the new one")
    if kept is not None:
        write(renders / "earlier" / "stills-1" / FILM, kept)
    assert lost(files, renders) == [FILM]


def test_a_folder_in_the_place_of_a_film_is_no_film(renders: Path) -> None:
    files = old(renders)
    (renders / FILM).unlink()
    (renders / FILM).mkdir()
    assert lost(files, renders) == [FILM]


@pytest.mark.parametrize("job", ["boxes", "stills"])
def test_one_row_becomes_another(job: str) -> None:
    rows = dict(zip(CARDS, sheet_with_others([job]), strict=True))
    changed = [row for row in rows.values() if row not in CARDS]
    assert [row.partition(",")[0] for row in changed] == [job]


def test_the_report_counts_kills_and_what_they_cost() -> None:
    results = Results(nights=1)
    assert results.clean
    results.kills["farm"], results.wrong[LOST] = 3, 2
    told = [line.replace(" ", "") for line in report(results).split("\n")]
    assert "|kills:farm|3|-|" in told
    assert "|oldfileslostatakill|2|0|" in told
    assert not results.clean
