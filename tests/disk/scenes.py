"""Everything of the project that writes, as scenes: small, complete, and the same at every showing.

A scene is set once; then it is played in copies of its set, again and again, until a disk that
fills up at the first, second, third … write has failed at every one of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from jobs.workspace.paths import Workspace
from jobs.workspace.store import Store
from tests.disk import (
    apply_scenes,
    clip_scenes,
    codec_scenes,
    dataset_scenes,
    delivery_scenes,
    earlier_scenes,
    export_scenes,
    farm_scenes,
    forecast_scenes,
    network_scenes,
    page_scenes,
    pictures_scenes,
    rendering_scenes,
    resuming_scenes,
    training_scenes,
    walk_scenes,
)


@dataclass(frozen=True)
class Scene:
    """`play` does in a workspace what the project does there; on a full disk it may end early."""

    name: str
    prepare: Callable[[Workspace], None]
    play: Callable[[Workspace], None]
    outlives: bool = False  # one full write, with no second showing: nothing is raised


def nothing(workspace: Workspace) -> None:
    """The job that is asked for is not there."""


SCENES = (
    Scene("training", training_scenes.untrained, training_scenes.train_to_the_end),
    Scene("keeping weights", training_scenes.to_keep_weights, training_scenes.train_to_the_end),
    Scene("drawing walks", walk_scenes.a_network, walk_scenes.draw),
    Scene(
        "going on with a training",
        training_scenes.killed_in_training,
        training_scenes.train_to_the_end,
    ),
    Scene(
        "starting from another job",
        training_scenes.with_an_origin,
        training_scenes.keep_the_beginning,
    ),
    Scene(
        "rendering with boxes",
        rendering_scenes.trained_with_boxes,
        rendering_scenes.render,
        outlives=True,
    ),
    Scene(
        "rendering pictures",
        rendering_scenes.trained_for_pictures,
        rendering_scenes.render,
        outlives=True,
    ),
    Scene(
        "rendering what was damaged",
        rendering_scenes.damaged,
        rendering_scenes.render,
        outlives=True,
    ),
    Scene(
        "making up for what is gone",
        rendering_scenes.looked_at_again,
        rendering_scenes.render,
        outlives=True,
    ),
    Scene("giving up", nothing, rendering_scenes.look_after, outlives=True),
    Scene("merge", rendering_scenes.cuts_in_a_folder, rendering_scenes.merge),
    Scene("merge of two encoders", rendering_scenes.cuts_of_two_encoders, rendering_scenes.merge),
    Scene("sending", delivery_scenes.film_to_send, delivery_scenes.send, outlives=True),
    Scene("sending by SFTP", delivery_scenes.film_for_sftp, delivery_scenes.meet),
    Scene("telling", delivery_scenes.job_to_tell_of, delivery_scenes.tell, outlives=True),
    Scene("a job from elsewhere", resuming_scenes.sent_away, resuming_scenes.bring),
    Scene("a job whose frames are lost", resuming_scenes.cut_is_gone, resuming_scenes.bring),
    Scene("a new store", nothing, farm_scenes.open_a_store),
    Scene("an older store", farm_scenes.an_older_store, farm_scenes.open_a_store),
    Scene("a damaged store", farm_scenes.a_damaged_store, farm_scenes.make_the_store_anew),
    Scene("the store", farm_scenes.two_jobs, farm_scenes.keep_the_store),
    Scene("starting over", farm_scenes.two_jobs, farm_scenes.start_over),
    Scene("a later film", earlier_scenes.done, earlier_scenes.start_over),
    Scene(
        "a later film of a job unknown",
        earlier_scenes.done_without_its_run,
        earlier_scenes.start_over,
    ),
    Scene("a longer film", earlier_scenes.done, earlier_scenes.make_longer),
    Scene("the same by copies", earlier_scenes.done, earlier_scenes.make_longer_without_links),
    Scene("more pictures", earlier_scenes.done_with_pictures, earlier_scenes.more_pictures),
    Scene("more of pictures", earlier_scenes.done_with_pictures, earlier_scenes.a_gif_as_well),
    Scene("a job that was done", earlier_scenes.done, earlier_scenes.take_up_again),
    Scene("an earlier film", earlier_scenes.done, earlier_scenes.come_back),
    Scene("the page", nothing, page_scenes.link_and_stars),
    Scene("timing jobs", nothing, forecast_scenes.time_jobs),
    Scene("the lock", nothing, farm_scenes.hold),
    Scene("leases", nothing, farm_scenes.lease),
    Scene("starting a process", nothing, farm_scenes.start_a_process),
    Scene(
        "keeping a render worker",
        training_scenes.untrained,
        farm_scenes.keep_a_worker,
        outlives=True,
    ),
    Scene("built-in pictures", nothing, pictures_scenes.draw_pictures),
    Scene(
        "decoded pictures",
        pictures_scenes.large_pictures,
        pictures_scenes.open_decoded,
        outlives=True,
    ),
    Scene("curves", nothing, training_scenes.draw_curves, outlives=True),
    Scene("drawing a data set", nothing, dataset_scenes.draw),
    Scene("converting", dataset_scenes.pictures, dataset_scenes.convert),
    Scene("pairs, split in two", dataset_scenes.pictures, dataset_scenes.pair_and_split),
    Scene("tiling", dataset_scenes.pictures, dataset_scenes.tile_and_untile),
    Scene("extracting", dataset_scenes.video, dataset_scenes.extract),
    Scene("extracting from afar", dataset_scenes.video, dataset_scenes.extract_from_afar),
    Scene("faces", dataset_scenes.people, dataset_scenes.faces),
    Scene("fetching", dataset_scenes.archive, dataset_scenes.fetch),
    Scene("exporting", export_scenes.film_with_an_old_export, export_scenes.export),
    Scene("loops", clip_scenes.film, clip_scenes.loops),
    Scene("pictures by a network", apply_scenes.a_network, apply_scenes.apply),
    Scene("differences between pictures", nothing, apply_scenes.compare),
    Scene("networks to take away", network_scenes.an_older_file, network_scenes.take_away),
    Scene("a stream on its way", nothing, codec_scenes.send),
    Scene("what comes live", nothing, codec_scenes.record, outlives=True),
    Scene("a video as a stream", codec_scenes.film, codec_scenes.store_and_show),
    Scene("films in one", clip_scenes.two_films, clip_scenes.one_after_another),
)


def outcome(workspace: Workspace) -> dict[str, object]:
    """What a scene has made, as far as it is the same at every showing.

    Without what is only nice to have: the newest picture and cut, a film's moments, the curves, the
    decoded pictures, how fast jobs went, and what was fetched from an address that is another one
    at each showing.
    """
    files = (path for path in sorted(workspace.root.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(workspace.root)): _content(path)
        for path in files
        if path.name not in ("latest.jpg", "preview.mp4")
        and path.parent.name != "moments"
        and path.parent.name != "tensorboard"
        and path != workspace.speeds
        and path.parent != workspace.cache
        and workspace.downloads not in path.parents
    }


def _content(path: Path) -> object:
    match path.suffix:
        case ".mp4" | ".png" | ".rgb" | ".yaml":
            return path.read_bytes()
        case ".jsonl":
            return [json.loads(line)["frame"] for line in path.read_text().splitlines()][-1]
        case ".sqlite":
            with closing(Store(path)) as store:
                return store.jobs()
    return None
