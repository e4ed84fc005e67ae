"""What is wrong with the loops that a job asks for, found before anything is made."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from jobs.errors import UsageError
from jobs.families.table import family_of
from jobs.plans.cycles import Footage, plan_loop_in
from jobs.plans.framing import framing
from jobs.settings.kinds import LARGEST_SIDE, Resolution
from jobs.settings.loops import Loop, WalkSettings
from jobs.settings.songs import SongSettings
from jobs.settings.videos import VIDEOS, holds_sound, notes_on_loop
from jobs.settings.words import quoted
from jobs.workspace.jobfile import JobFile
from jobs.workspace.outputs import format_of

MOST_LOOPS = 9_999  # their names have four digits
NONE_KEPT = "it needs checkpoints that are kept; set keep_checkpoints, such as every 1000 steps"


def impossible_loop(job: JobFile) -> str | None:
    """What is wrong with the first loop that cannot be made; None where all can."""
    loops = job.spec.loops or ()
    if len(loops) > MOST_LOOPS:
        return f"has {len(loops)} loops; {MOST_LOOPS} are the most"
    for number, loop in enumerate(loops, 1):
        try:
            reason = _wrong_walk(loop, job) if loop.is_walk else _wrong_cut(loop, job)
            reason = reason or _wrong_scaling(loop, job)
        except UsageError as error:
            reason = str(error)
        if reason:
            return f"loop {number}, {loop.name}: {reason}"
    return None


def notes_on_loops(job: JobFile) -> Iterator[str]:
    """How loops will differ from what was asked for; all loops of the job must be possible."""
    spec = job.spec
    for number, loop in enumerate(spec.loops or (), 1):
        if loop.is_to_song and not holds_sound(format_of(loop, spec)):
            yield f"loop {number}, {loop.name}: {format_of(loop, spec)} holds no sound"
        if loop.scale_with:  # another job's network decides how large it becomes
            continue
        size = framing(shown_before(loop, job), loop["crop"], loop["scale"]).size
        for note in notes_on_loop(format_of(loop, spec), *size, loop["fps"] or spec.fps):
            yield f"loop {number}, {loop.name}: {note}"


def walk_grid(job: JobFile, walk: WalkSettings) -> Resolution:
    """Samples side by side, and one above the other."""
    return walk.grid or Resolution(job.spec.grid_width, job.spec.grid_height)


def walk_frame(job: JobFile, walk: WalkSettings) -> Resolution:
    """The size in pixels of what is drawn, before it is cut and scaled."""
    grid = walk_grid(job, walk)
    return Resolution(grid.width * job.cell.width, grid.height * job.cell.height)


def impossible_walk(job: JobFile, walk: WalkSettings) -> str | None:
    """Why there can be no such walk, whatever has been trained; None where there can.

    UsageError where it cannot be cut as asked.
    """
    if family_of(job.spec).sampler is None:
        return f"a walk is drawn by a trained network, and {job.spec.family} has none"
    if walk.through_time and walk.checkpoint is not None:
        return "a walk through time goes through all kept steps; name no checkpoint"
    if walk.song and (reason := walk.song.mistake or _wrong_song(walk.song)):
        return reason
    drawn = walk_frame(job, walk)
    shown = framing(drawn, walk.crop, walk.scale).size
    return _too_large(drawn, "grid") or _too_large(shown, "scale")


def _wrong_song(song: SongSettings) -> str | None:
    """What is wrong with a song, by its header. UsageError where it has no sound."""
    from jobs.videos.sounds import about_seconds  # takes a while, and few sheets name songs

    seconds = about_seconds(song.file)
    if seconds is not None and song.start >= seconds:
        return ends_before(song.file, seconds, song.start)
    return None


def ends_before(song: Path, seconds: float, start: float) -> str:
    """Of a song in which nothing is left for a walk."""
    return f"{song} lasts {seconds:.1f} s, and the walk would begin after {start:g} s"


def _wrong_walk(loop: Loop, job: JobFile) -> str | None:
    """What is wrong with a walk, if anything. UsageError where it cannot be cut as asked."""
    spec, walk = job.spec, loop.walk_settings()
    if walk.song and not walk.song.file.is_absolute():
        return f"names {quoted(walk.song.file)}; give the whole path, such as /home/me/song.mp3"
    if reason := impossible_walk(job, walk):
        return reason
    if not spec.use_checkpoints:
        return "it is drawn from a checkpoint, and use_checkpoints is False"
    every, last = spec.keep_checkpoints, job.plan.steps_total
    if walk.through_time:
        return _too_few_kept(every, spec.first_frame_after, last)
    if walk.checkpoint is None or walk.checkpoint == last:  # the last is there by then
        return None
    if not every:
        return NONE_KEPT
    if walk.checkpoint % every or walk.checkpoint > last:
        kept = f"keep_checkpoints keeps each {every}th, and the last is {last}"
        return f"step {walk.checkpoint} is not kept: {kept}"
    return None


def _too_few_kept(every: int | None, first: int, last: int) -> str | None:
    """What is wrong with a walk through time, which begins at step `first` or later."""
    if every is None:
        return NONE_KEPT
    if first and last // every - -(-first // every) < 1:
        return (
            f"it goes from a kept checkpoint to another, from step {first} on (first_frame_after), "
            f"and the last step is {last}; set keep_checkpoints to less than {every}"
        )
    if every > last:  # step 0 is kept, which alone is too little
        return (
            "it goes from a kept checkpoint to another, and only that of step 0 is kept: the last "
            f"step is {last}; set keep_checkpoints to at most that, instead of {every}"
        )
    return None


def _wrong_cut(loop: Loop, job: JobFile) -> str | None:
    """What is wrong with a cut loop. UsageError where the film is too short or too small."""
    spec, plan, clip = job.spec, job.plan, loop.clip_settings()
    if not spec.render_video:
        return "it is cut from the film, and render_video is False"
    footage = Footage(plan.frames_total, Fraction(plan.fps))
    plan_loop_in(format_of(loop, spec), clip, footage)
    return _too_large(framing(shown_before(loop, job), clip.crop, clip.scale).size, "scale")


def _wrong_scaling(loop: Loop, job: JobFile) -> str | None:
    """What is wrong with how it is enlarged, as far as the job alone tells."""
    if loop.scale_with and not job.spec.use_checkpoints:
        return (
            "what scale_with asks for is made when the training is over, by a trainer that goes on "
            "from a checkpoint, and use_checkpoints is False"
        )
    return None


def shown_before(loop: Loop, job: JobFile) -> Resolution:
    """The size in pixels of what a loop shows, before it is cut and scaled."""
    if loop.is_walk:
        return walk_frame(job, loop.walk_settings())
    plan = job.plan
    return Resolution(*VIDEOS[job.spec.format[0]].shown_size(plan.box_width, plan.box_height))


def _too_large(size: Resolution, what: str) -> str | None:
    """A reason where `size` is too large for video; `what` is the setting that makes it so."""
    if max(size) <= LARGEST_SIDE:
        return None
    return (
        f"it would be {size} pixels, and video has at most {LARGEST_SIDE} a side; take a smaller "
        f"{what}"
    )
