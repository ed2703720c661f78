"""A metadata service for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ec2kit.settings import Settings

from ..scripted_server import ScriptedServer, answers

MAC = "06:00:00:00:00:01"
BASE = f"meta-data/network/interfaces/macs/{MAC}"
ITEMS = {
    "meta-data/instance-id": "i-a",
    "meta-data/placement/region": "ap-northeast-1",
    "meta-data/placement/availability-zone": "ap-northeast-1a",
    f"{BASE}/interface-id": "eni-a",
    f"{BASE}/local-ipv4s": "10.0.1.11\n10.0.1.12",
    f"{BASE}/subnet-id": "subnet-1",
    f"{BASE}/vpc-id": "vpc-1",
    f"{BASE}/vpc-ipv4-cidr-blocks": "10.0.0.0/16\n10.2.0.0/16",
}


def imds(items: dict[str, str]) -> Callable[[Any], None]:
    """A metadata service of version 2: a token first, then items; 401 without the token."""

    def behave(handler: Any) -> None:
        if handler.command == "PUT":
            answers("the-token")(handler)
        elif handler.headers.get("X-aws-ec2-metadata-token") != "the-token":
            answers("", 401)(handler)
        else:
            item = items.get(handler.path.removeprefix("/latest/"))
            answers(item or "", 200 if item is not None else 404)(handler)

    return behave


def at(server: ScriptedServer, folder: Path, **different: Any) -> Settings:
    usual = {
        "metadata_url": server.url,
        "run_dir": f"{folder}/run",
        "net_dir": f"{folder}/net",
        "connect_timeout": 20.0,
    }
    return Settings(server="server-a", **{**usual, **different})
