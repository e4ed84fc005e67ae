"""Pictures of what flows: folds of silk, and fire."""

from __future__ import annotations

import numpy as np

from multitrain.datasets.drawn.painting import (
    Canvas,
    Colour,
    Plane,
    blurred,
    coloured,
    mix,
    noise,
    ramp,
    relief,
    sample,
    smoothstep,
    vignette,
)

SILKS = (
    ("0b1033", "1f3fa8", "2fb4c9", "f4e9c8", "ff7a59", "7a1f4f"),
    ("1a0b2e", "6a1b9a", "e0457b", "ffb36b", "fff1c9"),
    ("04222b", "0b6b6b", "52c9a0", "eef7c2", "f2b84b"),
    ("160a12", "7b1128", "e2542b", "ffc15e", "fdf0d5", "3b7a8c"),
    ("0d1b2a", "28527a", "8ac6d1", "fdeff9", "d885a3", "5b2a5e"),
    ("10131f", "394a8a", "9c89d6", "f7c5d8", "fff6e6"),
)
FIRES = (
    ("000000", "2a0505", "8f1508", "ee5a0a", "ffb52e", "fff3c4", "ffffff"),  # wood
    ("000000", "2a0505", "8f1508", "ee5a0a", "ffb52e", "fff3c4", "ffffff"),
    ("000003", "0a0a3a", "1b3fae", "2fa0ee", "a9e8ff", "ffffff"),  # gas
    ("000201", "03281c", "0b7a4a", "4fd07a", "d9ffc0", "ffffff"),  # copper
    ("030006", "2b0a45", "8a1c8c", "ee4f9a", "ffc0a8", "ffffff"),  # lithium
)
FOLDS = 5  # turns of the warp that makes silk out of planes
SPARKS = 26  # at most
LIGHT = 200  # how far from the end of a ramp of silk its light stands


def draw_waves(random: np.random.Generator, canvas: Canvas) -> Colour:
    """Folded silk: planes bent by sines again and again, lit from the upper left."""
    angle, scale = random.uniform(0, 2 * np.pi), random.uniform(3.0, 5.6)
    x = (np.cos(angle) * (canvas.x - canvas.aspect / 2) - np.sin(angle) * (canvas.y - 0.5)) * scale
    y = (np.sin(angle) * (canvas.x - canvas.aspect / 2) + np.cos(angle) * (canvas.y - 0.5)) * scale
    x, y = x + np.float32(random.uniform(0, 40)), y + np.float32(random.uniform(0, 40))
    strength = random.uniform(0.65, 1.0)
    for fold in range(1, FOLDS + 1):
        phase = random.uniform(0, 2 * np.pi, 2).astype(np.float32)
        frequency = 0.6 + 0.55 * fold
        x = x + np.float32(strength / fold) * np.sin(frequency * y + phase[0])
        y = y + np.float32(strength / fold) * np.cos(frequency * x + phase[1])
    folds = 0.5 + 0.5 * np.sin(x + 0.6 * np.sin(y))
    sheen = 0.5 + 0.5 * np.sin(0.7 * y + random.uniform(0, 6))
    colours = ramp(*SILKS[random.integers(len(SILKS))], turn=random.normal(0, 0.035))
    light, shine = relief(folds, canvas, 0.20)
    picture = coloured(colours, 0.12 + 0.55 * folds + 0.33 * sheen)
    picture = picture * (0.30 + 0.95 * light)[..., None]
    picture = mix(picture, colours[-LIGHT], 0.5 * shine * smoothstep(0.3, 0.9, folds))
    return vignette(picture, canvas, 0.45)


def draw_flames(random: np.random.Generator, canvas: Canvas) -> Colour:
    """A fire: noise that is dragged upwards and bent by noise, hot below, with sparks above."""
    texture = noise(random, 1.75)
    colours = ramp(*FIRES[random.integers(len(FIRES))], turn=random.normal(0, 0.015))
    lean, reach = random.normal(0, 0.12), random.uniform(0.80, 1.15)
    rise = 1 - canvas.y  # 0 below, 1 above
    x = canvas.x + lean * rise * rise
    bend = sample(texture, x * 0.22, canvas.y * 0.16)
    curl = sample(texture, x * 0.30 + 0.045 * bend + 0.4, canvas.y * 0.16 + 0.03 * bend)
    tongues = sample(texture, x * 0.42 + 0.05 * curl + 0.7, canvas.y * 0.17 + 0.05 * curl)
    fuel = _hearth(random, x, canvas) * reach * (1.0 - 0.2 * rise) - 0.85 * rise
    burning = fuel + (0.16 + 0.16 * rise) * tongues + 0.09 * curl
    heat = 0.94 * smoothstep(-0.22, 1.30, burning) * (0.90 + 0.10 * np.clip(tongues, -2, 1.5))
    glow = blurred(heat, 0.10 / canvas.pixel)
    smoke = 0.07 * np.clip(curl + 0.5, 0, 2) * (0.25 + glow)
    lit = heat + (0.30 * glow + smoke + _sparks(random, canvas, reach)) * (1 - heat)
    return coloured(colours, 0.05 * canvas.y + lit)


def _hearth(random: np.random.Generator, x: Plane, canvas: Canvas) -> Plane:
    """Where the fire stands: one heap or several, about 0..1."""
    heap = np.zeros_like(x)
    count = int(random.integers(1, 5))
    for number in range(count):
        middle = canvas.aspect * (number + random.uniform(0.25, 0.75)) / count
        width = canvas.aspect * random.uniform(0.22, 0.32) / count**0.6
        away = (x - middle) / width
        heap = np.maximum(heap, random.uniform(0.75, 1.0) * np.exp(-0.5 * away * away))
    return heap


def _sparks(random: np.random.Generator, canvas: Canvas, reach: float) -> Plane:
    """Small glowing points, each with a short tail below."""
    glow = np.zeros_like(canvas.x)
    for _ in range(int(random.integers(SPARKS // 3, SPARKS))):
        x, y = random.uniform(0.1, 0.9) * canvas.aspect, 1 - random.beta(2.2, 2.2) * reach
        size = random.uniform(0.003, 0.008)
        across, down = (canvas.x - x) / size, (canvas.y - y) / (2.2 * size)
        glow += random.uniform(0.4, 0.9) * np.exp(-0.5 * (across * across + down * down))
    return glow
