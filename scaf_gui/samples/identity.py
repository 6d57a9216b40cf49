"""What one rendered face looks like: identity, expression, pose, light and style, drawn from a seed.

Lengths are centimetres in the face plane: x to the right of the image, y down, the origin midway
between the pupils; z points from the head towards the camera. Angles are radians.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Color = tuple[float, float, float]

# sRGB skin tones from light to dark; a face interpolates between neighbours.
_SKIN_TONES = np.array(
    [
        (0.95, 0.80, 0.72),
        (0.91, 0.73, 0.62),
        (0.84, 0.64, 0.51),
        (0.72, 0.51, 0.38),
        (0.56, 0.38, 0.27),
        (0.40, 0.26, 0.19),
    ]
)
_HAIR_COLORS = np.array(
    [
        (0.10, 0.08, 0.08),
        (0.20, 0.13, 0.09),
        (0.34, 0.21, 0.13),
        (0.55, 0.38, 0.22),
        (0.76, 0.60, 0.36),
        (0.48, 0.20, 0.10),
        (0.66, 0.64, 0.62),
    ]
)
_IRIS_COLORS = np.array(
    [
        (0.24, 0.13, 0.07),
        (0.34, 0.20, 0.10),
        (0.36, 0.36, 0.20),
        (0.30, 0.44, 0.36),
        (0.34, 0.48, 0.60),
        (0.42, 0.47, 0.50),
    ]
)


@dataclass(frozen=True)
class Identity:
    """The shape of a person's head and features, in centimetres unless said otherwise."""

    half_width: float
    chin: float
    jaw_power: float
    jaw_fullness: float
    eye_half_distance: float
    eye_half_length: float
    eye_height: float
    eye_tilt: float
    nose_width: float
    nose_length: float
    nose_protrusion: float
    mouth_half_width: float
    mouth_y: float
    upper_lip: float
    lower_lip: float
    brow_y: float
    brow_arch: float
    brow_tilt: float
    brow_thickness: float
    cheek: float
    chin_bump: float
    ear_size: float
    neck_half_width: float


@dataclass(frozen=True)
class Expression:
    """Facial expression: strengths from 0 to 1, the mouth's opening in centimetres."""

    smile: float
    smile_skew: float
    mouth_open: float
    brow_raise: float
    brow_knit: float
    eye_closure: float
    gaze_x: float
    gaze_y: float


@dataclass(frozen=True)
class Pose:
    """Head rotation (radians) and framing: `distance` in cm, the rest as fractions of the frame."""

    yaw: float
    pitch: float
    roll: float
    distance: float
    face_fraction: float
    center_x: float
    center_y: float


@dataclass(frozen=True)
class Light:
    """Key light direction (azimuth, elevation in radians) and strengths of key, fill and ambient."""

    azimuth: float
    elevation: float
    key: float
    fill: float
    ambient: float
    warmth: float
    softness: float


@dataclass(frozen=True)
class Style:
    """Colours (sRGB, 0 to 1) and hair."""

    skin: Color
    redness: float
    freckles: float
    skin_gloss: float
    lip_tint: float
    hair: Color
    brow_darkness: float
    iris: Color
    hair_volume: float
    hair_curl: float
    hairline: float
    fringe: float
    fringe_skew: float
    long_hair: float
    beard: float
    lashes: float
    cloth: Color
    neckline: float


@dataclass(frozen=True)
class FaceSpec:
    """Everything that decides one render, apart from texture noise."""

    identity: Identity
    expression: Expression
    pose: Pose
    light: Light
    style: Style


def draw_face_spec(rng: np.random.Generator) -> FaceSpec:
    """Draw a plausible face; consumes a fixed number of draws, so later draws stay aligned."""
    feminine = float(rng.uniform())
    identity = _draw_identity(rng, feminine)
    return FaceSpec(
        identity=identity,
        expression=_draw_expression(rng),
        pose=_draw_pose(rng),
        light=_draw_light(rng),
        style=_draw_style(rng, feminine),
    )


