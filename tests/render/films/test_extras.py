"""What is made of the film: given up, stopped, waited for, and left to others."""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
import time

import pytest

from jobs.errors import MultitrainError
from jobs.sheets.loop_rules import impossible_loop
from jobs.sheets.sizes import extra_bytes
from jobs.workspace import moves
from jobs.workspace.files import listing, part_of
from jobs.workspace.outputs import Export, LoopFile, Pictures, extras
from render.encoding import ffmpeg
from render.encoding.ffmpeg import Stopped
from render.files.digests import mark, marked
from render.films.clearing import sweep
from render.films.extras import make_extra
from render.films.films import finish_job, look_at_films
from render.spool.notes import (
    film_is_made,
    is_made,
    is_over,
    made_extras,
    note_digest,
    note_film,
    note_given_up,
    note_made,
    still_to_draw,
)
from render.worker import rendering
from render.worker.worker import RenderWorker
from tests.inline import Inline
from tests.render.numbered import checkpoint, numbers_in, spool
from tests.render.workbench import Held, run

LOOPS = "pingpong(frames=6), walk(frames=9)"


def filmed(make_job, start_worker, **columns):
    """A job whose film is there, and all that the worker makes of it; walks are not."""
    paths, job = make_job(frames=12, loops=LOOPS, **columns)
    spool(paths, job, 0, 12)
    checkpoint(paths, 12)
    run(start_worker("job"))
    return paths, job


def test_a_job_waits_for_its_walks_and_is_done_without_those_given_up(make_job, start_worker):
    paths, job = filmed(make_job, start_worker)
    assert paths.film().exists()
    assert not paths.manifest.exists()
    (walk,) = still_to_draw(paths, job)
    note_given_up(paths, job, walk)
    run(start_worker("job"))
    told = [each["file"] for each in json.loads(paths.manifest.read_text())["made_of_the_film"]]
    assert told == ["job.jpg", "job.contact.jpg", "job_loop0001.mp4"]
    assert walk not in made_extras(paths, job)


def test_an_older_file_is_not_taken_for_what_was_given_up(make_job, start_worker):
    paths, job = filmed(make_job, start_worker)
    (walk,) = still_to_draw(paths, job)
    (older,) = paths.files_of(walk, job.spec)
    older.write_text("of another night")
    note_given_up(paths, job, walk)
    run(start_worker("job"))
    assert paths.manifest.exists()
    assert walk not in made_extras(paths, job)
    assert older.name not in paths.manifest.read_text()


def test_other_settings_make_it_anew(make_job, start_worker):
    paths, job = filmed(make_job, start_worker)
    paths.film().rename(paths.film().with_name("kept.mp4"))
    pingpong = LoopFile(1, None, job.spec.loops[0])
    assert is_made(paths, job, pingpong)
    other = LoopFile(1, None, job.spec.loops[0].parse("pingpong(frames=8)"))
    assert not is_made(paths, job, other)
    assert not is_over(paths, job, other)


def test_a_worker_that_starts_leaves_alone_what_others_are_making(make_job):
    paths, job = make_job(format="h264,hap", loops=LOOPS)
    renders = paths.workspace.renders
    renders.mkdir()
    others = ["job_loop0002.mp4", "job.gif", "job.mov.txt", "other.mp4", "job_loop0003.mp4"]
    own = ["job.mp4", "job_timecut0001.mp4", "job.hap.mov", "job_loop0001.mp4", "job.jpg"]
    for name in (*others, *own, "job.json"):
        part_of(renders / name).write_text("half")
    sweep(paths, job)
    assert listing(renders) == sorted(part_of(renders / name).name for name in others)


def test_a_wish_to_stop_leaves_nothing(make_job, start_worker):
    paths, job = filmed(make_job, start_worker)
    before = listing(paths.workspace.renders)
    stop = threading.Event()
    stop.set()
    for extra in (Pictures(None), Export(None, "gif"), LoopFile(3, None, job.spec.loops[0])):
        with pytest.raises(Stopped):
            make_extra(paths, job, extra, stop)
    assert listing(paths.workspace.renders) == before


def test_a_wish_to_stop_ends_a_program():
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        ffmpeg.run([sys.executable, "-c", "import time; time.sleep(60)"], stop=stop)
    assert time.monotonic() - began < 30


def test_what_is_stopped_counts_as_no_failure(make_job, start_worker):
    paths, job = filmed(make_job, start_worker)
    worker = rendering.Rendering(paths, job, threading.Event())
    task = rendering.MakeExtra(Export(None, "gif"))
    for _ in range(2 * rendering.TRIES):
        assert not worker.ended(task, Stopped(), 0.0)
    assert not is_over(paths, job, task.extra)


