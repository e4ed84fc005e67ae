"""What steps have seen of clips, carried out of them: in which of two micro-batches, too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from keras import ops

from jobs.families.feed import Feed
from jobs.settings.kinds import Resolution
from jobs.workspace.jobfile import JobFile
from multitrain.engine.feeds import Feeds, OpenFeed, clips
from multitrain.engine.model import (
    Batch,
    Carried,
    Chance,
    Model,
    Named,
    Nets,
    Outcome,
    Phase,
    Show,
    Turn,
    Update,
    begins_of,
)
from multitrain.engine.session import Frames
from tests.engine.proving.proof import learning, matrix, shown_by, squares

FACTOR = 3
OF_FILM, OF_OTHERS = 2, 3  # pictures of a clip


class SeenClips:
    """Clips that go on, with a smaller pair that one turn is given alone, and clips that do not."""

    def feeds(self, pictures: Frames) -> Feeds:
        film, _, runs = clips([5, len(pictures) - 5], OF_FILM, go_on=True)
        others, *_ = clips([len(pictures)], OF_OTHERS, go_on=False)
        of_film = Feed("film", (), frames=OF_FILM, goes_on=True)
        small = Feed("small", (), pair_of="film", factor=FACTOR)
        return {
            "film": OpenFeed(of_film, pictures, film, runs=runs),
            "small": OpenFeed(small, pictures[:, 1::FACTOR, 1::FACTOR], film, runs=runs),
            "others": OpenFeed(Feed("others", (), frames=OF_OTHERS), pictures, others),
        }

    def describe(self, job: JobFile) -> Model:
        batch, window = job.spec.images_per_batch, Resolution(job.image_width, job.image_height)
        sizes = {
            "film": (OF_FILM, window.height, window.width, 3),
            "small": (OF_FILM, window.height // FACTOR, window.width // FACTOR, 3),
            "others": (OF_OTHERS, window.height, window.width, 3),
            begins_of("film"): (),
            begins_of("small"): (),
            "part_g": (),
            "part_h": (),
        }

        def seeing(turn: str) -> Callable[[Nets, Batch], Outcome]:
            traced = 0  # once for each micro-batch of each device

            def loss(nets: Nets, batch: Batch) -> Outcome:
                nonlocal traced
                kept = {name: ops.cast(each, "float32") for name, each in batch.feeds.items()}
                colours = ops.mean(next(iter(kept.values())), axis=(1, 2, 3)) / 255.0
                kept[f"part_{turn}"] = ops.zeros_like(colours[:, 0]) + traced % 2
                traced += 1
                return Outcome(squares(nets(f"generator_{turn}", colours)), kept)

            return loss

        def carry(carried: Named, kept: Named) -> Named:
            return kept

        shown = shown_by("generator_g", job)
        program = [Show(), Update("g", {"film": 0, "others": 0}), Update("h", {"small": 0}), Show()]
        return Model(
            networks={f"generator_{turn}": matrix(f"generator_{turn}", 3, 3, 0) for turn in "gh"},
            turns={
                turn: Turn(
                    (f"generator_{turn}",), learning(1, micro_batches=2), seeing(turn), carry=carry
                )
                for turn in "gh"
            },
            phases=(Phase(0, program),),
            carried={name: Carried((batch, *size)) for name, size in sizes.items()},
            shown=replace(shown, samples={"latents": Chance((3,), "normal")}),
        )
