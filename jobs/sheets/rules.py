"""Rules that tie several cells of a job to each other, to its pictures or to the workspace."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.errors import how_to_install
from jobs.families.table import COLUMNS_OF_LAYERS, family_of
from jobs.pictures.suffixes import is_video
from jobs.settings.bounds import LARGEST
from jobs.settings.choices import Optimizer
from jobs.settings.destinations import Destination
from jobs.settings.kinds import LARGEST_SIDE, Resolution
from jobs.settings.lengths import minutes_told
from jobs.settings.moments import beginnings
from jobs.settings.schedules import PLATEAU
from jobs.settings.spec import COLUMNS, GROUP_OF, facets, means_something
from jobs.settings.streams import any_live
from jobs.settings.videos import unfit_film
from jobs.settings.words import quoted, with_article
from jobs.sheets.delivery_rules import ORDERS, unfit_address, unfit_folder
from jobs.sheets.loop_rules import impossible_loop
from jobs.units import clock
from jobs.workspace.jobfile import JobFile
from jobs.workspace.outputs import OutputName
from jobs.workspace.paths import Workspace
from jobs.workspace.remembered import remembered

LARGEST_FRAME = 2**28  # pixels: ffmpeg refuses larger ones
LONGEST_MINUTES = 1440.0  # of a film: a day, as `video_length` has it
MOST_CUTS = 9_999  # their names have four digits
MOST_BOXES = 9_999  # likewise
ADVISED_SIZES = 4  # that a message names at most


@dataclass(frozen=True)
class Facts:
    """What the rules look at: a job, and where it runs."""

    job: JobFile
    workspace: Workspace


@dataclass(frozen=True)
class Rule:
    """`broken` says what is wrong with `column`; called only where it and all `needs` are right."""

    column: str
    broken: Callable[[Facts], str | None]
    needs: Set[str] = frozenset()  # the other columns that `broken` looks at


def broken_rules(facts: Facts, wrong: Collection[str]) -> dict[str, str]:
    """One reason for each column where a rule is broken; `wrong` columns hold stand-ins."""
    reasons: dict[str, str] = {}
    for rule in RULES:
        are_right = rule.column not in wrong and rule.needs.isdisjoint(wrong)
        if are_right and (reason := rule.broken(facts)):
            reasons.setdefault(rule.column, reason)
    if _OF_LAYERS.isdisjoint({*wrong, *reasons}):
        reasons = {**_wrong_layers(facts.job), **reasons}
    return reasons


@remembered(COLUMNS_OF_LAYERS)
def _wrong_layers(job: JobFile) -> Mapping[str, str]:
    return family_of(job.spec).impossible(job.spec, job.image_width, job.image_height)


def _impossible_length(facts: Facts) -> str | None:
    job, spec = facts.job, facts.job.spec
    if spec.video_length is not None and job.frames_total < 1:
        return f"{minutes_told(spec.video_length)} at {spec.fps} fps are less than one frame"
    if job.frames_total < 1:
        return (
            f"the training would be over before the film begins, which first_frame_after says is "
            f"after {spec.first_frame_after} steps"
        )
    if job.frames_total > LONGEST_MINUTES * 60 * spec.fps:
        return (
            f"would make a film of {job.frames_total} frames, {clock(job.frames_total / spec.fps)} "
            f"at {spec.fps} fps, and {minutes_told(LONGEST_MINUTES)} are the most; have a frame "
            "show more steps with snapshot, such as every 10 steps"
        )
    if job.plan.steps_total > LARGEST:
        return f"would take {job.plan.steps_total} steps, and {LARGEST} are the most"
    return None


def _length_by(column: str) -> Rule:
    """The rule of a column that says how long the film is, where it is this one that does."""
    others = set(GROUP_OF[column]) - {column}

    def broken(facts: Facts) -> str | None:
        says = facts.job.spec.length_column == column
        return _impossible_length(facts) if says else None

    return Rule(column, broken, others | {"fps", "snapshot", "first_frame_after"})


def _only_pretraining(facts: Facts) -> str | None:
    first, steps = facts.job.spec.pretrain_steps, facts.job.plan.steps_total
    if first == 0 or first < steps:
        return None
    return (
        f"{first} steps come before the training proper, which has {steps} in all; make it longer, "
        f"or these fewer: a tenth would be {-(-steps // 10)}"
    )


def _stages_begin(facts: Facts) -> str | None:
    stages, steps = facts.job.spec.ppon_stages, facts.job.plan.steps_total
    *_, last = beginnings(stages, steps)
    if "%" in stages or last < steps:
        return None
    return (
        f"{stages} begins the last stage after {last} steps, and there are {steps} in all; make it "
        "longer, or name shares of it, such as 89%/95%"
    )


def _too_many_cuts(facts: Facts) -> str | None:
    plan = facts.job.plan
    cuts = -(-plan.frames_total // max(1, plan.cut_frames))
    if cuts <= MOST_CUTS:
        return None
    return f"would cut the film into {cuts} timecuts; make it longer, {MOST_CUTS} are the most"


def _enough_pictures(column: str) -> Rule:
    """The rule of a column that may name the pictures, where it does."""

    def broken(facts: Facts) -> str | None:
        return _too_few_pictures(facts) if facts.job.spec.column_of_pictures == column else None

    return Rule(column, broken, _GRID - {column} | {"batch_size"})


def _too_few_pictures(facts: Facts) -> str | None:
    spec = facts.job.spec
    least = spec.fifo if spec.stream else spec.images_per_batch
    if facts.job.picture_count >= least:
        return None
    if any_live(spec.folders):
        return None
    if spec.stream:
        return f"has {facts.job.picture_count} frames, fewer than the {spec.fifo} of fifo"
    source = "batch_size" if spec.batch_size else f"{spec.grid_width} x {spec.grid_height} samples"
    return (
        f"holds {facts.job.picture_count} pictures, fewer than a batch of {spec.images_per_batch} "
        f"({source}); add pictures or set batch_size"
    )


def _uneven_batch(facts: Facts) -> str | None:
    spec = facts.job.spec
    if spec.images_per_batch % spec.gpus == 0:
        return None
    return (
        f"a batch of {spec.images_per_batch} pictures cannot be shared out evenly over {spec.gpus} "
        f"gpus; set batch_size to a multiple of {spec.gpus}"
    )


def _compiles_replicas(facts: Facts) -> str | None:
    spec = facts.job.spec
    if spec.jit != "on" or spec.gpus == 1 or spec.engine != "tensorflow":
        return None
    return f"on cannot be had with {spec.gpus} gpus: TensorFlow's replicas are not compiled by XLA"


def _uneven_boxes(facts: Facts) -> str | None:
    job, box = facts.job, facts.job.spec.render_res
    if box is None:
        return None
    widths = _divisions(job.spec.grid_width, job.cell.width)
    heights = _divisions(job.spec.grid_height, job.cell.height)
    if box.width in widths and box.height in heights:
        return _too_many_boxes(facts, box, widths, heights)
    near = sorted(
        (Resolution(width, height) for width in widths for height in heights),
        key=lambda size: abs(size.width - box.width) + abs(size.height - box.height),
    )
    advised = ", ".join(map(str, near[:ADVISED_SIZES]))
    return (
        f"{box} does not cut the frame of {_frame(facts)} ({job.spec.grid_width} x "
        f"{job.spec.grid_height} samples of {job.cell}) into equal boxes "
        f"of whole samples; {advised} would"
    )


def _too_many_boxes(
    facts: Facts, box: Resolution, widths: Sequence[int], heights: Sequence[int]
) -> str | None:
    frame = _frame(facts)

    def count(size: Resolution) -> int:
        return (frame.width // size.width) * (frame.height // size.height)

    # A frame that is too large is reported by `_too_large_frame`.
    if count(box) <= MOST_BOXES or frame.width * frame.height > LARGEST_FRAME:
        return None
    sizes = (Resolution(width, height) for width in widths for height in heights)
    fitting = max((size for size in sizes if count(size) <= MOST_BOXES), key=count)
    return (
        f"{box} cuts the frame of {frame} into {count(box)} boxes, a video each; {MOST_BOXES} are "
        f"the most, and {fitting} would make {count(fitting)}"
    )


def _divisions(samples: int, pixels: int) -> list[int]:
    """Sides in pixels of boxes that hold a whole number of samples and divide the frame.

    Only counts up to what a video's side allows are tried: a grid may be absurdly large.
    """
    most = min(samples, LARGEST_SIDE)
    counts = {count for count in range(1, most + 1) if samples % count == 0} | {samples}
    return [count * pixels for count in sorted(counts)]


def _too_large_box(facts: Facts) -> str | None:
    box = facts.job.spec.render_res
    return _too_large(facts, "a box", box) if box else None


def _too_large_frame(facts: Facts) -> str | None:
    frame = _frame(facts)
    if frame.width * frame.height > LARGEST_FRAME:
        return f"the frame would be {frame} pixels, more than ffmpeg reads; make the grid smaller"
    return None if facts.job.spec.render_res else _too_large(facts, "the frame", frame)


def _too_large(facts: Facts, what: str, size: Resolution) -> str | None:
    if not facts.job.spec.render_video or max(size) <= LARGEST_SIDE:
        return None
    return (
        f"{what} would be {size} pixels, and video has at most {LARGEST_SIDE} a side; "
        f"make the grid smaller or cut it into smaller boxes with render_res"
    )


def _frame(facts: Facts) -> Resolution:
    plan = facts.job.plan
    return Resolution(plan.frame_width, plan.frame_height)


def _unfit_formats(facts: Facts) -> str | None:
    formats = facts.job.spec.format
    twice = next((each for each in formats if formats.count(each) > 1), None)
    return f"names {twice} twice; once is enough" if twice else unfit_film(formats[0])


def _encodes_nothing(facts: Facts) -> str | None:
    spec = facts.job.spec
    if spec.render_video or spec.apply_to or spec.format == COLUMNS["format"].default:
        return None
    return f"{','.join(spec.format)} has no effect where render_video is False; leave it empty"


def _no_server(facts: Facts) -> str | None:
    if not facts.job.spec.upload_to_ftp:
        return None
    settings = facts.workspace.ftp_settings
    if settings.is_file():
        return None
    return f"needs the server's settings in {settings}, and there is no such file"


def _no_way_there(facts: Facts) -> str | None:
    spec = facts.job.spec
    if not spec.upload_to:
        return None
    destination = Destination.parse(spec.upload_to)
    extra = destination.missing_extra
    if not extra:
        return unfit_folder(destination, facts.workspace)
    return f"needs the extra {extra}: {how_to_install(extra)}"


def _no_backup(facts: Facts) -> str | None:
    spec = facts.job.spec
    if spec.backup_period is None:
        return None
    if not spec.upload_to and not spec.upload_to_ftp:
        return "needs upload_to, which says where the backups go"
    return None if spec.use_checkpoints else "needs checkpoints; leave use_checkpoints True"


def _smoothed_in_vain(facts: Facts) -> str | None:
    spec = facts.job.spec
    has_labels = spec.loss.name in _LOSSES_WITH_LABELS and not spec.loss.is_relativistic
    if not spec.label_smoothing or has_labels:
        return None
    return (
        f"is not for the loss {spec.loss}, which compares with no label; leave it 0, "
        f"or use {' or '.join(_LOSSES_WITH_LABELS)}"
    )


def _unfit_sides(facts: Facts) -> str | None:
    job = facts.job
    if (sides := family_of(job.spec).sides) is None:
        return None
    least, most = sides
    if least <= max(job.image_width, job.image_height) <= most:
        return None
    return (
        f"{job.spec.family} is for pictures with a longer side of {least} to {most} pixels, and "
        f"these are {job.image_width}x{job.image_height}; scale them with preprocess and load_size"
    )


def _no_weights(path: str | None) -> str | None:
    if not path:
        return None
    if not Path(path).is_absolute():
        return "must be a whole path, such as /home/me/vgg16.h5"
    return None if Path(path).is_file() else f"there is no file {quoted(path)}"


def _not_to_be_applied(facts: Facts) -> str | None:
    spec = facts.job.spec
    if spec.apply_to and not spec.use_checkpoints:
        return "takes weights of a checkpoint, and use_checkpoints is False"
    for name in spec.apply_to or ():
        if not Path(name).is_absolute():
            return f"names {quoted(name)}; give whole paths, such as /home/me/clip.mp4"
        if not Path(name).is_file():
            return f"names {quoted(name)}, and there is no such file"
        if not is_video(Path(name)):
            return f"names {quoted(name)}, which is no video"
        output = OutputName.parse(Path(name).name)
        if output and output.job == spec.name and output.applied:
            return f"names {quoted(name)}, which is what the job makes itself; name another video"
    return None


def _augmented_twice(facts: Facts) -> str | None:
    kinds = facts.job.spec.diffaugment or ()
    twice = next((kind for kind in kinds if kinds.count(kind) > 1), None)
    if twice:
        return f"names {twice} twice; once is enough"
    return "names none beside others; leave it out" if "none" in kinds and kinds[1:] else None


def _nesterov_without_momentum(optimizer: Optimizer) -> str | None:
    if optimizer.name != "sgd" or not optimizer["nesterov"] or optimizer["momentum"]:
        return None
    return "nesterov looks ahead by the momentum, which is 0; give both, as momentum=0.9"


def _plateau(column: str) -> Rule:
    """The rule of a schedule that goes by what is measured."""

    def broken(facts: Facts) -> str | None:
        spec = facts.job.spec
        if getattr(spec, column).name != PLATEAU or spec.validation:
            return None
        if means_something("validation", spec.family):
            return f"{PLATEAU} goes by validation, which is empty; name a folder of pictures there"
        family = with_article(spec.family)
        return f"{PLATEAU} goes by validation, which {family} has not; use step or cosine"

    return Rule(column, broken, {"family", "validation"})


def _warmed_in_vain(facts: Facts) -> str | None:
    spec = facts.job.spec
    if spec.warm_up and PLATEAU in (spec.schedule_g.name, spec.schedule_d.name):
        return f"does not go with {PLATEAU}, which goes by measurements; set it to 0"
    return None


def _alone(column: str, broken: Callable[[Any], str | None]) -> Rule:
    """A rule that looks at this one setting."""
    return Rule(column, lambda facts: broken(getattr(facts.job.spec, column)))


_LOSSES_WITH_LABELS = ("vanilla", "lsgan")

_PICTURES = GROUP_OF["dataset"]
_GRID = frozenset({*_PICTURES, *(column for column in COLUMNS if facets(column).sizes)})
_SIZE = _GRID | {"render_res", "render_video"}
_OF_LENGTH = {*GROUP_OF["video_length"], "fps", "snapshot", "first_frame_after"}
_OF_LOOPS = _OF_LENGTH | {"family", "use_checkpoints", "keep_checkpoints", "format"}
# Without those that can make no network impossible.
_OF_LAYERS = COLUMNS_OF_LAYERS - {"dropout_g", "dropout_d", "noise_g", "noise_d"}

RULES = (
    *map(_length_by, GROUP_OF["video_length"]),
    Rule("auto_render_period", _too_many_cuts, _OF_LENGTH),
    Rule("pretrain_steps", _only_pretraining, _OF_LENGTH),
    Rule("ppon_stages", _stages_begin, _OF_LENGTH),
    *map(_enough_pictures, _PICTURES),
    Rule("family", _unfit_sides, _GRID),
    Rule("gpus", _uneven_batch, {"grid_width", "grid_height", "batch_size"}),
    Rule("jit", _compiles_replicas, {"gpus", "engine"}),
    Rule("render_res", _uneven_boxes, _GRID),
    Rule("render_res", _too_large_box, _SIZE),
    Rule("grid_width", _too_large_frame, _SIZE),
    Rule("format", _unfit_formats),
    Rule("format", _encodes_nothing, {"render_video"}),
    Rule("loops", lambda facts: impossible_loop(facts.job), _SIZE | _OF_LOOPS),
    Rule("upload_to_ftp", _no_server),
    Rule("upload_to", _no_way_there),
    *(_alone(column, lambda order: unfit_address(order) if order else None) for column in ORDERS),
    Rule("backup_period", _no_backup, {"upload_to", "upload_to_ftp", "use_checkpoints"}),
    Rule("label_smoothing", _smoothed_in_vain, {"loss"}),
    _alone("perceptual", _no_weights),
    Rule("apply_to", _not_to_be_applied, {"use_checkpoints"}),
    Rule("diffaugment", _augmented_twice),
    _plateau("schedule_g"),
    _plateau("schedule_d"),
    Rule("warm_up", _warmed_in_vain, {"schedule_g", "schedule_d"}),
    _alone("optimizer_g", _nesterov_without_momentum),
    _alone("optimizer_d", _nesterov_without_momentum),
)
