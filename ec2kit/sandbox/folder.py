"""
The files of a sandbox: its description, and for each server what a shell needs to be that server.

    DIR/sandbox.json  calls.jsonl  imds.jsonl  remote  node1.env
    DIR/node1/        default  state/  run/  net/  bin/ip  ec2kit.log
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOCK = "sandbox.lock"
DESCRIPTION = "sandbox.json"
CALLS = "calls.jsonl"
IMDS_CALLS = "imds.jsonl"

_SHELL = Path(__file__).parent / "shell"
_OF_A_RUN = (DESCRIPTION, CALLS, IMDS_CALLS, "remote")
_OF_A_SERVER = ("state", "run", "net", "bin", "ec2kit.log", "unreachable", "silent")
_SERVER = re.compile(r"node[0-9]+")

_UNSET = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_REGION",
    "AWS_ENDPOINT_URL_EC2",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "EC2_ENDPOINT_URL",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "http_proxy",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "LKROOT",
)
"""What must not reach a server from the shell that sources its file."""


def clear(folder: Path) -> None:
    """Remove what an earlier run made; `node1/default`, which is the user's, stays. Environments go first."""
    remove_environments(folder)
    for name in _OF_A_RUN:
        (folder / name).unlink(missing_ok=True)
    for server in folder.iterdir():
        if _SERVER.fullmatch(server.name) and server.is_dir() and not server.is_symlink():
            _clear_server(server)


def _clear_server(server: Path) -> None:
    for name in _OF_A_SERVER:
        path = server / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def remove_environments(folder: Path) -> None:
    """From now on nobody takes the sandbox for ready."""
    for path in folder.glob("node*.env"):
        if _SERVER.fullmatch(path.stem):
            path.unlink()


def write(folder: Path, description: dict[str, Any]) -> dict[str, Any]:
    """Write everything, the last server's environment last; returns the description with the files' places."""
    for name, node in description["nodes"].items():
        node["environment"] = str(folder / f"{name}.env")
        _server_files(folder / name, node)
    _put(folder / "remote", (_SHELL / "remote.sh").read_text(encoding="utf-8"), mode=0o755)
    _put(folder / DESCRIPTION, json.dumps(description, indent=2) + "\n")
    for name, node in description["nodes"].items():
        _put(Path(node["environment"]), environment_file(folder, name, node, region=description["region"]))
    return description


def _server_files(server: Path, node: Mapping[str, Any]) -> None:
    for name in ("state", "run", "net", "bin"):
        (server / name).mkdir(parents=True, exist_ok=True)
    if not (server / "default").exists():
        _put(server / "default", "# This server's /etc/default/LifeKeeper: put tunables here, NAME=value\n")
    _put(server / "bin" / "ip", (_SHELL / "ip.sh").read_text(encoding="utf-8"), mode=0o755)
    _device(server / "net" / "lo", index=1, address="00:00:00:00:00:00", cidr="127.0.0.1/8", mtu=65536)
    for index, (device, interface) in enumerate(node["interfaces"].items(), start=2):
        cidr = f"{interface['private_ip_address']}/24"
        _device(server / "net" / device, index=index, address=interface["mac"], cidr=cidr, mtu=9001)


def _device(place: Path, *, index: int, address: str, cidr: str, mtu: int) -> None:
    """
    One device as /sys/class/net shows it, and its addresses, which the kernel shows elsewhere.

    Source: Linux, Documentation/ABI/testing/sysfs-class-net.
    """
    loopback = place.name == "lo"
    contents = {
        "address": address,
        "operstate": "unknown" if loopback else "up",
        "carrier": "1",
        "flags": "0x9" if loopback else "0x1003",
        "ifindex": str(index),
        "mtu": str(mtu),
        "addresses": cidr,
    }
    place.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        _put(place / name, content + "\n")


def environment_file(folder: Path, name: str, node: Mapping[str, Any], *, region: str) -> str:
    """What a POSIX shell sources to be this server."""
    server = folder / name
    exports = {
        "EC2KIT_SERVER": name,
        "AWS_ENDPOINT_URL": node["endpoint_url"],
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": node["metadata_url"],
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "EC2KIT_DEFAULTS": server / "default",
        "EC2KIT_STATE_DIR": server / "state",
        "EC2KIT_RUN_DIR": server / "run",
        "EC2KIT_NET_DIR": server / "net",
        "EC2KIT_LOG_FILE": server / "ec2kit.log",
        "EC2_REMOTE_COMMAND": shlex.quote(str(folder / "remote")),
        "EC2_WRITE_RATE": "0",
    }
    lines = [f"# Source this file to be {name} of the sandbox.", f"unset {' '.join(_UNSET)}"]
    lines += [f"export {variable}={quoted(str(value))}" for variable, value in exports.items()]
    lines.append(f'export PATH={quoted(str(server / "bin"))}:"$PATH"')
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """A word that a POSIX shell reads as it is, always in quotes."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _put(path: Path, content: str, *, mode: int = 0o644) -> None:
    """Write a file so that whoever sees it sees all of it."""
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.write_text(content, encoding="utf-8")
    unfinished.chmod(mode)
    os.replace(unfinished, path)