def test_what_fails_again_and_again_is_given_up_and_the_job_goes_on(make_job, start_worker):
    paths, job = filmed(make_job, start_worker)
    worker = rendering.Rendering(paths, job, threading.Event())
    task = rendering.MakeExtra(Export(None, "gif"))
    for number in range(rendering.TRIES):
        assert not is_over(paths, job, task.extra)
        assert not worker.ended(task, MultitrainError("no"), float(number))
    assert is_over(paths, job, task.extra)
    assert not is_made(paths, job, task.extra)


def test_extras_wait_for_room_and_the_film_does_not(
    make_job, workspace, courier, monkeypatch, caplog
):
    """What they take is reckoned before they begin."""
    paths, job = make_job(frames=12, format="h264,ffv1")
    (export,) = [each for each in extras(job.spec, job.plan) if isinstance(each, Export)]
    assert extra_bytes(export, job) == round(12 * 32 * 32 * 3.4)
    free = [1000 + extra_bytes(export, job) - 1]
    monkeypatch.setattr(rendering, "free_bytes", lambda folder: free[0])
    spool(paths, job, 0, 12)
    checkpoint(paths, 12)
    worker = RenderWorker(workspace, Inline(), 100, courier, keep_free=1000)
    worker.take_up("job")
    now = run(worker)
    assert paths.film().exists()
    assert paths.files_of(Pictures(None), job.spec)[0].exists()
    assert not paths.files_of(export, job.spec)[0].exists()
    assert caplog.text.count("waits for room") == 1
    free[0] += 1
    run(worker, now)
    assert paths.files_of(export, job.spec)[0].exists()
    assert paths.manifest.exists()


def test_what_its_user_moved_away_is_neither_made_again_nor_waited_for(make_job, start_worker):
    paths, job = filmed(make_job, start_worker)
    (walk,) = still_to_draw(paths, job)
    (drawn,) = paths.files_of(walk, job.spec)
    drawn.write_text("drawn")
    note_made(paths, job, walk)
    (pingpong,) = paths.files_of(LoopFile(1, None, job.spec.loops[0]), job.spec)
    for file in (drawn, pingpong):
        file.unlink()
    run(start_worker("job"))
    assert paths.manifest.exists()
    assert not pingpong.exists()
    told = json.loads(paths.manifest.read_text())["made_of_the_film"]
    assert {"made": str(walk), "file": drawn.name} in told


def test_giving_up_takes_what_was_half_made(make_job, start_worker):
    paths, job = filmed(make_job, start_worker)
    (walk,) = still_to_draw(paths, job)
    half = part_of(paths.files_of(walk, job.spec)[0])
    half.write_text("half")
    note_given_up(paths, job, walk)
    assert not half.exists()


@pytest.mark.parametrize(
    ("size", "frames", "columns"),
    [
        ((21, 21), 60, {"loops": "pingpong(crop=22x22)"}),  # the film is even
        ((32, 32), 32, {"fps": 30, "loops": "pingpong(seconds=1.05, format=gif)"}),
        ((32, 32), 60, {"loops": "walk(seconds=0.5, format=gif, grid=3x1, crop=40x20)"}),
    ],
)
def test_whatever_loop_can_be_has_a_size(make_job, size, frames, columns):
    seconds = frames / columns.get("fps", 60)
    _, job = make_job(frames=frames, size=size, **{"video_length": seconds / 60, **columns})
    assert impossible_loop(job) is None
    (loop,) = [each for each in extras(job.spec, job.plan) if isinstance(each, LoopFile)]
    assert extra_bytes(loop, job) > 0


def test_extras_that_fit_one_by_one_but_not_together_are_made_in_turn(
    make_job, workspace, courier, monkeypatch
):
    paths, job = make_job(frames=12, format="h264,ffv1,png")
    exports = [each for each in extras(job.spec, job.plan) if isinstance(each, Export)]
    sizes = [extra_bytes(each, job) for each in exports]
    monkeypatch.setattr(rendering, "free_bytes", lambda folder: 1000 + max(sizes))
    spool(paths, job, 0, 12)
    checkpoint(paths, 12)
    held = Held()
    worker = RenderWorker(workspace, Inline(), 100, courier, keep_free=1000)
    worker.take_up("job")
    worker._executor = Inline()
    for second in range(3):  # until the film is there
        worker.tick(float(second))
    worker._executor = held
    for second in range(3, 9):
        worker.tick(float(second))
    begun = [str(task) for _, task in held.tasks()]
    assert len([each for each in begun if "of the film" in each]) == 1


