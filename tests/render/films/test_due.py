import random
from dataclasses import replace

import pytest

from jobs.plans.plan import FramePlan, FrameRange
from jobs.plans.timing import Timing
from jobs.settings.loops import Loop
from jobs.workspace.outputs import LoopFile, Pictures
from render.films.due import (
    Due,
    Inventory,
    Wanted,
    all_batches,
    batches_by_cut,
    due,
    neither_raw_nor_rendered,
)
from render.films.tasks import (
    CutTimecut,
    EncodeBatch,
    FindImages,
    FinishJob,
    JoinFilm,
    MakeExtra,
    PublishTimecut,
    WriteImages,
)

PLAN = FramePlan(
    frame_width=2400, frame_height=1800, box_width=2400, box_height=1800,  # ten a batch
    fps=60, frames_total=70, timing=Timing(), cut_frames=25,
)  # fmt: skip
BATCHES = all_batches(PLAN)  # three in each cut of 25, 25 and 20 frames: 8, 8, 9 … 10, 10
VIDEO = Wanted(video=True, images=False, checkpoints=True)
IMAGES = Wanted(video=False, images=True, checkpoints=True)
BOTH = Wanted(video=True, images=True, checkpoints=True)
UNSAVED = Wanted(video=True, images=False, checkpoints=False)


def found(batches=0, segments=0, images=0, published=(), checkpoint=0, freed=0):
    """The first `batches` but the first `freed`, the first `segments` and so on."""
    return Inventory(
        frozenset(BATCHES[freed:batches]),
        frozenset(BATCHES[:segments]),
        frozenset(BATCHES[:images]),
        frozenset(published),
        checkpoint,
    )


def test_nothing_is_due_for_nothing():
    assert due(PLAN, VIDEO, Inventory()) == Due()


def test_batches_are_encoded_as_they_come_covered_or_not():
    now = due(PLAN, VIDEO, found(batches=3, segments=1))
    assert now.encode == (EncodeBatch(BATCHES[1]), EncodeBatch(BATCHES[2]))
    assert now.drop == ()


def test_a_batch_goes_when_it_is_encoded_and_covered():
    covered_until = BATCHES[1].stop
    now = due(PLAN, VIDEO, found(batches=4, segments=3, checkpoint=covered_until))
    assert now.drop == BATCHES[:2]
    assert due(PLAN, VIDEO, found(batches=4, checkpoint=covered_until)).drop == ()


def test_without_checkpoints_a_batch_goes_when_it_is_encoded():
    assert due(PLAN, UNSAVED, found(batches=4, segments=3)).drop == BATCHES[:3]


def test_a_timecut_is_published_when_its_last_frame_is_covered():
    everything_encoded = {"batches": 3, "segments": 3}
    end = PLAN.cuts[0].stop
    assert due(PLAN, VIDEO, found(**everything_encoded, checkpoint=end - 1)).timecuts == ()
    now = due(PLAN, VIDEO, found(**everything_encoded, checkpoint=end))
    assert now.timecuts == (PublishTimecut(1, BATCHES[:3]),)


def test_a_timecut_waits_for_all_its_segments():
    assert due(PLAN, VIDEO, found(batches=3, segments=2, checkpoint=70)).timecuts == ()


def test_a_later_timecut_does_not_wait_for_an_earlier_one():
    segments = frozenset(BATCHES[1:6])
    now = due(PLAN, VIDEO, Inventory(segments=segments, checkpoint=50))
    assert now.timecuts == (PublishTimecut(2, BATCHES[3:6]),)


def test_a_published_timecut_is_not_made_again():
    assert due(PLAN, VIDEO, found(segments=3, checkpoint=30, published={1})).timecuts == ()


def test_without_checkpoints_png_frames_do_not_wait():
    wanted = Wanted(video=False, images=True, checkpoints=False)
    first = BATCHES[0]
    assert due(PLAN, wanted, Inventory(batches=frozenset({first}))).images == (WriteImages(first),)
    written = Inventory(batches=frozenset({first}), images=frozenset({first}))
    assert due(PLAN, wanted, written).drop == (first,)


def test_without_checkpoints_timecuts_wait_until_every_frame_exists():
    last = len(BATCHES)
    assert due(PLAN, UNSAVED, found(batches=last - 1, segments=last - 1)).timecuts == ()
    now = due(PLAN, UNSAVED, found(batches=last, segments=3))
    assert now.timecuts == (PublishTimecut(1, BATCHES[:3]),)


def test_frames_that_all_exist_are_covered_though_the_last_checkpoint_is_missing():
    now = due(PLAN, VIDEO, found(batches=len(BATCHES), segments=8, freed=2, checkpoint=17))
    assert [cut.number for cut in now.timecuts] == [1, 2, 3]


def test_the_film_waits_for_all_timecuts():
    last = len(BATCHES)
    assert due(PLAN, VIDEO, found(segments=last, published={1, 2}, checkpoint=70)).last == ()
    there = found(segments=last, published={1, 2, 3}, checkpoint=70)
    assert due(PLAN, VIDEO, there).last == (JoinFilm(),)
    assert due(PLAN, VIDEO, replace(there, film=True)).last == (FinishJob(),)


