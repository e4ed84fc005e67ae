import random
from dataclasses import replace

import pytest

from jobs.loops import Loop
from jobs.outputs import LoopFile, Pictures
from jobs.plan import FramePlan, FrameRange
from render.timecuts import (
    Due,
    EncodeBatch,
    FinishJob,
    Inventory,
    JoinFilm,
    MakeExtra,
    PublishTimecut,
    Wanted,
    WriteImages,
    all_batches,
    due,
)

PLAN = FramePlan(
    frame_width=2400, frame_height=1800, box_width=2400, box_height=1800,  # ten a batch
    fps=60, frames_total=70, frames_per_step=1, cut_frames=25,
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
        self.film = self.finished = False

    def inventory(self):
        return Inventory(
            frozenset(self.batches),
            frozenset(self.segments),
            frozenset(self.images),
            frozenset(self.timecuts),
            self.checkpoint,
            self.film,
        )

    def train(self):
        if self.frame == PLAN.frames_total:
            return
        self.frame = min(self.frame + self.random.randint(1, 12), PLAN.frames_total)
        for number in range(self.frame):
            self.version.setdefault(number, self.random.random())
        for batch in BATCHES:
            if batch.stop <= self.frame and batch not in self.segments | self.images.keys():
                self.batches.setdefault(batch, self.content(batch))

    def save(self):
        if self.wanted.checkpoints:
            self.checkpoint = self.frame

    def interrupt(self):
        """What `rewind` does."""
        there = self.batches.keys() | self.segments.keys() | self.images.keys()
        if there >= set(BATCHES):
            return
        keep = self.checkpoint
        self.frame = keep
        self.version = {k: v for k, v in self.version.items() if k < keep}
        for shelf in (self.batches, self.segments, self.images):
            for batch in [batch for batch in shelf if batch.stop > keep]:
                del shelf[batch]

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
            case JoinFilm():
                self.film = True
            case FinishJob():
                self.finished = True


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("wanted", [VIDEO, IMAGES, BOTH, UNSAVED], ids=str)
def test_in_any_order_of_events_what_is_published_is_what_the_film_shows(wanted, seed):
    world = Simulation(wanted, seed)
    events = [world.train, world.save, world.render, world.render, world.interrupt]
    weights = [4, 2, 4, 4, 0.5]
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
        assert sum((world.segments[batch] for batch in BATCHES), ()) == film
        assert sum((world.timecuts[number] for number in (1, 2, 3)), ()) == film
    if wanted.images:
        assert sum((world.images[batch] for batch in BATCHES), ()) == film
