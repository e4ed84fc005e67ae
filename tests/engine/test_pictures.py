"""Which parts of which pictures a step sees, alike on both engines."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest

from jobs.errors import MultitrainError
from jobs.families.feed import PICTURES, Feed
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import AS_THEY_ARE, Preprocessing
from multitrain.engine.feeds import Feeds, OpenFeed, clips, only
from multitrain.engine.groups import groups_of
from multitrain.engine.model import begins_of
from tests.engine.coded import Part, coded, parts_of

COUNT, BATCH, BATCHES = 9, 6, 2
WIDTH, HEIGHT = 17, 13
CROPPED = Preprocessing((), Resolution(12, 9), flip=True)

Look = Callable[..., dict[str, np.ndarray]]


@pytest.fixture(params=[True, False], ids=["in place", "read ahead"])
def in_place(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def look(
    feeds: Feeds,
    preprocessing: Preprocessing,
    step: int,
    *,
    in_place: bool = True,
    detours: int = 0,
    since: int = 0,
) -> dict[str, np.ndarray]:
    """What step `step` sees of each feed: `(batches, n, ...)`."""
    groups, drawn = groups_of(feeds, preprocessing), dict.fromkeys(feeds, BATCHES)
    on_engine = _on_jax if keras.backend.backend() == "jax" else _on_tensorflow
    return on_engine(groups, drawn, step, in_place, detours, since)


def _on_jax(groups, drawn, step, in_place, detours, since):
    import jax

    from multitrain.engine.jax.pictures import Feeding

    feeding = Feeding(groups, drawn, 3, BATCH, jax.device_put, None, in_place)
    feeding.go_on_from(since, detours)
    (handed,) = feeding.handed(step, 1)
    counters = np.array([detours, step], np.uint32)
    given = jax.jit(feeding.of_step)(feeding.resident, handed, *counters)
    return {name: np.asarray(each) for name, each in given.items()}


def _on_tensorflow(groups, drawn, step, in_place, detours, since):
    import tensorflow as tf

    from multitrain.engine.tensorflow.pictures import Feeding
    from multitrain.engine.tensorflow.random import Draws

    feeding = Feeding(groups, drawn, Draws(3, detours), BATCH, ("CPU:0",), in_place)
    feeding.go_on_from(since, detours)
    number = tf.constant(step, tf.int64)
    see = tf.function(lambda handed: feeding.of_step(handed, 0, number))
    return {name: each.numpy() for name, each in see(feeding.handed(step, 1)).items()}


def parts(step: int, preprocessing: Preprocessing = CROPPED, **how: object) -> list[Part]:
    """What step `step` sees of coded pictures."""
    found = look(only(coded(COUNT, WIDTH, HEIGHT)), preprocessing, step, **how)[PICTURES]
    assert found.shape[:2] == (BATCHES, BATCH)
    return parts_of(found)


def test_each_picture_is_cut_at_a_place_of_its_own_at_each_step_and_detour() -> None:
    found = [part for step in range(20) for part in parts(step)]

    places = {part[1:] for part in found}
    assert {part.top for part in found} == set(range(5))
    assert {part.left for part in found} == set(range(6))
    assert len(places) > 55, "of 60 places, mirrored or not"
    assert {part[1:] for part in parts(0)} != {part[1:] for part in parts(0, detours=1)}


def test_the_pictures_are_those_that_were_drawn_without_a_window(in_place: bool) -> None:
    whole = parts(4, AS_THEY_ARE, in_place=in_place)

    assert [part[1:] for part in whole] == [(0, 0, False)] * len(whole)
    assert [part.picture for part in parts(4, in_place=in_place)] == [p.picture for p in whole]


def test_pictures_that_are_read_ahead_are_cut_as_those_in_place() -> None:
    for step in (0, 7):
        assert parts(step, in_place=False) == parts(step)


# Feeds

WHOLE = Feed("targets", ())
SMALLER = Feed("inputs", (), pair_of="targets", factor=3)


@pytest.fixture
def pairs() -> Feeds:
    """Targets of 21x15 pixels, the 9 pixels of each square alike; inputs 3 times smaller, listed
    the other way round."""
    small = coded(COUNT, WIDTH, HEIGHT)[:, :5, :7]
    numbers = np.arange(COUNT, dtype=np.int32)[::-1, None]
    return {
        "targets": OpenFeed(WHOLE, small.repeat(3, axis=1).repeat(3, axis=2)),
        "inputs": OpenFeed(SMALLER, small[::-1].copy(), numbers),
    }


def test_pairs_show_the_same_part_of_the_same_picture(pairs: Feeds, in_place: bool) -> None:
    cropped = Preprocessing((), Resolution(12, 9), flip=True)
    places = set()
    for step in range(5):
        found = look(pairs, cropped, step, in_place=in_place)
        assert found["inputs"].shape == (BATCHES, BATCH, 3, 4, 3)
        enlarged = found["inputs"].repeat(3, axis=2).repeat(3, axis=3)
        np.testing.assert_array_equal(found["targets"], enlarged)
        places |= {part[1:] for part in parts_of(found["inputs"])}
    assert len(places) > 15, "of 24 places, mirrored or not"


def test_feeds_that_are_no_pairs_are_drawn_apart() -> None:
    feeds = {
        name: OpenFeed(Feed(name, ()), coded(COUNT, WIDTH, HEIGHT)) for name in ("night", "day")
    }
    night, day = (parts_of(each) for each in look(feeds, CROPPED, 0).values())
    assert [each.picture for each in night] != [each.picture for each in day]
    assert [each[1:] for each in night] != [each[1:] for each in day]


def test_a_clip_is_consecutive_pictures_of_a_folder_seen_through_one_window(
    in_place: bool,
) -> None:
    numbers, counts, _ = clips([5, 4], 3, go_on=False)
    assert counts == (3, 2)
    feed = OpenFeed(Feed("clips", (), frames=3), coded(COUNT, WIDTH, HEIGHT), numbers)

    firsts = set()
    for step in range(4):
        found = look({"clips": feed}, CROPPED, step, in_place=in_place)["clips"]
        assert found.shape == (BATCHES, BATCH, 3, 9, 12, 3)
        for clip in found.reshape(-1, 3, 9, 12, 3):
            first, *others = parts_of(clip[None])
            assert [each.picture - first.picture for each in others] == [1, 2]
            assert {each[1:] for each in others} == {first[1:]}
            firsts.add(first.picture)
    assert firsts == {0, 1, 2, 5, 6}


def test_clips_that_go_on_follow_each_other_through_one_window(in_place: bool) -> None:
    numbers, _, runs = clips([3, 6], 1, go_on=True)
    feed = OpenFeed(
        Feed("clips", (), goes_on=True), coded(COUNT, WIDTH, HEIGHT), numbers, runs=runs
    )
    places: list[list[Part]] = [[] for _ in range(BATCH)]
    begins: list[list[bool]] = [[] for _ in range(BATCH)]
    for step in range(12):
        found = look({"clips": feed}, CROPPED, step, in_place=in_place)
        for batch in range(BATCHES):
            for place, part in enumerate(parts_of(found["clips"][batch : batch + 1])):
                places[place].append(part)
                begins[place].append(bool(found[begins_of("clips")][batch, place]))

    assert [each[0].picture for each in places] == [0, 1, 3, 4, 6, 7]
    for seen, begun in zip(places, begins, strict=True):
        assert begun[0]
        for before, after, anew in zip(seen, seen[1:], begun[1:], strict=False):
            assert after.picture == (before.picture + 1) % COUNT
            assert anew == (after.picture in (0, 3))
            assert anew or after[1:] == before[1:]
    windows = {part[1:] for seen in places for part in seen}
    assert len(windows) > 4, "each run has a window of its own, in each lap another one"


def test_all_clips_begin_anew_after_a_detour_which_moves_them_on() -> None:
    numbers, _, runs = clips([3, 6], 1, go_on=True)
    feed = OpenFeed(
        Feed("clips", (), goes_on=True), coded(COUNT, WIDTH, HEIGHT), numbers, runs=runs
    )
    straight, moved, later = (
        look({"clips": feed}, AS_THEY_ARE, step, **how)
        for step, how in ((4, {}), (4, {"detours": 1, "since": 4}), (5, {"detours": 1, "since": 4}))
    )
    went, goes = (each["clips"][..., 0, 0, 0].astype(int) for each in (straight, moved))
    np.testing.assert_array_equal(goes, (went + 1) % COUNT)
    assert moved[begins_of("clips")][0].all()
    for given in (moved[begins_of("clips")][1], *later[begins_of("clips")]):
        assert not given.all()


def test_of_a_stream_the_newest_picture_is_seen_and_others_before_it(in_place: bool) -> None:
    feed = OpenFeed(Feed("stream", (), latest=8), coded(COUNT, WIDTH, HEIGHT))
    ages = set()
    for step in range(5, 13):
        found = look({"stream": feed}, AS_THEY_ARE, step, in_place=in_place)["stream"]
        for batch in range(BATCHES):
            newest, *others = (
                (step - part.picture) % COUNT for part in parts_of(found[batch : batch + 1])
            )
            assert newest == 0
            assert len(set(others)) == BATCH - 1
            ages |= set(others)
    assert ages == set(range(1, 8)), "each of the latest has its turn"


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"inputs": OpenFeed(SMALLER, coded(8, 7, 5))}, "pairs, and there are 8 and 9"),
        ({"inputs": OpenFeed(SMALLER, coded(COUNT, 7, 6))}, "of 7x6 and 21x15 pixels"),
    ],
)
def test_what_is_no_pair_is_told(pairs: Feeds, changed: Feeds, wrong: str) -> None:
    with pytest.raises(MultitrainError, match=wrong):
        groups_of({**pairs, **changed}, AS_THEY_ARE)


def test_pairs_of_which_one_is_no_whole_number_of_times_smaller_are_told(pairs: Feeds) -> None:
    half = OpenFeed(Feed("half", (), pair_of="targets", factor=2), coded(COUNT, 12, 6))
    targets = OpenFeed(WHOLE, coded(COUNT, 24, 12))
    third = OpenFeed(SMALLER, coded(COUNT, 8, 4))
    with pytest.raises(MultitrainError, match="half is 2 times smaller and inputs 3 times"):
        groups_of({"targets": targets, "half": half, "inputs": third}, AS_THEY_ARE)


def test_weights_of_clips_that_go_on_are_refused() -> None:
    numbers, counts, runs = clips([3, 6], 1, go_on=True)
    feed = Feed("clips", ("a", "b"), weights=(1, 2), goes_on=True)
    opened = OpenFeed(feed, coded(COUNT, WIDTH, HEIGHT), numbers, counts, runs)
    with pytest.raises(MultitrainError, match=r"clips goes on .* cannot have weights"):
        groups_of({"clips": opened}, AS_THEY_ARE)


def test_a_cut_that_the_smaller_pictures_do_not_have_is_told(pairs: Feeds) -> None:
    with pytest.raises(MultitrainError, match=r"crop_size: 10x9 .* multiples of 3"):
        groups_of(pairs, Preprocessing((), Resolution(10, 9)))
