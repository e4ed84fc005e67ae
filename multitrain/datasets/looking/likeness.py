"""Pictures that look alike: a hash of what the eye sees, and those that repeat an earlier one."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

SIDE = 32  # of the grey miniature, in pixels
KEPT = 8  # of its lowest frequencies, each way
NOISE_FREQUENCY = 4.0  # of the miniature: several deviations where levels are 1 off at random
NOISE_LEVELS = 1.0  # likewise, of the mean of what is seen in one of 8 x 8 parts
BITS = KEPT * KEPT
ALIKE_BITS = 6  # of 64: the same scene after scaling, JPEG, or a little noise; 32 is chance


def perceptual_hash(image: Image.Image) -> int:
    """64 bits that change little where the picture changes little to the eye.

    Which of the lowest frequencies of a miniature's cosine transform lie above their median: C.
    Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010), 3.2.1, but
    with the frequencies that are purely horizontal or vertical, and without the mean: pictures that
    differ in brightness alone are alike, and so are all pictures of one colour. Noise alone might
    make a frequency that is weak, and smooth pictures have little else: its bit says instead
    whether one of 8 x 8 parts of the picture is brighter than the mean.
    """
    miniature = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    grey = np.asarray(miniature, np.float32)
    grey = grey - grey.mean()
    frequencies = cv2.dct(grey)[:KEPT, :KEPT].ravel()
    is_noise = np.abs(frequencies) < NOISE_FREQUENCY
    frequencies[is_noise] = 0
    parts = grey.reshape(KEPT, SIDE // KEPT, KEPT, SIDE // KEPT).mean(axis=(1, 3)).ravel()
    bits = np.where(is_noise, parts > NOISE_LEVELS, frequencies > np.median(frequencies))
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def near_duplicates(hashes: Sequence[int], most_bits: int = ALIKE_BITS) -> list[int | None]:
    """For each hash, the place of the nearest earlier one within `most_bits` bits, or None.

    A picture that repeats another is not itself repeated by later ones, so a slow pan does not
    vanish into its beginning. Takes about a second for 20,000 pictures.
    """
    kept = np.empty(len(hashes), np.uint64)
    places: list[int] = []
    repeated: list[int | None] = []
    for place, each in enumerate(hashes):
        bits = np.uint64(each)
        distances = np.bitwise_count(kept[: len(places)] ^ bits)
        nearest = int(distances.argmin()) if places else 0
        if places and distances[nearest] <= most_bits:
            repeated.append(places[nearest])
            continue
        kept[len(places)] = bits
        places.append(place)
        repeated.append(None)
    return repeated