def _spread(rng: np.random.Generator, center: float, deviation: float) -> float:
    """Draw from a normal distribution cut at two standard deviations: no monsters."""
    return center + deviation * float(np.clip(rng.standard_normal(), -2.0, 2.0))


def _draw_identity(rng: np.random.Generator, feminine: float) -> Identity:
    male = 1.0 - feminine
    return Identity(
        half_width=_spread(rng, 6.95 + 0.15 * male, 0.22),
        chin=_spread(rng, 10.6 + 0.45 * male, 0.33),
        jaw_power=_spread(rng, 2.35 + 0.30 * male, 0.14),
        jaw_fullness=_spread(rng, 1.72 + 0.10 * male, 0.06),
        eye_half_distance=_spread(rng, 3.13, 0.10),
        eye_half_length=_spread(rng, 1.33 + 0.04 * feminine, 0.06),
        eye_height=_spread(rng, 0.56 + 0.08 * feminine, 0.06),
        eye_tilt=_spread(rng, 0.20, 0.07),
        nose_width=_spread(rng, 0.97 + 0.10 * male, 0.08),
        nose_length=_spread(rng, 1.0 + 0.03 * male, 0.04),
        nose_protrusion=_spread(rng, 0.94 + 0.10 * male, 0.08),
        mouth_half_width=_spread(rng, 2.42 + 0.10 * male, 0.13),
        mouth_y=_spread(rng, 6.52 + 0.12 * male, 0.14),
        upper_lip=_spread(rng, 0.52 + 0.12 * feminine, 0.08),
        lower_lip=_spread(rng, 0.78 + 0.12 * feminine, 0.09),
        brow_y=_spread(rng, -1.82 - 0.22 * feminine, 0.14),
        brow_arch=_spread(rng, 0.52 + 0.16 * feminine, 0.10),
        brow_tilt=_spread(rng, 0.10, 0.10),
        brow_thickness=_spread(rng, 0.62 + 0.16 * male, 0.08),
        cheek=_spread(rng, 0.5, 0.2),
        chin_bump=_spread(rng, 0.42 + 0.1 * male, 0.1),
        ear_size=_spread(rng, 1.0, 0.06),
        neck_half_width=_spread(rng, 4.9 + 0.9 * male, 0.2),
    )


def _draw_expression(rng: np.random.Generator) -> Expression:
    kind = float(rng.uniform())
    smile, opening = float(rng.uniform(0.45, 1.0)), float(rng.uniform(0.35, 0.85))
    gape, relaxed = float(rng.uniform(0.6, 1.9)), float(rng.uniform(-0.1, 0.35))
    blink = float(rng.uniform())
    closure = float(rng.uniform(0.0, 0.18))
    heavy = float(rng.uniform(0.3, 1.0))
    if kind < 0.28:  # lips closed, at rest
        smile, opening = relaxed, 0.0
    elif kind < 0.52:  # closed smile
        opening = 0.0
    elif kind < 0.80:  # smile that shows the teeth
        pass
    else:  # talking, surprise
        smile, opening = relaxed, gape
    if blink > 0.93:
        closure = heavy
    surprise = 0.5 if kind >= 0.9 else 0.0
    return Expression(
        smile=smile,
        smile_skew=_spread(rng, 0.0, 0.05),
        mouth_open=opening,
        brow_raise=float(np.clip(_spread(rng, 0.12 + surprise, 0.2), -0.15, 1.0)),
        brow_knit=max(0.0, _spread(rng, 0.05, 0.15)),
        eye_closure=closure,
        gaze_x=_spread(rng, 0.0, 0.13),
        gaze_y=_spread(rng, 0.0, 0.05),
    )


def _draw_pose(rng: np.random.Generator) -> Pose:
    return Pose(
        yaw=float(np.radians(np.clip(rng.normal(0.0, 14.0), -29.0, 29.0))),
        pitch=float(np.radians(np.clip(rng.normal(0.0, 6.5), -14.0, 14.0))),
        roll=float(np.radians(np.clip(rng.normal(0.0, 7.0), -18.0, 18.0))),
        distance=float(rng.uniform(65.0, 130.0)),
        face_fraction=float(rng.uniform(0.40, 0.49)),
        center_x=float(rng.uniform(0.46, 0.54)),
        center_y=float(rng.uniform(0.535, 0.57)),
    )


