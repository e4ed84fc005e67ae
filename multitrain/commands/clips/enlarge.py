"""What `export`, `loop` and `walk` do with `--scale-with`: they hand over to what `apply` does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.errors import UsageError
from jobs.pictures.suffixes import is_picture
from jobs.settings.videos import VIDEOS, FormatName
from jobs.workspace.outputs import export_name
from jobs.workspace.paths import Workspace
from multitrain.commands.clips.apply import framework_on_device, make_all, make_one, networks_for
from multitrain.commands.clips.clip_options import refuse_closed
from multitrain.commands.long_work import say_aside

if TYPE_CHECKING:
    from multitrain.applying.enlarging import Enlarging
    from multitrain.applying.planning import VideoPlan

# Other modules are imported when needed, so that a wrong call is reported at once.


def enlarge(larger: Enlarging, make_clip: Callable[[Path], None], output: Path, note: str) -> None:
    """Make a clip, unless an earlier call has, and of it `output`; both are told of.

    To be called while `framework_on_device`. Raises as `make_loop`, `make_walk` and `make_video`.
    """
    from render.encoding.streaming import FINE

    fill(larger.plan(make_clip, note, FINE), output, note)


def fill(plan: VideoPlan, output: Path, note: str) -> None:
    """Make what was planned of a clip, while `framework_on_device`. Raises as `make_video`."""
    from multitrain.commands.clips.apply_todo import Video, notes_of

    for each in notes_of(plan):
        say_aside(f"note: {each}")
    make_one(Video(plan, output, note), networks_for(plan.asked))


def export_enlarged(
    place: Workspace,
    films: Sequence[Path],
    names: Sequence[FormatName],
    folder: Path | None,
    job: str,
    gpus: str,
    *,
    closed: bool,
    force: bool,
) -> bool:
    """Make films larger in each of these formats; whether all are there now.

    They go to `folder`, else to the current one. UsageError where one of them cannot be made.
    """
    from multitrain.applying.enlarging import enlarger
    from multitrain.applying.inputs import File
    from multitrain.commands.clips.apply_todo import ToDo, what_to_do

    if picture := next(filter(is_picture, films), None):
        raise UsageError(f"{picture} is a picture; `multitrain apply {job} {picture}` enlarges it")
    asked = enlarger(place, job, closed=closed)
    if folder:
        refuse_closed(folder)
        folder.mkdir(parents=True, exist_ok=True)
    files = [
        (name, File(film, _output(film, job, name, folder))) for film in films for name in names
    ]
    outputs = [file.output for _, file in files]
    if twice := next((each for each in outputs if outputs.count(each) > 1), None):
        raise UsageError(f"two films would become {twice}; export them one by one")
    todo = ToDo(asked.course(asked.moments(), 0))
    for name, file in files:
        todo.videos += what_to_do(asked, [file], name, force=force, is_folder=False).videos
    if not todo.videos:
        return True
    with framework_on_device(gpus):
        return make_all(asked, todo)


def _output(film: Path, job: str, name: FormatName, folder: Path | None) -> Path:
    return (folder or Path()) / export_name(f"{film.stem}_{job}", name, VIDEOS[name].suffix)
