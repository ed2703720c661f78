"""The cut of botocore's data that ec2kit ships: small, true, and enough."""

from __future__ import annotations

import json
import runpy
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore.loaders import Loader

from ec2kit.ec2 import model
from ec2kit.errors import NotSent
from ec2kit.messages import catalogue

from ..builders import Lines
from ..patience import HANGS
from ..scripted_server import scripted, tables
from .asking import an_ec2, look

ROOT = Path(__file__).parents[2]
TOOL = runpy.run_path(str(ROOT / "tools" / "cut_model.py"))
KEPT = TOOL["kept"]()

KILOBYTES = 100
"""What the whole cut may weigh; botocore's own is 1800."""


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")[:3]))


def _missing(part: Any, whole: Any, place: str) -> Iterator[str]:
    """Where a part says something that the whole does not say; what the whole says beyond it does not count."""
    if isinstance(part, dict) and isinstance(whole, dict):
        for name, value in part.items():
            yield from _missing(value, whole[name], f"{place}.{name}") if name in whole else [f"{place}.{name}"]
    elif isinstance(part, list) and isinstance(whole, list):
        for each in part:
            if not any(not list(_missing(each, one, place)) for one in whole):
                yield f"{place}: {json.dumps(each)[:80]}"
    elif part != whole:
        yield f"{place}: {part!r}, not {whole!r}"


# -- what is shipped -------------------------------------------------------------------------------------------


@pytest.mark.skipif(
    _version(botocore.__version__) < _version(KEPT["origin"]["botocore"]),
    reason="this botocore is older than the one that the cut comes from",
)
def test_cut_says_nothing_that_the_installed_botocore_denies() -> None:
    """A botocore whose operations or endpoints changed is noticed (then: `make model`), one that only grew is not."""
    assert list(_missing(KEPT, {**TOOL["cut"](), "origin": KEPT["origin"]}, "")) == []


def test_cut_with_a_change_in_it_is_noticed() -> None:
    """The comparison sees a renamed member, a changed location and a lost operation."""
    changed = json.loads(json.dumps(KEPT))
    ec2 = changed["ec2/2016-11-15/service-2"]
    ec2["shapes"]["ReplaceRouteRequest"]["members"]["RouteTableId"]["locationName"] = "tableId"
    del ec2["operations"]["DescribeAddresses"]
    assert len(list(_missing(KEPT, changed, ""))) == 2
    ec2["shapes"]["Route"]["members"]["Colour"] = {"shape": "String"}
    assert len(list(_missing(KEPT, changed, ""))) == 2


def test_cut_has_the_operations_that_are_called_and_no_other() -> None:
    """What the policy allows is what the clients know."""
    for service, name in TOOL["MODELS"].items():
        assert sorted(KEPT[name]["operations"]) == TOOL["operations"](service)


def test_cut_is_small() -> None:
    """Each action reads it, so it stays small."""
    files = [path for path in Path(model.DATA).rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".json"}
    assert sum(path.stat().st_size for path in files) < KILOBYTES * 1000


# -- how it is used ----------------------------------------------------------------------------------------------


def test_look_reads_neither_botocores_model_nor_its_endpoints(tmp_path: Path) -> None:
    """What would take longer than the request is not even opened."""
    program = (
        "import sys; opened = []\n"
        "sys.addaudithook(lambda event, words: event == 'open' and opened.append(str(words[0])))\n"
        "from tests.ec2.asking import an_ec2, look\n"
        "look(an_ec2(sys.argv[1])); print(*opened, sep='\\n')"
    )
    with scripted(tables()) as server:
        command = [sys.executable, "-c", program, server.url]
        keys = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "x", "PATH": "/usr/bin:/bin"}
        done = subprocess.run(command, cwd=ROOT, env=keys, capture_output=True, text=True, check=True, timeout=HANGS)
    opened = done.stdout.splitlines()
    assert any(path.startswith(f"{model.DATA}/ec2/") for path in opened)
    assert not [path for path in opened if "/botocore/data/" in path and Path(path).stem.startswith("service-2")]
    assert not [path for path in opened if path.endswith("/botocore/data/endpoints.json")]


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    "content", [pytest.param("{", id="cut"), pytest.param('{"metadata": {}, "operations": {}}', id="strange")]
)
def test_look_model_cannot_be_used_reads_botocores_own_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    """A damaged or unsuitable model costs time and a WARN, never an answer."""
    damaged = tmp_path / "ec2" / "2016-11-15" / "service-2.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text(content)
    monkeypatch.setattr(model, "DATA", str(tmp_path))
    lines = Lines()
    with scripted(tables()) as server:
        assert look(an_ec2(server.url, sink=lines)) == ()
    (line,) = lines.of(catalogue.MODEL_UNUSABLE)
    assert botocore.__version__ in line


