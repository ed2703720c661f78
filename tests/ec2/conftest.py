"""What makes many clients affordable."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator

import pytest

from ..threads import end_all_but


@pytest.fixture(scope="module")
def models_read_once() -> Iterator[None]:
    """Keeps botocore's model of EC2 in memory; every client would read it anew, which takes most of the time."""
    from botocore.loaders import JSONFileLoader

    read = functools.lru_cache(maxsize=None)(functools.partial(JSONFileLoader.load_file, JSONFileLoader()))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(JSONFileLoader, "load_file", lambda _, path: read(path))
        yield


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    """An EC2 of moto's."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def no_thread_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """
    Wait for the threads that a test has begun, before its environment is taken away.

    A request that was given up goes on in a thread until its server hangs up; it must not act in the next test.
    """
    before = set(threading.enumerate())
    yield
    end_all_but(before)
