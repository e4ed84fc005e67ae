"""What `multitrain apply` still has to make of its files; what else there is to say is printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import NamedTuple

from jobs.errors import MultitrainError
from jobs.pictures.finding import UnreadablePicture
from jobs.secrets import hidden
from jobs.settings.colours import RGBA
from jobs.settings.videos import FormatName, holds_sound, notes_on
from jobs.units import bytes_for_people
from multitrain.applying.asked import Asked
from multitrain.applying.course import Course
from multitrain.applying.inputs import File
from multitrain.applying.planning import Picture, VideoPlan
from multitrain.commands.clips.clip_options import (
    is_another,
    is_there,
    refuse_closed,
    refuse_other_kind,
    refuse_taken,
)
from multitrain.commands.long_work import say_aside
from multitrain.weights.moments import Moments
from render.clips.pieces import unfinished
from render.encoding import ffmpeg
from render.files.film import Film


class Video(NamedTuple):
    """A video to be made; the note is kept in its file."""

    plan: VideoPlan
    output: Path
    note: str


@dataclass
class ToDo:
    """Those of one size follow on each other, for a network is built for each size."""

    of_pictures: Course  # the weights that all pictures are made with
    videos: list[Video] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    failed: list[Path] = field(default_factory=list)  # files that nothing can be made of


def what_to_do(
    asked: Asked, files: Sequence[File], name: FormatName, *, force: bool, is_folder: bool
) -> ToDo:
    """What is still to be made of these files, videos in this format.

    UsageError where a file is in the way, MultitrainError where it cannot be made. Where they are
    those of a folder, the others are made; why not all are is printed.
    """
    moments = asked.moments()
    pictures = sum(file.is_picture for file in files)
    todo, places = ToDo(asked.course(moments, pictures)), count()
    in_the_way = []
    for file in files:
        place = next(places) if file.is_picture else 0
        form = None if file.is_picture else name
        moves = file.is_picture and not todo.of_pictures.is_still
        note = asked.note(file.source, moments, form, (place, pictures) if moves else None)
        if not is_folder:
            refuse_taken(file.output, form, asked.workspace, force=force, note=note)
        elif not force and is_another(file.output, note):
            in_the_way.append(file.output)
            continue
        else:
            refuse_other_kind(file.output, form)
            refuse_closed(file.output.parent)
        if is_there(file.output, force=force):
            continue
        try:
            if file.is_picture:
                todo.pictures.append(Picture.of(asked, place, *file, note))
            else:
                plan = _plan(asked, file.source, name, note, moments)
                todo.videos.append(Video(plan, file.output, note))
        except UnreadablePicture as error:
            say_aside(f"{file.source}: {error}")
            todo.failed.append(file.source)
        except MultitrainError as error:
            if not is_folder:
                raise
            say_aside(hidden(str(error)))
            todo.failed.append(file.source)
    if asked.steady and todo.pictures:
        say_aside("note: --steady smooths videos alone; each picture is made by itself")
    for sentence in (*_on_those_in_the_way(in_the_way), *_on_sizes(asked, todo.pictures)):
        say_aside(sentence)
    todo.failed += in_the_way
    todo.pictures.sort(key=lambda each: each.size)
    todo.videos.sort(key=lambda each: each.plan.size)
    _tell_unfinished(asked, todo)
    return todo


def _plan(
    asked: Asked, source: Path, name: FormatName, note: str, moments: Sequence[Moments]
) -> VideoPlan:
    ffmpeg.find(name)
    film = Film.look(source, with_sound=True)
    course = asked.course(moments, asked.frames_of(film))
    plan = VideoPlan.of(asked, course, film, name, asked.pieces_of(note))
    for each in notes_of(plan):
        say_aside(f"note: {source}: {each}")
    if plan.beside.sounds and not holds_sound(name):
        say_aside(f"note: {source}: {name} holds no sound")
    return plan


def notes_of(plan: VideoPlan) -> list[str]:
    """How a video will be other than one may think."""
    has_alpha = plan.raw.channels == RGBA
    lost = notes_on(plan.name, *plan.made_size, plan.raw.fps, has_alpha=has_alpha)
    more = (plan.asked.unlike(plan.size), plan.spacing.told if plan.spacing else None)
    return [*(each for each in more if each), *lost]


def _on_those_in_the_way(outputs: Sequence[Path]) -> Iterator[str]:
    if outputs:
        more = f" and {len(outputs) - 1} more" if outputs[1:] else ""
        yield (
            f"{outputs[0]}{more}: there already, and nothing in it says that it is what you ask "
            "for; name another -o, or --force to replace it"
        )


def _on_sizes(asked: Asked, pictures: Sequence[Picture]) -> Iterator[str]:
    """A note on each size that is not that of the training."""
    for size, number in Counter(each.size for each in pictures).items():
        if unlike := asked.unlike(size):
            yield f"note: {number} pictures: {unlike}" if number > 1 else f"note: {unlike}"


def _tell_unfinished(asked: Asked, todo: ToDo) -> None:
    """A note where other calls have left pieces, for they take room until somebody goes on."""
    place = asked.workspace.applying
    ours = {video.plan.folder for video in todo.videos}
    left = [folder for folder in unfinished(place) if folder not in ours]
    size = sum(map(_size_of, left))
    if size:
        say_aside(
            f"note: {place} holds {bytes_for_people(size)} of videos that earlier calls have begun "
            "and that may still be gone on with; once no call works on it, what is there may be "
            "deleted"
        )


def _size_of(folder: Path) -> int:
    """In bytes; 0 where another call has just finished with it."""
    with suppress(OSError):
        return sum(file.stat().st_size for file in folder.iterdir())
    return 0