def _endpoint(region: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where a look-up would be sent."""

    def unresolved(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    with pytest.raises(NotSent) as caught:
        look(an_ec2("", region=region, look_retries=0))
    return f"https://{caught.value.fields['name']}"


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    ("region", "variables"),
    [
        pytest.param("us-east-1", {}, id="usual"),
        pytest.param("cn-north-1", {}, id="china"),
        pytest.param("us-gov-west-1", {"AWS_USE_FIPS_ENDPOINT": "true"}, id="fips"),
        pytest.param("eu-west-1", {"AWS_USE_DUALSTACK_ENDPOINT": "true"}, id="dual-stack"),
        pytest.param("eu-north-9", {}, id="a-region-that-nobody-knows-yet"),
    ],
)
def test_endpoint_is_the_one_that_botocore_would_choose(
    region: str, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Partitions, FIPS, dual stack and new regions: with the cut endpoints as with the whole."""
    import boto3

    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert _endpoint(region, monkeypatch) == boto3.client("ec2", region_name=region).meta.endpoint_url


def _partitions_known_to_the_sdk(
    place: Path, monkeypatch: pytest.MonkeyPatch, partitions: list[dict[str, Any]]
) -> None:
    (place / "partitions.json").write_text(json.dumps({"version": "1.1", "partitions": partitions}))
    monkeypatch.setenv("AWS_DATA_PATH", str(place))


@pytest.mark.usefixtures("credentials")
def test_request_sdk_older_than_a_partition_leaves_for_that_partition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The European Sovereign Cloud has a domain of its own, which an older SDK does not know."""
    older = [each for each in Loader().load_data("partitions")["partitions"] if each["id"] != "aws-eusc"]
    _partitions_known_to_the_sdk(tmp_path, monkeypatch, older)
    assert _endpoint("eusc-de-east-1", monkeypatch) == "https://ec2.eusc-de-east-1.amazonaws.eu"


@pytest.mark.usefixtures("credentials")
def test_request_sdk_newer_than_the_cut_leaves_for_what_only_the_sdk_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A partition of which ec2kit's data know nothing is where the SDK says."""
    usual = Loader().load_data("partitions")["partitions"]
    outputs = {**usual[0]["outputs"], "name": "aws-moon", "dnsSuffix": "aws.example"}
    moon = {"id": "aws-moon", "outputs": outputs, "regionRegex": r"^moon-\w+-\d+$", "regions": {}}
    _partitions_known_to_the_sdk(tmp_path, monkeypatch, [*usual, moon])
    assert _endpoint("moon-east-1", monkeypatch) == "https://ec2.moon-east-1.aws.example"


@pytest.mark.usefixtures("credentials")
def test_endpoint_of_an_administrators_data_path_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_DATA_PATH, as for a private partition, comes before what ec2kit ships."""
    endpoints = TOOL["cut"]()["endpoints"]
    endpoints["partitions"][0]["dnsSuffix"] = "example.org"
    (tmp_path / "endpoints.json").write_text(json.dumps(endpoints))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    assert _endpoint("us-east-1", monkeypatch) == "https://ec2.us-east-1.example.org"
