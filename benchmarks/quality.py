"""What a family comes to in a given time: `python -m benchmarks.quality --photos FOLDER`.

Every contender trains for as many seconds on the same pictures; then its samples are compared with
pictures that none has seen (`wasserstein`), beside the pictures that it was trained on. They take
turns, so that whatever else the machine does hits all alike. A contact sheet shows some samples of
each.

FOLDER holds photos, which are cut into tiles: every other tile is trained on, the rest is held out.
Those of docs/benchmarks.md are the CC0 photos in scikit-image (`pip download --no-deps
scikit-image`; astronaut, chelsea, coffee, hubble_deep_field, retina, rocket in `skimage/data`).
Without `--photos`, the built-in pictures are drawn larger.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from benchmarks import reports, standard
from benchmarks.peers.process import Peer
from benchmarks.wasserstein import distance
from jobs.errors import UsageError
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile

Pictures = NDArray[np.uint8]  # (n, height, width, 3)

LONGEST_SIDE = 1024  # of photos, which are halved until none is longer
BUILT_IN = 120  # pictures, as many held out
COLUMNS, ROWS = 8, 8  # samples that are compared
SHOWN = 8  # of each contender, on the contact sheet
SLICE_SECONDS = 20.0  # of one turn
GAP = 4  # pixels, on the contact sheet
COMMON = {"dataset": "photos", "grid_width": COLUMNS, "grid_height": ROWS, "batch_size": 8}
# A frame of so many samples would cost more than a step.
COMMON |= {"steps": 10**6, "snapshot": "every 1000000 steps"}
CONTENDERS: Mapping[str, Mapping[str, object]] = {
    "dcgan": {"family": "dcgan"},
    "dcgan, upconv": {"family": "dcgan", "convolution_g": "upconv"},
    "fastgan": {"family": "fastgan"},
}


@dataclass
class Outcome:
    """Of one contender: steps done and distances, for each seed."""

    name: str
    steps: list[int] = field(default_factory=list)
    distances: list[float] = field(default_factory=list)

    @property
    def distance(self) -> float:
        return statistics.mean(self.distances)


def main(arguments: Sequence[str] | None = None) -> int:
    """The benchmark; 0."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--photos", type=Path, metavar="FOLDER")
    parser.add_argument("--size", type=int, default=128, help="pixels; default: %(default)s")
    parser.add_argument("--seconds", type=float, default=300, help="each; default: %(default)s")
    parser.add_argument("--seeds", type=int, default=3, help="trainings; default: %(default)s")
    parser.add_argument("--sheet", type=Path, default=Path("quality.png"), help="%(default)s")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    train, held_out = _pictures(given.photos, given.size)
    reports.tell(
        f"{len(train)} pictures of {train.shape[2]}x{train.shape[1]}, {len(held_out)} held out; "
        f"about {given.seeds * given.seconds * len(CONTENDERS) / 60:.0f} minutes"
    )
    outcomes = {name: Outcome(name) for name in CONTENDERS}
    samples: dict[str, Pictures] = {}
    for seed in range(given.seeds):
        samples = _trained(train, given.seconds, seed, outcomes)
        for name, drawn in samples.items():
            outcomes[name].distances.append(distance(drawn, held_out, seed))
        if not seed:
            _contact_sheet({"held out": held_out, **samples}).save(given.sheet)
    real = statistics.mean(distance(train, held_out, seed) for seed in range(given.seeds))
    if given.json:
        print(json.dumps([asdict(each) for each in outcomes.values()] + [real]))
    else:
        print(_table(outcomes, real))
    return 0


def _table(outcomes: Mapping[str, Outcome], real: float) -> str:
    first = next(iter(outcomes.values())).distance
    rows = [
        (
            each.name,
            f"{statistics.mean(each.steps):.0f}",
            f"{each.distance:.1f}",
            f"{min(each.distances):.1f} to {max(each.distances):.1f}",
            f"{each.distance / first:.2f}",
        )
        for each in outcomes.values()
    ]
    rows.append(("pictures trained on", "-", f"{real:.1f}", "-", f"{real / first:.2f}"))
    head = ("", "steps", "distance", "over seeds", "of the first")
    return reports.table(head, rows)


def _pictures(photos: Path | None, size: int) -> tuple[Pictures, Pictures]:
    """Pictures to train on, and others."""
    if photos is None:
        drawn = standard.landscapes(2 * BUILT_IN, size, round(size * 9 / 16))
        return drawn[::2], drawn[1::2]
    tiles: tuple[list[Pictures], list[Pictures]] = [], []
    for path in sorted(photos.iterdir()):
        with Image.open(path) as photo:
            whole = ImageOps.exif_transpose(photo).convert("RGB")
        while max(whole.size) > LONGEST_SIDE:
            whole = whole.reduce(2)
        pixels = np.asarray(whole)
        for row in range(pixels.shape[0] // size):
            for column in range(pixels.shape[1] // size):
                tile = pixels[row * size :, column * size :][:size, :size]
                tiles[(row + column) % 2].append(tile)
    if not tiles[1]:
        raise UsageError(f"{photos} holds no photos that two tiles of {size} pixels fit into")
    return np.stack(tiles[0]), np.stack(tiles[1])


def _trained(
    pictures: Pictures, seconds: float, seed: int, outcomes: Mapping[str, Outcome]
) -> dict[str, Pictures]:
    """Samples of all contenders after so long; their steps are noted."""
    with tempfile.TemporaryDirectory() as made, ExitStack() as stack:
        folder = Path(made)
        np.save(folder / "pictures.npy", pictures)
        peers = {}
        for number, (name, columns) in enumerate(CONTENDERS.items()):
            height, width = pictures.shape[1:3]
            spec = JobSpec.model_validate({"name": "job", "seed": seed, **COMMON, **columns})
            job = JobFile(spec=spec, image_width=width, image_height=height)
            arguments = {
                "--job": job.model_dump_json(),
                "--pictures": folder / "pictures.npy",
                "--cores": standard.CORES,
                "--samples": folder / f"{number}.npz",
            }
            words = [str(word) for pair in arguments.items() for word in pair]
            peers[name] = stack.enter_context(Peer("learner", *words))
        for peer in peers.values():
            peer.wait_until_ready()
        left = seconds
        while left > 0:
            turn = min(SLICE_SECONDS, left)
            for peer in peers.values():
                peer(round(turn * 1000))
            left -= turn
            reports.tell(f"seed {seed}: {seconds - left:.0f} s of {seconds:.0f}")
        samples = {}
        for number, (name, peer) in enumerate(peers.items()):
            peer(0)
            saved = np.load(folder / f"{number}.npz")
            samples[name] = saved["samples"]
            outcomes[name].steps.append(int(saved["steps"]))
        return samples


def _contact_sheet(rows: Mapping[str, Pictures]) -> Image.Image:
    """A row of pictures for each, in their order."""
    height, width = next(iter(rows.values())).shape[1:3]
    size = (SHOWN * (width + GAP) - GAP, len(rows) * (height + GAP) - GAP)
    sheet = Image.new("RGB", size, "white")
    for row, pictures in enumerate(rows.values()):
        step = len(pictures) // SHOWN
        for column, picture in enumerate(pictures[::step][:SHOWN]):
            sheet.paste(Image.fromarray(picture), (column * (width + GAP), row * (height + GAP)))
    return sheet


if __name__ == "__main__":
    sys.exit(main())
