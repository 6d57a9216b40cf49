"""What a model sees of one face: heatmaps by the project's landmarks, and where they lie in the image."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch

from scaf_gui.core.arrays import ByteArray, FloatArray
from scaf_gui.core.geometry import Square, crop_transform, inverse, transform
from scaf_gui.learning.crops import cut_crop, level_view
from scaf_gui.learning.predictor import Predictor

Maps = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class FaceMaps:
    """One face.

    ``maps`` (num_landmarks, S, S) float32 by the project's landmarks, 1: a perfect peak; ``to_image`` (2, 3) float64
    from heatmap pixels to image pixels, both with pixel centres at whole numbers; ``crop`` (side, side, 3) uint8 RGB:
    the square ``square`` as the network sees it, also where it looked elsewhere in the end.
    """

    maps: Maps
    to_image: FloatArray
    crop: ByteArray
    square: Square


def face_maps(predictor: Predictor, image: ByteArray, square: Square, second_look: bool) -> FaceMaps:
    """Heatmaps of a face.

    :param image: (H, W, 3) uint8 RGB
    :param second_look: the mean of both looks, in the frame of the second, which is turned; its peaks are then
        about where ``Predictor.predict_faces`` puts landmarks, as far as both looks agree
    """
    crop = cut_crop(image, square, predictor.crop_size)
    seen = predictor.settled(image, square) if second_look else square
    heatmaps, _ = predictor.heatmaps([crop if seen == square else cut_crop(image, seen, predictor.crop_size)])
    maps = heatmaps[0].cpu().numpy()
    side = maps.shape[-1]
    frame = crop_transform(seen, side)  # heatmap and crop cover the same square
    if second_look:
        _, points = predictor.landmarks(heatmaps)
        found = transform(inverse(crop_transform(seen, predictor.crop_size)), points[0])
        view, degrees = level_view(found, predictor.scheme, seen)
        again = predictor.mirrored_heatmaps([cut_crop(image, view, predictor.crop_size, degrees)])[0].cpu().numpy()
        before, frame = frame, crop_transform(view, side, degrees)
        maps = _mean(maps, again, _chained(frame, inverse(before)))
    if predictor.matrix is not None:
        maps = _led(maps, predictor.own_landmarks(torch.from_numpy(maps)[None])[0], predictor.matrix)
    return FaceMaps(np.ascontiguousarray(maps), inverse(frame), crop, square)


def _chained(second: FloatArray, first: FloatArray) -> FloatArray:
    """The affine (2, 3) that applies ``first``, then ``second``."""
    return np.hstack([second[:, :2] @ first[:, :2], (second[:, :2] @ first[:, 2] + second[:, 2])[:, None]])


def _mean(first: Maps, second: Maps, to_second: FloatArray) -> Maps:
    """The mean of two looks' maps (L, S, S), in the frame of the second; where the first does not reach, the second."""
    side = first.shape[-1]
    seen = _warped(np.ones((side, side), np.float32), to_second)
    moved = np.stack([_warped(one, to_second) for one in first])
    mean: Maps = (moved + second) / (1.0 + seen)
    return mean


def _warped(one: Maps, matrix: FloatArray) -> Maps:
    return np.asarray(cv2.warpAffine(one, matrix, (one.shape[1], one.shape[0]), flags=cv2.INTER_LINEAR), np.float32)


def _led(maps: Maps, points: FloatArray, matrix: FloatArray) -> Maps:
    """Maps of a scheme that another leads to.

    A landmark that is one of the other scheme's has its map. One that is a mix of several has the mean of their maps,
    by how much it depends on each, each moved so that its landmark lies where the mix is: how wide it is says how sure
    they are.

    :param maps: (L, S, S)
    :param points: (L, 2) heatmap pixels, where those maps have their landmarks
    :param matrix: (K, L)
    """
    side, middle = maps.shape[-1], float(maps.shape[-1] // 2)
    shares = np.abs(matrix) / np.maximum(np.abs(matrix).sum(axis=1, keepdims=True), 1e-12)
    centred = np.stack([_moved(one, middle - point) for one, point in zip(maps, points, strict=True)])
    mixed = (shares.astype(np.float32) @ centred.reshape(len(maps), -1)).reshape(len(matrix), side, side)
    places = matrix @ points
    found = []
    for landmark, row in enumerate(matrix):
        sources = np.flatnonzero(row)
        alone = len(sources) == 1 and row[sources[0]] == 1.0
        found.append(maps[sources[0]] if alone else _moved(mixed[landmark], places[landmark] - middle))
    return np.stack(found)


def _moved(one: Maps, by: FloatArray) -> Maps:
    return _warped(one, np.array([[1.0, 0.0, by[0]], [0.0, 1.0, by[1]]]))
