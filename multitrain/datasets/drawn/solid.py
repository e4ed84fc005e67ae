"""Pictures of things with edges: living cells, and paper shapes that lie on each other."""

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

TISSUES = (
    ("081229", "14506b", "2fa58e", "b8e38c", "fff4b8"),
    ("1b0a24", "6b1f5c", "d84b6a", "ff9e6d", "ffe9c2"),
    ("0a1430", "2d3f9e", "7b6fe0", "e59ae0", "ffe6ef"),
    ("20100a", "7a3312", "d9772a", "f6c65b", "fff7d6"),
    ("061a1f", "0e5a73", "3db3cf", "bfeee6", "fff0d0"),
    ("14171f", "43506b", "8fa3b8", "e8d9c8", "f2795a"),
)
PAPERS = (
    ("f3e9d8", "e4572e", "f3a712", "29335c", "669bbc", "a8c686"),
    ("fbf3e4", "1d3557", "e63946", "457b9d", "f4a261", "a8dadc"),
    ("16213a", "f2c14e", "f78154", "5fad9b", "b4436c", "f5efe0"),
    ("f7ede2", "84a59d", "f28482", "f6bd60", "3d405b", "f5cac3"),
    ("1f1a2e", "ff6b6b", "ffd93d", "6bcbb0", "4d6cd9", "f6e7ff"),
    ("ece4d9", "222222", "d7263d", "f46036", "1b998b", "2e5eaa"),
)


def draw_cells(random: np.random.Generator, canvas: Canvas) -> Colour:
    """A tissue: cells between the points nearest to them, domed, each with a nucleus."""
    count = int(random.integers(14, 70))
    first, second, owner, points = _nearest(random, canvas, count)
    colours = ramp(*TISSUES[random.integers(len(TISSUES))], turn=random.normal(0, 0.03))
    size = np.sqrt(canvas.aspect / count)
    wall = (second - first) / size  # 0 between two cells, about 1 in the middle of one
    dome = blurred(np.sqrt(smoothstep(0.0, 0.8, wall)), 0.07 * size / canvas.pixel)
    light, shine = relief(dome, canvas, 0.26 * size)
    along = points @ random.standard_normal(2)
    own = 0.5 + 0.15 * (along - along.mean()) / along.std() + random.normal(0, 0.11, count)
    share = np.clip(own, 0.05, 0.92).astype(np.float32)[owner]
    body = coloured(colours, 0.06 + 0.70 * share + 0.22 * dome)
    body = body * (0.34 + 0.90 * light)[..., None]
    opposite = np.where(share > 0.5, share - 0.45, share + 0.45)
    radii = size * random.uniform(0.17, 0.28) * random.uniform(0.75, 1.15, count)
    deep = radii.astype(np.float32)[owner] - first
    body = mix(body, coloured(colours, opposite), 0.70 * smoothstep(-0.02, 0.035, deep))
    membrane = smoothstep(0.17, 0.03, wall)
    body = mix(body, colours[60], 0.80 * membrane)
    body = mix(body, colours[-1], 0.50 * shine * (1 - membrane))
    return vignette(body, canvas, 0.5)


def _nearest(
    random: np.random.Generator, canvas: Canvas, count: int
) -> tuple[Plane, Plane, np.ndarray, np.ndarray]:
    """The distances to the nearest and the second point, which is the nearest, the points."""
    texture = noise(random, 2.0)
    x = canvas.x + 0.022 * sample(texture, canvas.x * 0.5, canvas.y * 0.5)
    y = canvas.y + 0.022 * sample(texture, canvas.x * 0.5 + 0.5, canvas.y * 0.5 + 0.3)
    points = _spread(random, canvas.aspect, count)
    first, second = np.full_like(x, 9), np.full_like(x, 9)
    owner = np.zeros(x.shape, np.intp)
    for number, (px, py) in enumerate(points.astype(np.float32)):
        away = np.hypot(x - px, y - py)
        closer = away < first
        second = np.minimum(second, np.where(closer, first, away))
        owner[closer] = number
        first = np.minimum(first, away)
    return first, second, owner, points


