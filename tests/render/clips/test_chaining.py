"""Films of several jobs one after another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from jobs.errors import UsageError
from jobs.settings.kinds import Resolution
from jobs.workspace.files import listing
from render.clips.chaining import (
    Piece,
    chain,
    chain_films,
    chained_frames,
    copy_films,
    find_pieces,
)
from render.files.probe import verify
from render.files.reading import FilmReader, frames_in_order
from tests.render.files.test_merge import make_video
from tests.render.numbered import numbers_in, read


def nobody(frames):
    pass


@pytest.fixture
def folder(workspace):
    """Three jobs: a film, timecuts, a film of two boxes."""
    root = workspace.root
    make_video(root / "a.mp4", range(30))
    make_video(root / "b_timecut0001.mp4", range(100, 120))
    make_video(root / "b_timecut0002.mp4", range(120, 125))
    for box in (1, 2):
        make_video(root / f"c_box{box:04d}.mp4", range(200 * box, 200 * box + 20))
    return root


def test_films_are_copied_one_after_another(folder):
    output = folder / "all.mp4"
    made = copy_films(find_pieces(folder, ["b", "a"]), output)
    assert numbers_in(output) == [*range(100, 125), *range(30)]
    assert (made.frames, made.fps) == (55, 60)


def test_each_fades_into_the_next(folder):
    output = folder / "all.mp4"
    pieces = find_pieces(folder, ["a", "b", "a"])
    told = []
    made = chain_films(pieces, 0.1, "h264", output, told.append)
    assert made.frames == told[-1] == chained_frames(pieces, 0.1) == 30 + 25 + 30 - 2 * 6
    verify(output, made.frames, 60, 32, 32)
    with FilmReader([output]) as reader:
        found = [read(picture) for picture in frames_in_order(reader)]
    assert found[:24] == list(range(24))
    assert found[30:43] == list(range(106, 119))
    assert found[49:] == list(range(6, 30))


def test_encoded_anew_without_a_fade(folder):
    output = folder / "all.mov"
    made = chain_films(find_pieces(folder, ["a", "b"]), 0, "prores", output, nobody)
    assert made.frames == 55
    with FilmReader([output]) as reader:
        assert [read(each) for each in frames_in_order(reader)] == [*range(30), *range(100, 125)]


@pytest.mark.parametrize("lengths", [[5], [5, 5], [3, 6, 3], [10, 7, 9, 20]])
@pytest.mark.parametrize("fade", [0, 1, 3])
def test_every_frame_is_seen_and_none_twice(lengths, fade):
    pictures = list(chain(lengths, fade))
    assert len(pictures) == sum(lengths) - fade * (len(lengths) - 1)
    seen = [(share.film, share.frame) for shares in pictures for share in shares]
    assert sorted(seen) == [(n, k) for n, length in enumerate(lengths) for k in range(length)]
    for shares in pictures:
        assert np.isclose(sum(share.weight for share in shares), 1)
        assert all(share.weight > 0 for share in shares)


def test_of_jobs_with_boxes_one_is_named(folder):
    assert find_pieces(folder, ["c"], box=2) == [Piece("c", (folder / "c_box0002.mp4",))]
    with pytest.raises(UsageError, match="c has boxes 1 to 2; name one"):
        find_pieces(folder, ["c"])
    with pytest.raises(UsageError, match="a has no boxes"):
        find_pieces(folder, ["a"], box=1)


def test_loops_exports_and_pictures_are_no_films(folder):
    for name in ("a_loop0001.mp4", "a.hap.mov", "a.jpg", "a_timecut0001.hap.mov", "d.gif"):
        (folder / name).touch()
    assert find_pieces(folder, ["a"]) == [Piece("a", (folder / "a.mp4",))]
    with pytest.raises(UsageError, match="holds no film of 'd'"):
        find_pieces(folder, ["d"])


def test_what_is_not_there_is_named(folder, tmp_path):
    with pytest.raises(UsageError, match="holds no film of 'nihgt'"):
        find_pieces(folder, ["nihgt"])
    with pytest.raises(UsageError, match="is no folder"):
        find_pieces(tmp_path / "none", ["a"])
    (folder / "b_timecut0001.mp4").unlink()
    with pytest.raises(UsageError, match=r"b_timecut0001\.mp4 is missing"):
        find_pieces(folder, ["b"])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"size": (64, 32)}, "d is 64x32 at 60 fps, but a is 32x32 at 60 fps.*; --scale 32x32"),
        ({"fps": 30}, "d is 32x32 at 30 fps, but a is 32x32 at 60 fps.* film$"),
    ],
    ids=str,
)
def test_films_of_other_sizes_are_refused(folder, options, told):
    make_video(folder / "d.mp4", range(30), **options)
    pieces = find_pieces(folder, ["a", "d"])
    before = listing(folder)
    with pytest.raises(UsageError, match=told):
        copy_films(pieces, folder / "all.mp4")
    with pytest.raises(UsageError, match=told):
        chain_films(pieces, 0.1, "h264", folder / "all.mp4", nobody)
    assert listing(folder) == before


def test_films_of_other_sizes_are_brought_to_one(folder):
    """Each covers it, and what stands over is cut off."""
    scale, output = Resolution(64, 64), folder / "all.mov"
    make_video(folder / "d.mp4", range(50, 60), size=(128, 64))
    pieces = find_pieces(folder, ["a", "d"])
    made = chain_films(pieces, 0, "ffv1", output, nobody, scale)
    assert made.frames == chained_frames(pieces, 0, scale) == 40
    with FilmReader([output]) as reader, FilmReader(pieces[1].files) as other:
        assert reader.size == scale
        assert [read(reader[number]) for number in range(30)] == list(range(30))
        assert np.array_equal(reader[35], other[5][:, 32:96])


def test_films_of_other_formats_are_encoded_anew(folder):
    chain_films([Piece("a", (folder / "a.mp4",))], 0, "hap", folder / "d.mov", nobody)
    pieces = find_pieces(folder, ["a", "d"])
    with pytest.raises(UsageError, match=r"d\.mov is hap .* name a format, and they are encoded"):
        copy_films(pieces, folder / "all.mp4")
    assert chain_films(pieces, 0, "h264", folder / "all.mp4", nobody).frames == 60


def test_a_film_that_is_shorter_than_its_fades(folder):
    pieces = find_pieces(folder, ["a", "b", "a"])
    told = r"b has 25 frames \(0\.42 s\), too few for two crossfades of 0\.3 s; 0\.20 s would do"
    with pytest.raises(UsageError, match=told):
        chained_frames(pieces, 0.3)
    assert chained_frames(pieces, 0.2) == 85 - 24
    with pytest.raises(UsageError, match=r"a has 30 frames .* too few for a crossfade of 1 s"):
        chained_frames(pieces[::2], 1)


def test_a_damaged_film_leaves_nothing(folder):
    path = folder / "a.mp4"
    path.write_bytes(path.read_bytes()[:400])
    before = listing(folder)
    with pytest.raises(Exception, match=r"a\.mp4"):
        copy_films([Piece("a", (path,)), Piece("a", (path,))], Path(folder / "all.mp4"))
    assert listing(folder) == before
