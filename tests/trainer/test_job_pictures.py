"""The pictures of a job, put together as its family wants them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from jobs.errors import DatasetError
from jobs.families.family import Family
from jobs.families.feed import PICTURES, Feed, Part
from jobs.families.table import FAMILIES
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.trainer.feeds import JobPictures, open_job_pictures

if TYPE_CHECKING:
    from tests.conftest import MakePictures

SIZE = (16, 12)

Opened = Callable[..., JobPictures]


@pytest.fixture
def opened(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """`opened(*feeds, **columns)`: the pictures of a job whose family has these feeds."""

    def make(*feeds: Feed, **columns: object) -> JobPictures:
        if feeds:
            monkeypatch.setitem(FAMILIES, "testcard", Family(feeds=lambda _: feeds))
        cells = {"name": "j", "dataset": "a", "grid_width": 1, "grid_height": 1, "video_length": 1}
        spec = JobSpec.model_validate({**cells, "family": "testcard", **columns})
        job = JobFile(spec=spec, image_width=SIZE[0], image_height=SIZE[1])
        return open_job_pictures(job, workspace, keep_free=0)

    return make


@pytest.fixture
def draw(workspace: Workspace) -> Callable[..., None]:
    """`draw("shapes", "a.png b/c.jpg", size)`: pictures, each of one colour of its own."""

    def make(folder: str, names: str, size: tuple[int, int] = SIZE) -> None:
        for number, name in enumerate(names.split()):
            path = workspace.dataset(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", size, (10 * number, 0, 0)).save(path)

    return make


def reds(pictures: JobPictures, feed: str) -> list[list[int]]:
    """The red of each picture of each item."""
    each = pictures.feeds[feed]
    numbers = np.arange(len(each.pictures))[:, None] if each.numbers is None else each.numbers
    found: list[list[int]] = (each.pictures[numbers, 0, 0, 0] // 10).tolist()
    return found


@pytest.mark.parametrize(
    ("dataset", "counts"), [("a*3,b", (2, 5)), ("a,b", ()), ("a*3", ())], ids=str
)
def test_folders_with_weights_are_counted(
    dataset: str,
    counts: tuple[int, ...],
    workspace: Workspace,
    opened: Opened,
    make_pictures: MakePictures,
) -> None:
    for folder, count in (("a", 2), ("b", 5)):
        make_pictures(workspace.dataset(folder), count, SIZE)

    pictures = opened(dataset=dataset)

    assert pictures.feeds[PICTURES].counts == counts
    plain = pictures.pictures[PICTURES].fingerprint
    assert (pictures.fingerprints == {PICTURES: plain}) == (not counts)


def test_folders_within_others_and_unreadable_files_are_not_counted_twice(
    workspace: Workspace, opened: Opened, make_pictures: MakePictures
) -> None:
    make_pictures(workspace.dataset("one"), 3, SIZE)
    make_pictures(workspace.dataset("one/below"), 2, SIZE)
    make_pictures(workspace.dataset("other"), 4, SIZE)
    (workspace.dataset("other") / "empty.png").touch()

    for dataset, counts in (("one*2,other", (5, 4)), ("other,one*2,one/below", (4, 5, 0))):
        assert opened(dataset=dataset).feeds[PICTURES].counts == counts


def test_files_that_come_while_pictures_are_read_are_not_counted(
    workspace: Workspace, opened: Opened, draw: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from multitrain.trainer import feeds

    draw("a", "1.png")
    draw("b", "1.png")

    def open_and_add(*arguments: object, **options: object) -> object:
        found = open_pictures(*arguments, **options)
        draw("b", "0.png 1.png 2.png")
        return found

    open_pictures = feeds.open_pictures
    monkeypatch.setattr(feeds, "open_pictures", open_and_add)
    assert opened(dataset="a*2,b").feeds[PICTURES].counts == (1, 1)


# Pairs

WHOLE = Feed("targets", ("photos", "more"))
PAIR = Feed("inputs", ("drawings", "more drawings"), pair_of="targets")


@pytest.fixture
def pairs(draw: Callable[..., None]) -> None:
    draw("photos", "a.png b.png below/c.png only.png")
    draw("more", "a.png")
    draw("drawings", "c.png below/c.jpg b.jpg a.jpg")
    draw("more drawings", "z.png a.png")


@pytest.mark.usefixtures("pairs")
def test_pairs_have_the_same_names_in_folders_at_the_same_place(opened: Opened) -> None:
    pictures = opened(WHOLE, PAIR)

    assert reds(pictures, "targets") == [[0], [1], [2], [0]]  # a, b, below/c of the one; a of more
    of_drawings = reds(pictures, "inputs")
    assert of_drawings == [[3], [2], [1], [1]]


@pytest.mark.usefixtures("pairs")
def test_a_fingerprint_tells_other_pairs_of_the_same_pictures(
    opened: Opened, workspace: Workspace
) -> None:
    before = opened(WHOLE, PAIR).fingerprints
    drawings = workspace.dataset("drawings")
    (drawings / "c.png").rename(drawings / "only.png")
    after = opened(WHOLE, PAIR)

    assert len(reds(after, "inputs")) == 5
    assert before["targets"] != after.fingerprints["targets"]
    assert before["targets"].difference(after.fingerprints["targets"])


def test_smaller_pairs_are_made_of_the_same_pictures_or_have_folders_of_their_own(
    opened: Opened, draw: Callable[..., None]
) -> None:
    draw("photos", "a.png b.png")
    draw("small", "a.png b.png", (SIZE[0] // 2, SIZE[1] // 2))
    whole = Feed("targets", ("photos",))
    for folder in ("photos", "small"):
        half = Feed("inputs", (folder,), pair_of="targets", factor=2)
        pictures = opened(whole, half)
        assert pictures.feeds["inputs"].pictures.shape == (2, 6, 8, 3)
        assert reds(pictures, "inputs") == reds(pictures, "targets") == [[0], [1]]


def test_pictures_without_a_pair_are_told(opened: Opened, draw: Callable[..., None]) -> None:
    draw("photos", "a.png")
    draw("drawings", "b.png")
    with pytest.raises(DatasetError, match="No picture of targets has the name of one of inputs"):
        opened(Feed("targets", ("photos",)), Feed("inputs", ("drawings",), pair_of="targets"))


@pytest.mark.usefixtures("pairs")
def test_a_pair_of_a_pair_is_refused(opened: Opened) -> None:
    more = Feed("more", ("photos",), pair_of="inputs")
    with pytest.raises(ValueError, match="more is a pair of inputs, which is a pair itself"):
        opened(WHOLE, PAIR, more)


# Clips


def test_clips_are_of_one_folder_and_have_no_gap(
    opened: Opened, draw: Callable[..., None], workspace: Workspace
) -> None:
    draw("films", "one/1.png one/2.png one/3.png two/1.png two/2.png two/3.png two/4.png")
    feed = Feed("clips", ("films",), frames=2)

    assert reds(opened(feed), "clips") == [[0, 1], [1, 2], [3, 4], [4, 5], [5, 6]]
    follow = opened(replace(feed, goes_on=True))
    assert reds(follow, "clips") == [[0, 1], [3, 4], [5, 6]]
    runs = follow.feeds["clips"].runs
    assert runs is not None
    assert runs.tolist() == [0, 1, 1]

    draw("drawn", "one/1.png one/3.png two/1.png two/2.png")
    both = opened(feed, Feed("drawn", ("drawn",), pair_of="clips"))
    assert reds(both, "clips") == [[3, 4]]
    assert reds(both, "drawn") == [[2, 3]]


def test_a_clip_does_not_span_a_picture_that_is_left_out(
    opened: Opened, draw: Callable[..., None], workspace: Workspace
) -> None:
    """Nor is it followed by what lies behind one. A raw file beside its picture lacks nothing."""
    draw("films", "one/1.png one/2.png one/3.png one/4.png one/5.png two/3.png two/4.png")
    films = workspace.dataset("films")
    (films / "one" / "3.png").write_bytes(b"not a picture")
    (films / "two" / "35.psd").touch()
    for name in ("2.cr2", "41.mp4"):
        (films / "one" / name).touch()
    feed = Feed("clips", ("films",), frames=2)

    assert reds(opened(feed), "clips") == [[0, 1], [3, 4]]
    follow = opened(replace(feed, frames=1, goes_on=True)).feeds["clips"]
    assert follow.runs is not None
    assert follow.runs.tolist() == [0, 0, 2, 2, 4, 5]
    both = opened(feed, Feed("again", ("films",), pair_of="clips"))
    assert reds(both, "again") == reds(both, "clips") == [[0, 1], [3, 4]]


def test_clips_that_lie_in_shots_have_no_cut(
    opened: Opened, draw: Callable[..., None], workspace: Workspace
) -> None:
    draw("films", "one/1.png one/2.png one/3.png two/1.png two/2.png")  # 10 levels of red apart
    Image.new("RGB", SIZE, (95, 99, 99)).save(workspace.dataset("films") / "one" / "4.png")
    Image.new("RGB", SIZE, (95, 98, 99)).save(workspace.dataset("films") / "one" / "5.png")
    feed = Feed("clips", ("films",), frames=2, in_shots=True)

    assert reds(opened(feed), "clips") == [[0, 1], [1, 2], [9, 9], [3, 4]]
    with pytest.raises(DatasetError, match="no 4 consecutive pictures without a"):
        opened(replace(feed, frames=4))


def test_a_fingerprint_tells_clips_that_go_on_otherwise(
    opened: Opened, draw: Callable[..., None], workspace: Workspace
) -> None:
    draw("films", "one/1.png one/2.png two/1.png two/2.png two/3.png two/4.png")
    feeds = [Feed("clips", ("films",), frames=frames, goes_on=True) for frames in (1, 2)]
    before = [opened(each).fingerprints["clips"] for each in feeds]
    films = workspace.dataset("films")
    for before_it, after_it in (("two/1.png", "one/3.png"), ("two/2.png", "one/4.png")):
        (films / before_it).rename(films / after_it)
    after = [opened(each) for each in feeds]

    assert [reds(each, "clips") for each in after] == [
        [[0], [1], [2], [3], [4], [5]],
        [[0, 1], [2, 3], [4, 5]],
    ]
    assert not {each.fingerprints["clips"] for each in after} & set(before)


def test_folders_that_hold_no_clip_are_told(opened: Opened, draw: Callable[..., None]) -> None:
    draw("films", "one/1.png two/1.png")
    with pytest.raises(DatasetError, match="clips hold no 2 consecutive pictures"):
        opened(Feed("clips", ("films",), frames=2))


def test_a_job_may_go_on_with_other_pictures_to_be_measured_by(
    opened: Opened, draw: Callable[..., None]
) -> None:
    draw("a", "1.png 2.png")
    draw("b", "1.png")
    measured_by = Feed("unseen", ("b",), is_drawn=False, is_shown=False)
    pictures = opened(Feed(PICTURES, ("a",)), measured_by)
    assert pictures.feeds.keys() == {PICTURES, "unseen"}
    assert pictures.fingerprints.keys() == {PICTURES}


def test_a_share_that_is_held_out_is_in_no_other_feed(
    opened: Opened, draw: Callable[..., None]
) -> None:
    draw("a", "1.png 2.png 3.png 4.png 5.png")
    rest, part = (Part(0.4, 0, is_held_out=which) for which in (False, True))
    measured_by = Feed("unseen", ("a",), is_drawn=False, is_shown=False, part=part)

    pictures = opened(Feed(PICTURES, ("a",), part=rest), measured_by)

    assert reds(pictures, PICTURES) == [[0], [1], [2]]
    assert reds(pictures, "unseen") == [[3], [4]]
    assert pictures.feeds["unseen"].numbers_of(np.arange(2)).tolist() == [3, 4], "no clips"
    assert pictures.pictures[PICTURES] is pictures.pictures["unseen"], "decoded once"
    assert pictures.byte_count == 5 * 16 * 12 * 3
