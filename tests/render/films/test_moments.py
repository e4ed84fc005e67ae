"""The moments of a film that are most worth seeing, and their stills."""

from __future__ import annotations

import logging
import os
import threading

import pytest
from PIL import Image

from jobs.workspace.files import listing
from jobs.workspace.moments import MOST, read_shortlist
from render.films import moments
from render.films.moments import look_for_moments, moments_of
from tests.footage import number_of, write_video
from tests.render.workbench import run, whole


def unheard(_: int) -> None:
    """Nobody wants it to end."""


def test_a_finished_film_has_its_moments(make_job, start_worker):
    paths, job = make_job(frames=40, cut=20)
    whole(paths, job)
    run(start_worker("job"))
    assert paths.is_done
    kept = read_shortlist(paths, paths.film())
    assert kept
    assert len(kept.moments) == MOST
    for each in kept.moments:
        assert each.seconds == pytest.approx(each.frame / job.spec.fps, abs=0.001)
        with Image.open(paths.still(each.frame)) as still:
            assert still.format == "JPEG"
    assert sorted(listing(paths.moments)) == sorted(
        ["shortlist.json", *(paths.still(each.frame).name for each in kept.moments)]
    )


def test_they_are_found_once_and_again_where_anything_is_not_as_it_was(workspace, monkeypatch):
    paths = workspace.job("job")
    film = write_video(workspace.root / "film.mp4", 60)
    found = moments_of(paths, film, unheard)
    assert number_of(paths.still(found.moments[0].frame)) == found.moments[0].frame
    looked = []
    monkeypatch.setattr(moments, "find_moments", lambda *_: looked.append(1) or [])
    assert moments_of(paths, film, unheard) == found
    assert not looked
    monkeypatch.undo()
    for spoil in (
        lambda: paths.shortlist.write_text('{"film": "film.mp4", "bytes'),
        lambda: paths.shortlist.write_text("[]"),
        lambda: next(paths.moments.glob("*.jpg")).unlink(),
        lambda: os.utime(film, ns=(1, 1)),
        paths.shortlist.unlink,
    ):
        moments_of(paths, film, unheard)
        spoil()
        assert read_shortlist(paths, film) is None
    moments_of(paths, write_video(workspace.root / "other.mp4", 10), unheard)
    assert len(listing(paths.moments)) <= 1 + MOST, "stills of the film before are gone"


def test_what_goes_wrong_there_costs_the_job_nothing(make_job, start_worker, monkeypatch, caplog):
    paths, job = make_job(frames=20, cut=20)
    whole(paths, job)
    paths.moments.write_text("a file where the folder would be")
    with caplog.at_level(logging.WARNING):
        run(start_worker("job"))
    assert paths.is_done
    assert "job: no moments of its film" in caplog.text


def test_a_worker_that_is_to_end_leaves_them_for_later(make_job, caplog):
    paths, job = make_job(frames=20, cut=20)
    paths.film().parent.mkdir(exist_ok=True)
    write_video(paths.film(), 20)
    stop = threading.Event()
    stop.set()
    look_for_moments(paths, job, stop)
    assert not paths.moments.exists()
    stop.clear()
    look_for_moments(paths, job, stop)
    assert read_shortlist(paths, paths.film())
