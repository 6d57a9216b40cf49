from __future__ import annotations

import pytest
import torch

from scaf_gui.errors import DeviceError
from scaf_gui.learning import device as device_module
from scaf_gui.learning.device import choose_device, cpu_device


def test_auto_says_which_and_why() -> None:
    device = choose_device()
    assert device.kind in ("cuda", "mps", "cpu") and len(device.why) > 10 and "\n" not in device.why
    with device.autocast():
        assert torch.ones(2).sum() == 2


def test_cpu_on_request() -> None:
    assert choose_device("cpu").kind == "cpu"
    assert "asked for" in choose_device("cpu").why


def test_unknown_device() -> None:
    with pytest.raises(DeviceError, match=r"no device 'tpu'.*auto, cuda, mps, cpu"):
        choose_device("tpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there() -> None:
    with pytest.raises(DeviceError, match=r"no CUDA device.*choose 'auto'"):
        choose_device("cuda")


@pytest.mark.parametrize(
    ("amx", "avx", "pays", "half", "said"),
    [
        (True, True, False, True, "AMX"),
        (False, True, True, True, "AVX512-BF16"),
        (False, True, False, False, "measured slower"),
        (False, False, True, False, "no bfloat16"),
    ],
)
def test_bfloat16_where_the_processor_has_it_and_it_pays(
    monkeypatch: pytest.MonkeyPatch, amx: bool, avx: bool, pays: bool, half: bool, said: str
) -> None:
    has = {"_is_amx_tile_supported": amx, "_is_avx512_bf16_supported": avx}
    monkeypatch.setattr(device_module, "_has", has.__getitem__)
    monkeypatch.setattr(device_module, "_bfloat16_pays", lambda: pays)
    device = cpu_device("no CUDA device")
    assert (device.dtype is torch.bfloat16) == half and said in device.why and "no CUDA device" in device.why


def test_the_measurement_gives_an_answer() -> None:
    assert device_module._bfloat16_pays() in (True, False)