def test_what_is_made_of_the_film_waits_for_it_and_holds_back_the_end():
    poster, walk = Pictures(None), LoopFile(1, None, Loop.parse("walk(frames=9)"))
    pingpong = LoopFile(2, None, Loop.parse("pingpong(frames=8)"))
    wanted = replace(VIDEO, extras=(poster, walk, pingpong))
    there = found(segments=len(BATCHES), published={1, 2, 3}, checkpoint=70)
    assert due(PLAN, wanted, there).last == (JoinFilm(),)
    there = replace(there, film=True)
    assert due(PLAN, wanted, there).last == (MakeExtra(poster), MakeExtra(pingpong))
    there = replace(there, extras=frozenset({poster, pingpong}))
    assert due(PLAN, wanted, there).last == ()  # the trainer draws the walk
    there = replace(there, extras=frozenset(wanted.extras))
    assert due(PLAN, wanted, there).last == (FinishJob(),)


def test_images_wait_for_a_checkpoint():
    now = due(PLAN, IMAGES, found(batches=3, images=1, checkpoint=BATCHES[1].stop))
    assert now.images == (WriteImages(BATCHES[1]),)
    assert now.drop == BATCHES[:1]
    assert now.encode == now.timecuts == ()


def test_images_alone_finish_the_job_without_timecuts():
    last = len(BATCHES)
    assert not due(PLAN, IMAGES, found(batches=last, images=last - 1, checkpoint=70)).last
    assert due(PLAN, IMAGES, found(images=last, checkpoint=70)).last == (FinishJob(),)


def test_with_video_and_images_a_batch_goes_when_it_is_both():
    now = due(PLAN, BOTH, found(batches=3, segments=2, images=1, checkpoint=70))
    assert now.drop == BATCHES[:1]


# --- what was made is gone again ------------------------------------------------------------------

WHOLE = found(segments=len(BATCHES), published={1, 2, 3}, checkpoint=70)
NOTHING_ELSE = replace(WHOLE, segments=frozenset())  # a job that was done, looked at again


def without(inventory, *segments):
    return replace(inventory, segments=inventory.segments.difference(segments))


def test_a_segment_that_is_gone_is_encoded_again_while_its_batch_is_there():
    there = without(found(batches=4, segments=4, checkpoint=20), BATCHES[1])
    now = due(PLAN, VIDEO, there)
    assert now.encode == (EncodeBatch(BATCHES[1]),)
    assert BATCHES[1] not in now.drop
    assert now.lost == ()


def test_a_film_is_joined_of_the_timecuts_whose_segments_are_gone():
    for gone, timecuts in [((), ()), (BATCHES[4:5], (2,)), (BATCHES, (1, 2, 3))]:
        now = due(PLAN, VIDEO, without(WHOLE, *gone))
        assert now.lost == ()
        [task] = now.tasks()
        assert task == JoinFilm()
        assert task.timecuts == timecuts


def test_a_timecut_that_is_gone_is_joined_again_or_cut_from_the_film():
    first_is_gone = replace(WHOLE, published=frozenset({2, 3}), film=True)
    assert due(PLAN, VIDEO, first_is_gone).timecuts == (PublishTimecut(1, BATCHES[:3]),)
    now = due(PLAN, VIDEO, without(first_is_gone, BATCHES[0]))
    assert list(now.tasks()) == [CutTimecut(1)]
    assert now.lost == ()
    raw = replace(without(first_is_gone, BATCHES[0]), batches=frozenset(BATCHES[:1]))
    assert list(due(PLAN, VIDEO, raw).tasks()) == [EncodeBatch(BATCHES[0])]


def test_covered_frames_that_are_nowhere_are_lost():
    there = without(found(batches=6, segments=5, freed=5, checkpoint=26), BATCHES[1], BATCHES[3])
    assert due(PLAN, VIDEO, there).lost == (BATCHES[1],)  # the other one may be made again
    assert due(PLAN, UNSAVED, replace(there, checkpoint=0)).lost == ()
    assert due(PLAN, VIDEO, replace(there, published=frozenset({1}))).lost == ()
    moved = replace(there, published=frozenset({1}), moved=frozenset({1}))
    assert due(PLAN, VIDEO, moved).lost == (BATCHES[1],)


def test_where_a_timecut_and_the_film_are_gone_its_frames_are_lost():
    now = due(PLAN, VIDEO, replace(NOTHING_ELSE, published=frozenset({1, 3})))
    assert now.lost == BATCHES[3:6]
    assert not list(now.tasks())


@pytest.mark.parametrize("wanted", [IMAGES, BOTH])
def test_the_png_frames_of_a_marker_that_is_gone_are_looked_for(wanted):
    there = replace(WHOLE, images=frozenset(BATCHES[1:]), film=wanted.video)
    assert list(due(PLAN, wanted, there).tasks()) == [FindImages(BATCHES[0])]
    raw = replace(there, batches=frozenset(BATCHES[:1]))
    assert list(due(PLAN, wanted, raw).tasks()) == [WriteImages(BATCHES[0])]


