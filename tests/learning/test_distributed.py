"""What one of several processes does; that two of them train as one does is tested with the real command."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import timedelta

import pytest
import torch
from torch import distributed as dist

from scaf_gui.errors import InputError, TrainingError
from scaf_gui.learning import distributed
from scaf_gui.learning.distributed import ALONE, joined
from tests.learning.conftest import CPU


@pytest.fixture
def second_of_two(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """As ``torchrun`` starts it, without another process to talk to; what was called."""
    called: list[str] = []
    for name, value in (("WORLD_SIZE", "2"), ("RANK", "1"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(distributed, "rendezvous", lambda *_, **__: iter([(None, 1, 2)]))
    monkeypatch.setattr(dist, "init_process_group", lambda *_, **__: called.append("begun"))
    monkeypatch.setattr(dist, "destroy_process_group", lambda: called.append("ended"))
    monkeypatch.setattr(dist, "get_rank", lambda: 1)
    monkeypatch.setattr(dist, "get_world_size", lambda: 2)
    return called


def test_alone_nothing_is_asked_of_others() -> None:
    with joined(CPU) as group:
        assert group is ALONE and group.first
    half = replace(CPU, dtype=torch.bfloat16)
    assert ALONE.alike(CPU) == CPU and ALONE.alike(half) == half
    assert [ALONE.either(wish, CPU) for wish in (True, False)] == [True, False]


@pytest.mark.parametrize(
    ("error", "raised", "said"),
    [
        (RuntimeError("[pair.cc:553] Connection closed by peer [127.0.0.1]"), TrainingError, "another process"),
        (RuntimeError("shapes do not match"), RuntimeError, "shapes do not match"),
        (InputError("holds no faces"), InputError, "holds no faces"),
    ],
)
def test_a_process_that_was_left_alone_says_so(
    second_of_two: list[str], error: Exception, raised: type[Exception], said: str
) -> None:
    with pytest.raises(raised, match=said), joined(CPU) as group:
        assert (group.rank, group.processes, group.first) == (1, 2, False)
        raise error
    assert second_of_two == ["begun", "ended"]


def test_a_process_whose_launcher_is_gone_does_not_wait_for_days(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as held:  # bound, and nobody listens
        held.bind(("127.0.0.1", 0))
        told = {"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1", "TORCHELASTIC_USE_AGENT_STORE": "True"}
        told |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(held.getsockname()[1])}
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(distributed, "_START", timedelta(seconds=1))
        with pytest.raises(TrainingError, match="did not find each other; start torchrun again"), joined(CPU):
            raise AssertionError("joined nobody")


def test_all_compute_as_the_first_one_does(second_of_two: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dist, "broadcast", lambda told, source: told.fill_(1.0))
    with joined(CPU) as group:
        assert group.alike(CPU).dtype is torch.bfloat16
