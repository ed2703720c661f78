"""
Cut what ec2kit needs out of the data of the installed botocore; `make model` writes it to ec2kit/ec2/data.

botocore's model of EC2 has some 700 operations and its endpoints those of 300 services; reading both takes longer
than a request. The operations that stay are those of etc/iam-policy.json, to which a test holds the kit's calls. All
partitions stay, for an SDK that is older than one of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore
from botocore.loaders import Loader

ROOT = Path(__file__).parents[1]
DATA = ROOT / "ec2kit" / "ec2" / "data"

MODELS = {"ec2": "ec2/2016-11-15/service-2", "route53": "route53/2013-04-01/service-2"}
ENDPOINTS = "endpoints"
PARTITIONS = "ec2/partitions"
ORIGIN = "origin"

Content = dict[str, Any]

_UNUSED = ("documentation", "enum", "min", "max", "pattern")
"""Parts for readers, and parts for checking parameters, which EC2 does itself."""

_SERVICES = ("ec2", "route53", "sts", "oidc", "portal.sso")
"""EC2, Route 53, and the services that give credentials."""


def cut() -> dict[str, Content]:
    """Return every file of ec2kit/ec2/data without its suffix, as the installed botocore would have it."""
    loader = Loader()
    return {
        **{
            name: _model(loader.load_service_model(service, "service-2", name.split("/")[1]), operations(service))
            for service, name in MODELS.items()
        },
        ENDPOINTS: _endpoints(loader.load_data("endpoints")),
        PARTITIONS: _partitions(loader.load_data("partitions")),
        ORIGIN: {
            "botocore": botocore.__version__,
            "copyright": "Amazon.com, Inc. or its affiliates",
            "licence": "Apache-2.0",
        },
    }


def kept() -> dict[str, Content]:
    """Return every file of ec2kit/ec2/data without its suffix, as it is kept."""
    names = (*MODELS.values(), ENDPOINTS, PARTITIONS, ORIGIN)
    return {name: json.loads((DATA / f"{name}.json").read_text()) for name in names}


def operations(service: str) -> list[str]:
    """Return the operations of a service that the policy allows, "ReplaceRoute"."""
    policy = json.loads((ROOT / "etc" / "iam-policy.json").read_text())
    actions = [action for statement in policy["Statement"] for action in statement["Action"]]
    return sorted({action.partition(":")[2] for action in actions if action.startswith(f"{service}:")})


def _model(model: Content, names: list[str]) -> Content:
    """Return the model with these operations, and the shapes that they lead to."""
    chosen = {name: _bare(model["operations"][name]) for name in names}
    wanted = list(_shapes_in(chosen))
    shapes: Content = {}
    while wanted:
        name = wanted.pop()
        if name not in shapes:
            shapes[name] = _shape(model["shapes"][name])
            wanted += _shapes_in(shapes[name])
    rest = {name: value for name, value in _bare(model).items() if name not in ("operations", "shapes")}
    return {**rest, "operations": chosen, "shapes": dict(sorted(shapes.items()))}


def _shapes_in(content: Any) -> Iterator[str]:
    """Yield the names of the shapes that a part of the model refers to."""
    if isinstance(content, dict):
        if isinstance(content.get("shape"), str):
            yield content["shape"]
        content = list(content.values())
    if isinstance(content, list):
        for each in content:
            yield from _shapes_in(each)


def _shape(shape: Content) -> Content:
    bare = _bare(shape)
    if "members" in bare:
        bare["members"] = {name: _bare(each) for name, each in bare["members"].items()}
    return bare


def _bare(content: Content) -> Content:
    return {name: value for name, value in content.items() if name not in _UNUSED}


def _endpoints(endpoints: Content) -> Content:
    partitions = [{**each, "services": _chosen(each["services"])} for each in endpoints["partitions"]]
    return {**endpoints, "partitions": partitions}


def _chosen(services: Content) -> Content:
    return {name: services[name] for name in _SERVICES if name in services}


def _partitions(partitions: Content) -> Content:
    """Return the partitions with the names of their regions, to which nothing is said but a description."""
    chosen = [{**each, "regions": {region: {} for region in each["regions"]}} for each in partitions["partitions"]]
    return {**partitions, "partitions": chosen}


# -- writing -----------------------------------------------------------------------------------------------


def write() -> None:
    """Replace the kept files by a fresh cut."""
    for name, content in cut().items():
        path = DATA / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_text(content) + "\n")


def _text(content: Any, depth: int = 2) -> str:
    """
    Return JSON with a line for each entry down to a depth: small to read at run time, and still good to compare.
    """
    if depth and isinstance(content, dict):
        return (
            "{\n" + ",\n".join(f"{json.dumps(name)}:{_text(each, depth - 1)}" for name, each in content.items()) + "}"
        )
    if depth and isinstance(content, list):
        return "[\n" + ",\n".join(_text(each, depth - 1) for each in content) + "]"
    return json.dumps(content, separators=(",", ":"))


if __name__ == "__main__":
    write()