def _spread(random: np.random.Generator, aspect: float, count: int) -> np.ndarray:
    """`(count, 2)` points, none very near another: of some candidates the farthest (Mitchell)."""
    low, high = np.array([-0.1, -0.1]), np.array([aspect + 0.1, 1.1])
    points = random.uniform(low, high, (1, 2))
    while len(points) < count:
        candidates = random.uniform(low, high, (12, 2))
        away = np.hypot(*(candidates[:, None] - points[None]).transpose(2, 0, 1)).min(axis=1)
        points = np.concatenate([points, candidates[away.argmax()][None]])
    return points


def draw_shapes(random: np.random.Generator, canvas: Canvas) -> Colour:
    """A collage: discs, rings, bars, leaves and half discs of paper, each with its shadow."""
    turn = random.normal(0, 0.02)
    papers = [ramp(each, each, turn=turn)[0] for each in PAPERS[random.integers(len(PAPERS))]]
    slope = random.normal(0, 0.12, 2)
    lit = slope[0] * (canvas.x / canvas.aspect - 0.5) + slope[1] * (canvas.y - 0.5)
    picture = papers[0] * (0.96 + lit)[..., None].astype(np.float32)
    count = int(random.integers(6, 14))
    for number in range(count):
        size = random.uniform(0.75, 1.15) * (0.40 - 0.30 * number / count)
        inside = _shape(random, canvas, size)
        depth = 0.012 + 0.02 * size
        fallen = np.roll(inside, _shift(canvas, depth), (0, 1))
        shadow = blurred(smoothstep(-depth, depth, fallen), depth / canvas.pixel)
        picture = picture * (1 - 0.42 * shadow)[..., None]
        paper = papers[1 + int(random.integers(len(papers) - 1))]
        across = np.clip(0.5 + inside / (2 * size), 0, 1)
        shade = (0.86 + 0.20 * across + 0.5 * lit).astype(np.float32)
        edge = np.clip(inside / canvas.pixel + 0.5, 0, 1)
        picture = mix(picture, paper * shade[..., None], edge)
    grained: Colour = picture * _grain(random, canvas)[..., None]
    return grained


def _shift(canvas: Canvas, depth: float) -> tuple[int, int]:
    """Pixels that a shadow falls down and to the right."""
    step = round(depth / canvas.pixel)
    return step, step // 2


def _grain(random: np.random.Generator, canvas: Canvas) -> Plane:
    """The fibres of paper."""
    texture = noise(random, 0.4)
    fibres: Plane = 1 + 0.014 * sample(texture, canvas.x * 1.4, canvas.y * 1.4)
    return fibres


def _shape(random: np.random.Generator, canvas: Canvas, size: float) -> Plane:
    """How far inside a random shape each place is; negative outside.

    Distances as in Inigo Quilez, "2D distance functions".
    """
    angle = random.choice([0, 0.25, 0.5, 0.125, random.uniform(0, 1)]) * 2 * np.pi
    left = canvas.x - np.float32(random.uniform(0.05, 0.95) * canvas.aspect)
    down = canvas.y - np.float32(random.uniform(0.08, 0.92))
    x = np.float32(np.cos(angle)) * left - np.float32(np.sin(angle)) * down
    y = np.float32(np.sin(angle)) * left + np.float32(np.cos(angle)) * down
    distance = np.hypot(x, y)
    match int(random.integers(6)):
        case 0:
            return size - distance
        case 1:
            return 0.22 * size - np.abs(distance - size * 0.85)
        case 2:  # a bar with round corners
            long, short = size * random.uniform(0.9, 1.6), size * random.uniform(0.16, 0.45)
            across, along = np.abs(x) - (long - short / 2), np.abs(y) - short / 2
            outside = np.hypot(np.maximum(across, 0), np.maximum(along, 0))
            return short / 2 - outside - np.minimum(np.maximum(across, along), 0)
        case 3:
            return np.minimum(size - distance, y)
        case 4:  # a leaf: where two discs meet
            apart = size * random.uniform(0.5, 0.8)
            return size - np.maximum(np.hypot(x, y - apart), np.hypot(x, y + apart))
        case _:  # a triangle of equal sides
            sides = np.maximum(np.abs(x) * np.float32(0.8660254) + y * 0.5, -y)
            return size * 0.55 - sides