def test_what_is_still_to_come_or_lost_can_be_told():
    there = without(found(batches=6, segments=5, freed=5), BATCHES[1])
    assert neither_raw_nor_rendered(PLAN, VIDEO, there) == (BATCHES[1], *BATCHES[6:])
    assert neither_raw_nor_rendered(PLAN, VIDEO, WHOLE) == ()


def test_steps_come_in_the_order_of_their_use():
    now = due(PLAN, BOTH, found(batches=5, segments=3, checkpoint=BATCHES[3].stop))
    kinds = [type(task) for task in now.tasks()]
    assert kinds[0] is PublishTimecut
    starts = [task.batch.start for task in now.tasks() if not isinstance(task, PublishTimecut)]
    assert starts == sorted(starts)
    assert list(Due(last=(FinishJob(),)).tasks()) == [FinishJob()]


class Simulation:
    """A trainer that is interrupted now and then and a worker, taking turns at random."""

    def __init__(self, wanted, seed):
        self.wanted, self.random = wanted, random.Random(seed)
        self.frame = self.checkpoint = self.durable = 0
        self.version = {}  # frame -> how often it was made
        self.batches, self.segments, self.images = {}, {}, {}
        self.timecuts = {}
        self.film = None
        self.finished = False

    def inventory(self):
        return Inventory(
            frozenset(self.batches),
            frozenset(self.segments),
            frozenset(self.images),
            frozenset(self.timecuts),
            self.checkpoint,
            self.film is not None,
        )

    def train(self):
        if self.frame == PLAN.frames_total:
            return
        before = self.frame
        self.frame = min(before + self.random.randint(1, 12), PLAN.frames_total)
        for number in range(self.frame):
            self.version.setdefault(number, self.random.random())
        for batch in BATCHES:
            if (
                before < batch.stop <= self.frame
                and batch not in self.segments | self.images.keys()
            ):
                self.batches.setdefault(batch, self.content(batch))

    def save(self):
        if self.wanted.checkpoints:
            self.checkpoint = self.frame

    def interrupt(self):
        """What `rewind` does."""
        there = self.batches.keys() | self.segments.keys() | self.images.keys()
        there |= {batch for number in self.timecuts for batch in in_cut(number)}
        if there >= set(BATCHES):
            return
        keep = self.checkpoint
        self.frame = keep
        self.version = {k: v for k, v in self.version.items() if k < keep}
        for shelf in (self.batches, self.segments, self.images):
            for batch in [batch for batch in shelf if batch.stop > keep]:
                del shelf[batch]

    def lose(self):
        """A segment goes whose frames are in a raw batch or in a timecut, or a timecut of them."""
        held = {batch for number in self.timecuts for batch in in_cut(number)}
        goes = self.random.choice(BATCHES)
        if goes in held.union(self.batches):
            self.segments.pop(goes, None)
        number = self.random.choice((1, 2, 3))
        if self.film or self.segments.keys() >= set(in_cut(number)):
            self.timecuts.pop(number, None)

    def content(self, batch):
        return tuple(self.version[number] for number in range(batch.start, batch.stop))

    def render(self):
        now = due(PLAN, self.wanted, self.inventory())
        for batch in now.drop:
            del self.batches[batch]
        tasks = list(now.tasks())
        if not tasks:
            return
        match self.random.choice(tasks):
            case EncodeBatch(batch):
                self.segments[batch] = self.batches[batch]
            case WriteImages(batch):
                assert batch not in self.images
                self.images[batch] = self.batches[batch]
            case PublishTimecut(number, segments):
                assert number not in self.timecuts
                self.timecuts[number] = sum((self.segments[each] for each in segments), ())
            case CutTimecut(number):
                cut = PLAN.cuts[number - 1]
                self.timecuts[number] = self.film[cut.start : cut.stop]
            case JoinFilm(timecuts):
                self.film = sum((self.joined(n, n in timecuts) for n in (1, 2, 3)), ())
            case FinishJob():
                self.finished = True

    def joined(self, number, from_timecut):
        if from_timecut:
            return self.timecuts[number]
        return sum((self.segments[batch] for batch in in_cut(number)), ())


def in_cut(number):
    return batches_by_cut(PLAN)[number - 1]


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("wanted", [VIDEO, IMAGES, BOTH, UNSAVED], ids=str)
def test_in_any_order_of_events_what_is_published_is_what_the_film_shows(wanted, seed):
    world = Simulation(wanted, seed)
    events = [world.train, world.save, world.render, world.interrupt, world.lose]
    weights = [4, 2, 8, 0.5, 2 if wanted.video else 0]
    for _ in range(4000):
        if world.finished:
            break
        world.random.choices(events, weights)[0]()
        for number in world.timecuts:
            cut = PLAN.cuts[number - 1]
            assert world.timecuts[number] == world.content(FrameRange(cut.start, cut.stop))
    assert world.finished
    film = tuple(world.version[number] for number in range(PLAN.frames_total))
    if wanted.video:
        assert world.film == film
        assert sum((world.timecuts[number] for number in (1, 2, 3)), ()) == film
    if wanted.images:
        assert sum((world.images[batch] for batch in BATCHES), ()) == film
