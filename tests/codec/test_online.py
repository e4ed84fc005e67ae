"""A training that is watched by what a receiver, a process of its own, shows of its stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import psutil
import pytest

from jobs.errors import NothingComes
from jobs.families.feed import PICTURES
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.codec.files import Decoding, finish, look, opened_facts, shown
from multitrain.codec.online import PLACE, OnlineSession, closing_before
from multitrain.codec.quality import Quality, psnr
from multitrain.codec.receiving import Shown
from multitrain.codec.sources import Video
from multitrain.codec.stream import Kind
from multitrain.engine.adopting import starting_weights
from multitrain.engine.feeds import OpenFeed
from multitrain.engine.session import Session, SessionSettings, State
from multitrain.families import open_session
from tests.families.photos import PANNED, pans

SIZE, FRAMES, FIFO = Resolution(32, 24), 11, 4
STEPS, HALF = 23, 10
SETTINGS = SessionSettings(deterministic=True)


def job(width: int = SIZE.width, height: int = SIZE.height, **columns: object) -> JobFile:
    cells = {"name": "live", "family": "autoencoder", "stream": "film.mp4", "features": 4}
    cells |= {"grid_width": 1, "grid_height": 1, "steps": STEPS, "latent_channels": 3}
    cells |= {"fifo": FIFO, "online_batch": 2, "learning_rate_g": 0.02, "warm_up": 2}
    cells |= {"update_every": 3, "update_life": 100_000, "precision": "float32"}
    cells |= {"show": "input+output+difference+curve"}
    spec = JobSpec.model_validate(cells | columns)
    return JobFile(spec=spec, image_width=width, image_height=height)


def opened(
    folder: Path, job: JobFile, pictures: np.ndarray | None = None, source: Video | None = None
) -> OnlineSession:
    (feed,) = job.feeds
    if pictures is None:
        pictures = coloured_blocks()
    inner = open_session(job, {PICTURES: OpenFeed(feed, pictures)}, SETTINGS)
    source = source or Video(pictures)
    return OnlineSession(job, source, inner, SETTINGS, folder / "live.mtc")


def coloured_blocks() -> np.ndarray:
    random = np.random.default_rng(0)
    blocks = random.integers(0, 256, (FRAMES, 3, 4, 3), np.uint8)
    return blocks.repeat(8, axis=1).repeat(8, axis=2)


class Whole:
    """A training of all steps, in blocks, that was never interrupted."""

    def __init__(self, folder: Path) -> None:
        self.folder, session = folder, opened(folder, job())
        first = session.run(HALF)
        self.half = session.state()
        second = session.run(STEPS - HALF)
        self.frames = np.concatenate([first.frames, second.frames])
        self.losses = second.losses
        self.last_frame = session.last_frame()
        self.state = session.state()
        session.close()
        self.stream = (folder / "live.mtc").read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return Whole(tmp_path_factory.mktemp("whole"))


def receiver_shows(path: Path) -> Iterator[np.ndarray]:
    from multitrain.codec.coding import Coding
    from multitrain.inference.network import Device

    with path.open("rb") as file:
        facts = opened_facts(file)
        coding = Coding(facts, Device(facts.job, SETTINGS))
        for each in shown(file, facts, coding, Decoding()):
            assert isinstance(each, Shown), each
            yield each.picture


def test_the_film_shows_what_the_receiver_makes_of_the_bytes(whole: Whole) -> None:
    output = whole.folder / "published.mtc"
    finish(whole.folder / "live.mtc", output)
    pictures = np.stack(list(receiver_shows(output)))
    assert whole.frames.shape == (STEPS, SIZE.height + 24, 3 * SIZE.width, 3)
    assert np.array_equal(whole.frames[:, : SIZE.height, 32:64], pictures)
    assert np.array_equal(whole.last_frame[0], whole.frames[-1])
    assert len(np.unique(pictures)) > 10, "the pictures say nothing"


def test_every_byte_and_every_version_is_counted(whole: Whole) -> None:
    contents = look(whole.folder / "live.mtc")
    assert sum(contents.bytes.values()) == len(whole.stream)
    assert contents.frames == STEPS
    assert contents.packets[Kind.WEIGHTS] == 1
    assert contents.packets[Kind.CHANGE] == len(contents.models) - 1 > 0
    sent = len(whole.stream) - int(whole.half[PLACE][0])
    assert whole.losses["bytes"] == pytest.approx(sent / (STEPS - HALF))
    assert 5 < whole.losses["psnr"] < 40


def test_a_resume_goes_on_as_if_nothing_had_been(whole: Whole, tmp_path: Path) -> None:
    """Also where more was sent than the checkpoint covers: that is sent anew."""
    (tmp_path / "live.mtc").write_bytes(whole.stream)
    again = opened(tmp_path, job())
    again.restore(whole.half)
    assert np.array_equal(again.last_frame()[0], whole.frames[HALF - 1])
    assert np.array_equal(again.run(STEPS - HALF).frames, whole.frames[HALF:])
    found = again.state()
    again.close()
    assert (tmp_path / "live.mtc").read_bytes() == whole.stream
    assert found.keys() == whole.state.keys()
    assert all(np.array_equal(found[name], each) for name, each in whole.state.items())


def test_where_the_stream_has_changed_another_one_begins(whole: Whole, tmp_path: Path) -> None:
    """A damaged one would have the receiver wait for what never comes; it is set aside."""
    damaged = bytearray(whole.stream)
    damaged[int(whole.half[PLACE][0]) - 3] ^= 1
    (tmp_path / "live.mtc").write_bytes(damaged)
    again = opened(tmp_path, job())
    again.restore(whole.half)
    assert again.run(2).frames.shape[0] == 2
    again.close()
    assert look(tmp_path / "live.mtc").frames == 2
    assert (tmp_path / "live.lost").read_bytes() == damaged


class Inner:
    """A session whose decoder has become NaN."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __getattr__(self, name: str) -> object:
        return getattr(self._session, name)

    def state(self) -> State:
        state = self._session.state()
        return {
            name: np.full_like(each, np.nan) if name.startswith("decoder/") else each
            for name, each in state.items()
        }


