"""Finds the moments of a film that are most worth seeing, and keeps them with their stills."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from PIL import Image

from jobs.errors import MultitrainError
from jobs.workspace.files import atomic_write, listing
from jobs.workspace.jobfile import JobFile
from jobs.workspace.moments import (
    MOST,
    Moment,
    Shortlist,
    read_shortlist,
    state_of,
    write_shortlist,
)
from jobs.workspace.paths import JobPaths
from render.clips.posters import draw_poster
from render.clips.sampling import SAMPLES
from render.clips.shortlist import LOOKED_AT, find_moments
from render.encoding.ffmpeg import Stopped
from render.encoding.watching import OnProgress
from render.files.film import Film
from render.files.reading import FilmReader

STILL = 480  # pixels of its longer side at most
QUALITY = 85  # of the JPEG, out of 100
LOOKS = SAMPLES + LOOKED_AT + MOST  # about so many times `on_progress` is called

log = logging.getLogger(__name__)


def look_for_moments(paths: JobPaths, job: JobFile, stop: threading.Event) -> None:
    """Keep the moments of a job's film, or of its first box, where they are not there already.

    Its failures are logged and stop nothing: others find them later. It ends soon after `stop`.
    """

    def tell(_: int) -> None:
        if stop.is_set():
            raise Stopped

    if not job.spec.render_video:
        return
    try:
        moments_of(paths, paths.films(job.plan)[0], tell)
    except Stopped:
        log.info("%s: the moments of its film are left for later", paths.name)
    except (MultitrainError, OSError) as error:
        log.warning("%s: no moments of its film: %s", paths.name, error)


def moments_of(paths: JobPaths, film: Path, on_progress: OnProgress) -> Shortlist:
    """The moments of this film as they are kept; where they are not, they are found and kept.

    MultitrainError where the film cannot be read, OSError where what is found cannot be kept.
    """
    if kept := read_shortlist(paths, film):
        return kept
    state = state_of(film)  # before anything is read: one that is replaced meanwhile is another
    looked_at = Film.look(film)
    found = find_moments(looked_at, MOST, on_progress)
    with FilmReader([looked_at]) as reader:
        for frame in sorted(each.place for each in found):
            _keep_still(draw_poster(reader[frame]), paths.still(frame))
            on_progress(0)
    fps = looked_at.format.fps
    moments = [
        Moment(
            frame=each.place,
            seconds=round(float(each.place / fps), 3),
            motion=each.motion,
            novelty=each.novelty,
        )
        for each in found
    ]
    shortlist = Shortlist.model_validate({**state, "moments": moments})
    write_shortlist(paths, shortlist)
    _sweep(paths, shortlist)
    return shortlist


def _keep_still(image: Image.Image, path: Path) -> None:
    image.thumbnail((STILL, STILL), Image.Resampling.LANCZOS)
    with atomic_write(path) as part:
        image.save(part, "JPEG", quality=QUALITY)


def _sweep(paths: JobPaths, shortlist: Shortlist) -> None:
    """Remove stills of an earlier film."""
    known = {paths.shortlist.name, *(paths.still(each.frame).name for each in shortlist.moments)}
    for name in listing(paths.moments):
        if name not in known:
            (paths.moments / name).unlink(missing_ok=True)
