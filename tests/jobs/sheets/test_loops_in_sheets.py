"""Loops as a sheet asks for them: in CSV, in YAML, and what is told where they cannot be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from jobs.errors import SheetError
from jobs.settings.loops import Loop
from jobs.settings.songs import SongSettings
from jobs.sheets.forms.nested_form import sheet_text
from jobs.sheets.sheet import read_sheet
from jobs.sheets.sizes import extra_bytes
from jobs.workspace.outputs import LoopFile, loop_files
from jobs.workspace.paths import Workspace
from tests.hearing.played import RATE, write_song

MakePictures = Callable[..., list[Path]]

COLUMNS = "name,dataset,grid_width,grid_height,video_length,loops"
ROW = "night,photos,2,2,0.5"
LOOPS = (
    Loop.parse("walk(beats=32, bpm=128, format=hap, scale=1920x1080)"),
    Loop.parse("pingpong(seconds=2.5)"),
)


@pytest.fixture(autouse=True)
def _photos(workspace: Workspace, make_pictures: MakePictures) -> None:
    make_pictures(workspace.dataset("photos"), count=4, size=(16, 12))


def read(workspace: Workspace, name: str, text: str) -> tuple[Loop, ...] | None:
    sheet = workspace.root / name
    sheet.write_text(text, encoding="utf-8")
    return read_sheet(sheet, workspace).jobs[0].spec.loops


def test_in_a_cell(workspace: Workspace) -> None:
    cell = '"walk(beats=32, bpm=128, scale=1920x1080, format=hap), pingpong(seconds=2.5)"'
    assert read(workspace, "a.csv", f"{COLUMNS}\n{ROW},{cell}\n") == LOOPS


@pytest.mark.parametrize(
    "loops",
    [
        """
    loops:
      - {mode: walk, beats: 32, bpm: 128, format: hap, scale: 1920x1080}
      - {mode: pingpong, seconds: 2.5}""",
        """
    loops: ["walk(beats=32, bpm=128, format=hap, scale=1920x1080)", pingpong(seconds=2.5)]""",
    ],
)
def test_in_yaml(workspace: Workspace, loops: str) -> None:
    text = f"""\
jobs:
  - name: night
    dataset: photos
    grid_width: 2
    grid_height: 2
    video_length: 0.5{loops}
"""
    assert read(workspace, "a.yaml", text) == LOOPS


def test_a_sheet_that_is_written_says_the_same(workspace: Workspace) -> None:
    cell = '"walk(beats=32, bpm=128, scale=1920x1080, format=hap), pingpong(seconds=2.5)"'
    sheet = workspace.root / "a.csv"
    sheet.write_text(f"{COLUMNS}\n{ROW},{cell}\n", encoding="utf-8")
    text = sheet_text([read_sheet(sheet, workspace).jobs[0].spec])
    assert "{mode: pingpong, seconds: 2.5}" in text
    assert read(workspace, "b.yaml", text) == LOOPS


def test_one_loop_alone_is_no_list(workspace: Workspace) -> None:
    assert read(workspace, "a.csv", f"{COLUMNS}\n{ROW},crossfade\n") == (Loop.parse("crossfade"),)


@pytest.mark.parametrize(
    ("more", "cells", "reason"),
    [
        ("", '"walk(beats=32)"', "walk: beats need a tempo; give bpm, too"),
        ("", "spiral", "must be one of pingpong, crossfade, best, walk, song, not 'spiral'"),
        (
            ",family",
            "walk(frames=8),testcard",
            "loop 1, walk: a walk is drawn by a trained network, and testcard has none",
        ),
        (
            ",use_checkpoints",
            "walk(frames=8),False",
            "loop 1, walk: it is drawn from a checkpoint, and use_checkpoints is False",
        ),
        (
            ",render_video",
            '"walk(frames=8), best",False',
            "loop 2, best: it is cut from the film, and render_video is False",
        ),
        (
            "",
            '"walk(frames=8, through_time=True)"',
            "loop 1, walk: it needs checkpoints that are kept; set keep_checkpoints, such as every "
            "1000 steps",
        ),
        (
            ",keep_checkpoints",
            '"walk(frames=8, checkpoint=150)",100',
            "loop 1, walk: step 150 is not kept: keep_checkpoints keeps each 100th, and the last "
            "is 900",
        ),
        (
            ",keep_checkpoints",
            '"walk(frames=8, checkpoint=100, through_time=True)",100',
            "loop 1, walk: a walk through time goes through all kept steps; name no checkpoint",
        ),
        (
            ",keep_checkpoints",
            '"walk(frames=8, through_time=True)",901',
            "loop 1, walk: it goes from a kept checkpoint to another, and only that of step 0 is "
            "kept: the last step is 900; set keep_checkpoints to at most that, instead of 901",
        ),
        (
            "",
            '"walk(frames=8, grid=2000x1, scale=64x48)"',
            "loop 1, walk: it would be 32000x12 pixels, and video has at most 16384 a side; take a "
            "smaller grid",
        ),
        (
            "",
            "pingpong(scale=20000x48)",
            "loop 1, pingpong: it would be 20000x48 pixels, and video has at most 16384 a side; "
            "take a smaller scale",
        ),
        (
            "",
            '"crossfade(frames=1550, format=gif, fps=60)"',
            "loop 1, crossfade: the film has 1800 frames (30.00 s), and",
        ),
        (
            "",
            "crossfade(seconds=40)",
            "loop 1, crossfade: the film has 1800 frames (30.00 s), and",
        ),
        (
            "",
            "pingpong(crop=64x48)",
            "loop 1, pingpong: a crop of 64x48 does not lie in a picture of 32x24",
        ),
    ],
)
def test_loops_that_cannot_be_made(
    workspace: Workspace, more: str, cells: str, reason: str
) -> None:
    sheet = workspace.root / "a.csv"
    sheet.write_text(f"{COLUMNS}{more}\n{ROW},{cells}\n", encoding="utf-8")
    with pytest.raises(SheetError) as told:
        read_sheet(sheet, workspace)
    assert f"a.csv:2: loops: {reason}" in str(told.value)


@pytest.mark.parametrize(
    ("more", "cells"),
    [
        ("", '"walk(frames=8, checkpoint=900)"'),
        (",keep_checkpoints", '"walk(frames=8, checkpoint=900)",200'),
        (",keep_checkpoints", '"walk(frames=8, checkpoint=0)",2000'),
        (",keep_checkpoints", '"walk(frames=8, through_time=True)",900'),
    ],
)
def test_walks_from_what_is_there_at_the_end(workspace: Workspace, more: str, cells: str) -> None:
    """The newest checkpoint is that of the last step, kept or not."""
    loops = read(workspace, "a.csv", f"{COLUMNS}{more}\n{ROW},{cells}\n")
    assert loops is not None


def test_what_becomes_of_loops_is_told(workspace: Workspace) -> None:
    sheet = workspace.root / "a.csv"
    cell = '"walk(frames=8, format=hap, scale=19x16), pingpong(format=gif), best(crop=20x20)"'
    sheet.write_text(f"{COLUMNS}\n{ROW},{cell}\nday,photos,2,2,0.5,{cell}\n", encoding="utf-8")
    assert read_sheet(sheet, workspace).warnings == (
        f"{sheet}: night and 1 more: loop 1, walk: the loop becomes 20x16: hap takes multiples of "
        "4",
        f"{sheet}: night and 1 more: loop 2, pingpong: the loop has 50 fps: gif shows at most 50 a "
        "second, not 60",
    )


def test_a_song_is_looked_at(workspace: Workspace, tmp_path: Path) -> None:
    song = tmp_path / "a song.wav"
    write_song(song, np.zeros(2 * RATE, np.float32))

    (loop,) = read(workspace, "a.csv", f'{COLUMNS}\n{ROW},"song(file={song})"\n') or ()
    assert loop.walk_settings().song == SongSettings(song)
    nested = f"""\
