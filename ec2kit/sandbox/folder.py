"""
A sandbox's files are its description and, for each server, the files that a shell needs to be that server.

    DIR/sandbox.json  calls.jsonl  imds.jsonl  sts.jsonl  connections.jsonl  remote  node1.env
    DIR/node1/        default  state/  run/  net/  system/  bin/ip  ec2kit.log
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
STS_CALLS = "sts.jsonl"
CONNECTIONS = "connections.jsonl"
JOURNALS = (CALLS, IMDS_CALLS, STS_CALLS, CONNECTIONS)

_SHELL = Path(__file__).parent / "shell"
_OF_A_RUN = (DESCRIPTION, *JOURNALS, "remote", "ca.pem", "ca-bundle.pem")
_OF_A_SERVER = ("state", "run", "net", "system", "bin", "ec2kit.log", "unreachable", "silent")
_SERVER = re.compile(r"node[0-9]+")

_UNSET = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_REGION",
    "AWS_CA_BUNDLE",
    "AWS_ENDPOINT_URL_EC2",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "EC2_ENDPOINT_URL",
    "EC2_ENDPOINTS",
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
"""Variables that must not reach a server from the shell that sources its file."""

_UNSET_BY_TAG = ("EC2_ENDPOINT_URL", "EC2_ENDPOINTS", "EC2_REMOTE_COMMAND", "AWS_EC2_METADATA_SERVICE_ENDPOINT")
"""Tunables that lead out of the sandbox, and whose form for one resource, NAME_<tag>, takes precedence over NAME."""


def clear(folder: Path) -> None:
    """Remove the files of an earlier run, environments first; `node1/default`, which is the user's, stays."""
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
    """Remove the environments, so that no process takes the sandbox for ready from now on."""
    for path in folder.glob("node*.env"):
        if _SERVER.fullmatch(path.stem):
            path.unlink()


def write(folder: Path, description: dict[str, Any]) -> dict[str, Any]:
    """Write all files, the last server's environment last, and return the description with the files' places."""
    for name, node in description["nodes"].items():
        node["environment"] = str(folder / f"{name}.env")
        _server_files(folder / name, node)
    _put(folder / "remote", (_SHELL / "remote.sh").read_text(encoding="utf-8"), mode=0o755)
    _put(folder / DESCRIPTION, json.dumps(description, indent=2) + "\n")
    for name, node in description["nodes"].items():
        _put(Path(node["environment"]), environment_file(folder, name, description))
    return description


def _server_files(server: Path, node: Mapping[str, Any]) -> None:
    for name in ("state", "run", "net", "system", "bin"):
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
    Write one device as /sys/class/net shows it, and its addresses, which the kernel shows elsewhere.

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


def environment_file(folder: Path, name: str, description: Mapping[str, Any]) -> str:
    """Return the file that a POSIX shell sources to be this server."""
    server, node = folder / name, description["nodes"][name]
    exports = {
        "EC2KIT_SERVER": name,
        "AWS_ENDPOINT_URL": node["endpoint_url"],
        "AWS_ENDPOINT_URL_STS": node["sts_url"],
        "AWS_ENDPOINT_URL_ROUTE_53": node["route53_url"],
        "AWS_DEFAULT_REGION": description["region"],
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": node["metadata_url"],
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "EC2KIT_DEFAULTS": server / "default",
        "EC2KIT_STATE_DIR": server / "state",
        "EC2KIT_RUN_DIR": server / "run",
        "EC2KIT_NET_DIR": server / "net",
        "EC2KIT_SYSTEM_ROOT": server / "system",
        "EC2KIT_LOG_FILE": server / "ec2kit.log",
        "EC2_REMOTE_COMMAND": shlex.quote(str(folder / "remote")),
        "EC2_WRITE_RATE": "0",
        **({"AWS_CA_BUNDLE": description["ca_bundle"]} if "ca_bundle" in description else {}),
    }
    by_tag = r"s/^\(\(" + r"\|".join(_UNSET_BY_TAG) + r"\)_[A-Za-z0-9_]*\)=.*/\1/p"
    lines = [
        f"# Source this file to be {name} of the sandbox.",
        f"unset {' '.join(_UNSET)}",
        f"for ec2kit_name in $(env | sed -n '{by_tag}'); do unset \"$ec2kit_name\"; done",
    ]
    lines += [f"export {variable}={quoted(str(value))}" for variable, value in exports.items()]
    lines.append(f'export PATH={quoted(str(server / "bin"))}:"$PATH"')
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """Return a word, always in quotes, that a POSIX shell reads as the text."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _put(path: Path, content: str, *, mode: int = 0o644) -> None:
    """Write a file so that no reader ever sees a part of it."""
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.write_text(content, encoding="utf-8")
    unfinished.chmod(mode)
    os.replace(unfinished, path)