class Ending(Video):
    """A video of which a few frames come, and then none."""

    def come(self, number: int) -> np.ndarray:
        if number == FIFO + 2:
            raise NothingComes("no frame came")
        return super().come(number)


def test_what_has_come_before_a_stream_ends_is_shown(tmp_path: Path) -> None:
    """And weights that are not finite are not sent: the losses tell of them."""
    session = opened(tmp_path, job(), source=Ending(coloured_blocks()))
    session.run(FIFO)
    session._inner = Inner(session._inner)
    assert len(session.run(10).frames) == 2
    assert session.step == FIFO + 2
    with pytest.raises(NothingComes):
        session.run(1)
    assert session.state()[PLACE][3] == FIFO + 2
    session.close()
    assert look(tmp_path / "live.mtc").packets[Kind.CHANGE] == 0


def test_one_session_is_closed_before_the_next_one_is_opened() -> None:
    """Both write into one file, and take one camera."""
    closed: list[int] = []

    class Opened:
        def __init__(self, number: int) -> None:
            self.number = number

        def close(self) -> None:
            closed.append(self.number)

    numbers = iter(range(9))
    with ExitStack() as at_the_end:
        opener = closing_before(lambda: Opened(next(numbers)), at_the_end)
        assert [opener().number, opener().number] == [0, 1]
        assert closed == [0]
    assert closed == [0, 1]


@pytest.mark.long
def test_ten_thousand_frames_take_no_more_memory(tmp_path: Path) -> None:
    session = opened(tmp_path, job(steps=10_000, update_every=50))
    used = []
    for _ in range(10):
        session.run(1000)
        processes = [psutil.Process(), *psutil.Process().children()]
        used.append(sum(each.memory_info().rss for each in processes))
    session.close()
    assert used[-1] < 1.02 * used[1], used


@pytest.mark.long
def test_the_last_frames_are_better_than_without_learning(tmp_path: Path) -> None:
    """By a decibel at least: photos that were never seen, by a network that has learnt others."""
    seen, unseen = (
        pans(names, 4, 160, 50, 0)[:, 32:128] for names in (PANNED, ("chelsea.png", "coffee.png"))
    )
    columns = {"features": None, "latent_channels": 10, "learning_rate_g": 0.001}
    offline = job(160, 96, stream=None, dataset="d", batch_size=16, show="output", **columns)
    trained = open_session(offline, {PICTURES: OpenFeed(offline.feeds[0], seen)}, SETTINGS)
    trained.run(300)
    weights = starting_weights(trained.state(), "autoencoder")
    columns |= {"fifo": 20, "online_batch": None, "update_every": 10, "update_life": 250}
    online = job(160, 96, warm_up=None, show="output", **columns)
    session = opened(tmp_path, online, unseen)
    coding, without = session.coding, Quality(session.coding)
    session.adopt(weights, fitting=False)
    last = slice(len(unseen) - 25, None)
    untrained = without.of(
        coding.place_encoder(weights), coding.weights_of_decoder(weights), unseen[last]
    )
    made = session.run(len(unseen)).frames[last]
    session.close()
    trained = [psnr(*each) for each in zip(made, unseen[last], strict=True)]
    assert np.mean(trained) > untrained.mean() + 1, (np.mean(trained), untrained.mean())