jobs:
  - name: night
    dataset: photos
    grid_width: 2
    grid_height: 2
    video_length: 0.5
    loops: [{{mode: song, file: "{song}", from: "0:01", every: 2}}]
"""
    (loop,) = read(workspace, "a.yaml", nested) or ()
    assert loop.walk_settings().song == SongSettings(song, start=1.0, every=2)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("song.wav", "names 'song.wav'; give the whole path, such as /home/me/song.mp3"),
        ("{root}/none.mp3", "none.mp3 is not there"),
        ("{root}/photos.txt", "photos.txt holds no sound that can be decoded"),
        ("{root}/song.wav, from=5", "song.wav lasts 2.0 s, and the walk would begin after 5 s"),
    ],
)
def test_songs_that_cannot_be_walked_to(
    workspace: Workspace, tmp_path: Path, said: str, words: str
) -> None:
    write_song(tmp_path / "song.wav", np.zeros(2 * RATE, np.float32))
    (tmp_path / "photos.txt").write_text("no song" * 99)
    said = said.format(root=tmp_path)

    with pytest.raises(SheetError) as error:
        read(workspace, "a.csv", f'{COLUMNS}\n{ROW},"song(file={said})"\n')

    assert words in str(error.value)


def test_a_format_without_sound_is_told_of(workspace: Workspace, tmp_path: Path) -> None:
    song = write_song(tmp_path / "song.wav", np.zeros(2 * RATE, np.float32))
    sheet = workspace.root / "a.csv"
    sheet.write_text(f'{COLUMNS}\n{ROW},"song(file={song}, format=gif)"\n')

    notes = read_sheet(sheet, workspace).warnings

    assert any("loop 1, song: gif holds no sound" in str(note) for note in notes)


def test_the_room_that_a_walk_to_a_song_takes(workspace: Workspace, tmp_path: Path) -> None:
    song = write_song(tmp_path / "song.wav", np.zeros(4 * RATE, np.float32))
    sheet = workspace.root / "a.csv"
    loops = f"walk(seconds=3), song(file={song}, from=1), song(file={song}, to=2)"
    sheet.write_text(f'{COLUMNS}\n{ROW},"{loops}"\n')
    (job,) = read_sheet(sheet, workspace).jobs

    walk, rest, first = (extra_bytes(each, job) for each in loop_files(job.spec, job.plan))

    assert (walk, rest) == (rest, pytest.approx(first * 1.5, rel=0.01))
    song.unlink()
    moved = Loop.parse(f"song(file={song.with_suffix('.mp3')})")
    assert extra_bytes(LoopFile(1, None, moved), job) > 100 * walk