def test_a_disk_that_is_away_for_a_moment_gives_up_no_job(make_job, start_worker, monkeypatch):
    paths, job = make_job(frames=12)
    spool(paths, job, 0, 12)
    checkpoint(paths, 12)
    worker = start_worker("job")
    away = [True]

    def take(*arguments, real=rendering.take_inventory):
        if away[0]:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(*arguments)

    monkeypatch.setattr(rendering, "take_inventory", take)
    for second in range(20):
        worker.tick(float(second))
    assert not paths.render_failure.exists()
    away[0] = False
    run(worker, 20.0)
    assert paths.manifest.exists()


@pytest.mark.parametrize("place", [0, 2000], ids=["cannot be read", "shows something else"])
def test_what_is_made_of_a_film_that_is_damaged_meanwhile_is_made_of_another(
    make_job, start_worker, monkeypatch, place
):
    paths, job = make_job(frames=12, format="h264,ffv1")
    film, whole = paths.film(), []

    def damage_first(*arguments):
        if not whole:
            whole.append(film.read_bytes())
            with film.open("r+b") as file:
                file.seek(place)
                file.write(b"\xa5" * 40)
            later = time.time_ns() + 10**9
            os.utime(film, ns=(later, later))
        make_extra(*arguments)

    monkeypatch.setattr(rendering, "make_extra", damage_first)
    spool(paths, job, 0, 12)
    checkpoint(paths, 12)

    run(start_worker("job"))

    assert paths.manifest.exists()
    assert film.read_bytes() == whole[0]
    assert numbers_in(paths.workspace.renders / "job.ffv1.mov") == list(range(12))
    assert film.name in listing(paths.workspace.earlier / "job-1"), "nothing is thrown away"


def test_a_kill_while_a_damaged_film_is_set_aside_leaves_no_note_of_it(make_job, monkeypatch):
    """Else the next run would take it for made, and wait for it without end."""
    paths, job = make_job(frames=12)
    film = paths.film()
    film.parent.mkdir(parents=True, exist_ok=True)
    film.write_bytes(b"damaged")
    note_film(paths, job)
    note_digest(paths, film, "0" * 64)

    class Killed(BaseException):
        pass

    def kill(_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(moves, "finish_moves", kill)  # when what is to be done is written down
        with pytest.raises(Killed):
            look_at_films(paths, job, [film], thoroughly=True)
    assert film_is_made(paths, job.plan)
    moves.finish_moves(paths)

    assert not film_is_made(paths, job.plan)
    assert not paths.made(film).exists()
    assert (paths.workspace.earlier / "job-1" / film.name).read_bytes() == b"damaged"


@pytest.mark.parametrize("name", ["job_loop0001.mp4", "job.ffv1.mov", "job.contact.jpg"])
def test_what_is_damaged_before_it_is_noted_is_made_again(
    make_job, start_worker, monkeypatch, tmp_path, name
):
    probe = tmp_path / "probe"
    probe.touch()
    mark(probe, "known")
    if marked(probe) is None:
        pytest.skip("this disk keeps nothing beside a file")
    paths, job = make_job(frames=12, format="h264,ffv1", loops="pingpong(frames=6)")
    output, whole = paths.workspace.renders / name, []

    def damage(*arguments):  # between the moment at which it appears and the note of it
        if output.exists() and not whole:
            whole.append(output.read_bytes())
            output.write_bytes(b"damaged")
        look_at_films(*arguments)

    monkeypatch.setattr("render.films.extras.look_at_films", damage)
    spool(paths, job, 0, 12)
    checkpoint(paths, 12)

    run(start_worker("job"))

    assert paths.manifest.exists()
    assert whole
    assert output.stat().st_size == len(whole[0])


@pytest.mark.parametrize("content", ["", "0" * 32, "0" * 64], ids=["empty", "half", "another"])
@pytest.mark.parametrize("name", ["job.mp4", "job_loop0001.mp4"])
def test_a_damaged_note_costs_no_job(make_job, start_worker, monkeypatch, name, content):
    paths, job = make_job(frames=12, loops="pingpong(frames=6)")
    output, harmed = paths.workspace.renders / name, []

    def damage(*arguments):
        if paths.digest(output).exists() and not harmed:
            harmed.append(True)
            paths.digest(output).write_text(content)
        finish_job(*arguments)

    monkeypatch.setattr(rendering, "finish_job", damage)
    spool(paths, job, 0, 12)
    checkpoint(paths, 12)

    run(start_worker("job"))

    assert harmed
    assert paths.manifest.exists()
    assert len(numbers_in(output)) == (12 if name == "job.mp4" else 6)
