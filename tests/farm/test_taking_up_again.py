"""Jobs that are done, and are asked for more: another film is not trained for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jobs.workspace.paths import DIGEST, Workspace
from jobs.workspace.store import Store
from multitrain.farm.entries import Action
from tests.farm.done_job import Done, states
from tests.farm.simulation import make_job


def test_a_job_that_is_done_is_left_alone(done: Callable[..., Done]) -> None:
    before = done()
    entry = before.submit()
    assert (entry.action, entry.notes) == (Action.STAY, ())


@pytest.mark.parametrize(
    ("cells", "told", "state"),
    [
        ({"format": "h264,hap"}, "hap of the film is made now", "rendering"),
        ({"format": "hap"}, "its film stays h264, as it began; hap is made of it", "rendering"),
        ({"loops": "pingpong(frames=8)"}, "loop 1: pingpong(frames=8) is made now", "rendering"),
        ({"loops": "walk(frames=8)"}, "loop 1: walk(frames=8) is made now", "queued"),
    ],
)
def test_what_is_asked_for_when_the_film_is_there_is_made_of_it(
    store: Store, done: Callable[..., Done], cells: dict[str, str], told: str, state: str
) -> None:
    before = done()
    entry = before.submit(make_job("a", **cells))
    assert entry.action is Action.REOPEN
    assert any(told in note for note in entry.notes)
    assert states(store) == {"a": state}
    assert not before.paths.is_done
    assert before.paths.manifest.exists()
    assert before.paths.film().exists()
    assert entry.job.spec.format[0] == "h264"


def test_a_loop_whose_place_another_takes_is_kept(
    workspace: Workspace, done: Callable[..., Done]
) -> None:
    before = done(loops="pingpong(frames=8)")
    loop = workspace.renders / "a_loop0001.mp4"
    loop.write_text("of 8 frames")
    before.submit(make_job("a", loops="pingpong(frames=10)"))
    assert not loop.exists()
    assert (workspace.earlier / "a-1" / loop.name).read_text() == "of 8 frames"


def test_a_film_that_is_gone_is_made_again_from_its_timecuts(
    store: Store, done: Callable[..., Done]
) -> None:
    before = done()
    before.paths.film().unlink()
    entry = before.submit()
    assert entry.action is Action.REOPEN
    assert entry.notes == ("a.mp4 is not there any more; it is made again from its timecuts",)
    assert states(store) == {"a": "rendering"}


def test_a_film_that_is_damaged_is_kept_as_well(
    workspace: Workspace, done: Callable[..., Done]
) -> None:
    before = done()
    before.paths.film().write_text("no video")
    assert before.submit().action is Action.REOPEN
    assert (workspace.earlier / "a-1" / "a.mp4").read_text() == "no video"


def test_where_neither_film_nor_timecut_is_there_training_is_said_and_not_done(
    store: Store, done: Callable[..., Done]
) -> None:
    before = done()
    for video in before.videos():
        video.unlink()
    entry = before.submit()
    assert entry.action is Action.STAY
    assert "a is done, but a.mp4, a_timecut0001.mp4 cannot be used" in entry.notes[0]
    assert "--fresh a trains it anew" in entry.notes[0]
    assert states(store) == {"a": "done"}


def test_a_manifest_that_is_damaged_is_written_anew(
    store: Store, done: Callable[..., Done]
) -> None:
    before = done()
    before.paths.manifest.write_text("{")
    assert before.submit().action is Action.REOPEN
    noted = {path.name for path in before.paths.made_folder.iterdir()}
    assert {name for name in noted if not name.endswith(DIGEST)} == {"a.mp4", "a.jpg"}
    assert states(store) == {"a": "rendering"}


def test_failures_of_before_are_forgotten_where_it_is_tried_again(
    done: Callable[..., Done],
) -> None:
    before = done()
    before.paths.film().unlink()
    before.paths.render_failure.write_text("{}")
    assert before.submit().action is Action.REOPEN
    assert not before.paths.render_failure.exists()
