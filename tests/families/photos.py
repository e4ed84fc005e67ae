"""Photos that scikit-image comes with, CC0 or in the public domain, but for the motorcycle.

That one is of the Middlebury stereo data set: it is trained on in tests, and shown nowhere.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import skimage
from PIL import Image

FOLDER = Path(skimage.__file__).parent / "data"
TRAINED_ON = ("astronaut.png", "rocket.jpg", "motorcycle_left.png")
PANNED = (*TRAINED_ON, "hubble_deep_field.jpg")
UNSEEN = ("chelsea.png", "coffee.png")


def photo(name: str) -> np.ndarray:
    """`(height, width, 3)` uint8."""
    return np.asarray(Image.open(FOLDER / name).convert("RGB"))


def parts(side: int, stride: int) -> np.ndarray:
    """Squares of the photos that are trained on, `(n, side, side, 3)` uint8."""
    squares = []
    for name in TRAINED_ON:
        picture = photo(name)
        height, width = picture.shape[:2]
        squares += [
            picture[y : y + side, x : x + side]
            for y in range(0, height - side + 1, stride)
            for x in range(0, width - side + 1, stride)
        ]
    return np.stack(squares)


def pans(names: tuple[str, ...], count: int, side: int, frames: int, seed: int) -> np.ndarray:
    """Clips that wander over photos and zoom a little: `(count * frames, side, side, 3)` uint8."""
    random, pictures = np.random.default_rng(seed), []
    for number in range(count):
        image = Image.fromarray(photo(names[number % len(names)]))
        seen = side * random.uniform(1.0, 1.6)  # pixels of the photo
        to_right, down = random.uniform(-1.5, 1.5, 2) * seen / side
        zoom, edge = random.uniform(-0.01, 0.01), 2 * frames + 2
        room = [max(edge + 1, whole - seen - edge) for whole in image.size]
        left, top = (random.uniform(edge, most) for most in room)
        for place in range(frames):
            width = seen * (1 + zoom * place)
            x = min(max(left + to_right * place, 0), image.width - width)
            y = min(max(top + down * place, 0), image.height - width)
            box = (x, y, x + width, y + width)
            pictures.append(np.asarray(image.resize((side, side), Image.Resampling.BICUBIC, box)))
    return np.stack(pictures)
