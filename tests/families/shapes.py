"""Pairs that networks can learn within minutes: outlines of shapes, and the shapes filled."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageDraw

from jobs.families.feed import Feed
from jobs.families.translation import INPUTS, TARGETS
from multitrain.engine.feeds import Feeds, OpenFeed

SIDE = 64


def outlines_and_shapes(count: int, seed: int = 0) -> Mapping[str, np.ndarray]:
    """`(count, 64, 64, 3)` uint8 by the name of their feed; each picture has one or two shapes.

    Outlines are on black and shapes on white, so that copies of inputs are far from targets.
    """
    random = np.random.default_rng(seed)
    made: dict[str, list[np.ndarray]] = {INPUTS: [], TARGETS: []}
    grounds = {INPUTS: "black", TARGETS: "white"}
    for _ in range(count):
        pictures = {
            name: Image.new("RGB", (SIDE, SIDE), ground) for name, ground in grounds.items()
        }
        for _ in range(random.integers(1, 3)):
            colour = tuple(int(level) for level in random.integers(40, 200, 3))
            left, top = random.integers(0, SIDE - 28, 2).tolist()
            width, height = random.integers(16, 29, 2).tolist()
            box = (left, top, left + width, top + height)
            kind = random.choice(["ellipse", "rectangle"])
            for name, picture in pictures.items():
                draw = getattr(ImageDraw.Draw(picture), kind)
                draw(box, fill=colour if name == TARGETS else "black", outline=colour, width=2)
        for name, picture in pictures.items():
            made[name].append(np.asarray(picture))
    return {name: np.stack(pictures) for name, pictures in made.items()}


SMALL = 32
ORANGE, BLUE = (255, 128, 0), (0, 80, 255)


def oranges(count: int, colour: tuple[int, int, int], seed: int) -> np.ndarray:
    """`(count, 32, 32, 3)` uint8: shapes of this colour on white, the same ones for a seed."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        picture = Image.new("RGB", (SMALL, SMALL), "white")
        left, top = random.integers(0, SMALL - 18, 2).tolist()
        width, height = random.integers(10, 18, 2).tolist()
        draw = getattr(ImageDraw.Draw(picture), random.choice(["ellipse", "rectangle"]))
        draw((left, top, left + width, top + height), fill=colour)
        made.append(np.asarray(picture))
    return np.stack(made)


def paired(pictures: Mapping[str, np.ndarray]) -> Feeds:
    """The feeds of a job that has `inputs` and `targets`."""
    return {
        TARGETS: OpenFeed(Feed(TARGETS, ()), pictures[TARGETS]),
        INPUTS: OpenFeed(Feed(INPUTS, (), pair_of=TARGETS), pictures[INPUTS]),
    }


def scenes(count: int, seed: int, grain: float) -> tuple[np.ndarray, np.ndarray]:
    """`(count, 32, 32, 3)` uint8: shapes of several colours on a ground, and which area each pixel
    belongs to. Their surface has so much `grain`, in levels.
    """
    random = np.random.default_rng(seed)
    made, areas = [], []
    for _ in range(count):
        picture, area = Image.new("RGB", (SMALL, SMALL)), Image.new("L", (SMALL, SMALL))
        picture.paste(_some_colour(random), (0, 0, SMALL, SMALL))
        for number in range(1, 4):
            left, top = random.integers(0, SMALL - 12, 2).tolist()
            width, height = random.integers(8, 18, 2).tolist()
            kind, colour = random.choice(["ellipse", "rectangle"]), _some_colour(random)
            for each, fill in ((picture, colour), (area, number)):
                getattr(ImageDraw.Draw(each), kind)((left, top, left + width, top + height), fill)
        rough = random.normal(0, grain, (SMALL, SMALL, 1)) if grain else 0.0
        made.append(np.clip(np.asarray(picture) + rough, 0, 255).astype(np.uint8))
        areas.append(np.asarray(area))
    return np.stack(made), np.stack(areas)


def _some_colour(random: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = random.integers(30, 226, 3).tolist()
    return red, green, blue