def _draw_light(rng: np.random.Generator) -> Light:
    strength = float(rng.uniform(0.0, 1.0))
    return Light(
        azimuth=float(np.radians(rng.uniform(-62.0, 62.0))),
        elevation=float(np.radians(rng.uniform(8.0, 52.0))),
        key=0.62 + 0.55 * strength,
        fill=float(rng.uniform(0.08, 0.26)),
        ambient=0.50 - 0.22 * strength,
        warmth=_spread(rng, 0.02, 0.05),
        softness=float(rng.uniform(0.5, 1.2)),
    )


def _blend_row(table: np.ndarray, position: float) -> Color:
    """Interpolate between rows of a colour table; `position` runs from 0 to 1."""
    place = position * (len(table) - 1)
    low = min(int(place), len(table) - 2)
    row = table[low] + (table[low + 1] - table[low]) * (place - low)
    return (float(row[0]), float(row[1]), float(row[2]))


def _draw_style(rng: np.random.Generator, feminine: float) -> Style:
    tone = float(rng.uniform())
    skin = _blend_row(_SKIN_TONES, tone)
    # Dark skin mostly comes with dark hair and eyes.
    fair = max(0.0, 1.0 - 1.35 * tone)
    hair_pick = float(rng.uniform()) ** (1.4 - 0.6 * fair) * (0.42 + 0.58 * fair)
    grey = float(rng.uniform()) < 0.10
    hair = _blend_row(_HAIR_COLORS[:5], hair_pick)
    red_head = float(rng.uniform()) < 0.12 * fair
    if red_head:
        hair = _blend_row(_HAIR_COLORS[5:6].repeat(2, 0), 0.0)
    if grey:
        hair = _blend_row(_HAIR_COLORS[6:7].repeat(2, 0), 0.0)
    iris = _blend_row(_IRIS_COLORS, float(rng.uniform()) * (0.22 + 0.78 * fair))
    long_hair = float(rng.uniform()) < 0.15 + 0.75 * feminine
    fringe = float(rng.uniform()) < 0.35
    curl = max(0.0, float(rng.uniform(-2.0, 1.0)) + 0.6 * tone)
    curl = min(curl, 1.0) * (not long_hair)
    beard = float(rng.uniform())
    cloth_hue, cloth_value, cloth_chroma = rng.uniform(), rng.uniform(0.12, 0.8), rng.uniform(0, 0.7)
    wheel = 0.5 + 0.5 * np.cos(2 * np.pi * (cloth_hue + np.array([0.0, 1 / 3, 2 / 3])))
    cloth = cloth_value * (1 - cloth_chroma + cloth_chroma * wheel)
    return Style(
        skin=skin,
        redness=float(rng.uniform(0.3, 1.0)),
        freckles=max(0.0, float(rng.uniform(-1.5, 1.0))) * fair,
        skin_gloss=float(rng.uniform(0.35, 1.0)),
        lip_tint=float(rng.uniform(0.35, 0.65 + 0.35 * feminine)),
        hair=hair,
        brow_darkness=float(rng.uniform(0.65, 0.95)),
        iris=iris,
        hair_volume=float(rng.uniform(0.35, 1.35)) + 0.2 * long_hair + 0.5 * (curl > 0),
        hair_curl=curl,
        hairline=_spread(rng, -6.7, 0.4),
        fringe=float(rng.uniform(1.4, 2.6)) * fringe,
        fringe_skew=float(rng.uniform(-1.0, 1.0)),
        long_hair=float(rng.uniform(0.6, 1.0)) * long_hair,
        beard=beard * (feminine < 0.35) * (beard > 0.45),
        lashes=0.35 + 0.65 * feminine,
        cloth=(float(cloth[0]), float(cloth[1]), float(cloth[2])),
        neckline=float(rng.uniform(12.8, 15.6)),
    )
