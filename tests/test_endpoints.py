"""The list of endpoints is read in order, and what cannot be used is named without its secrets."""

from __future__ import annotations

import pytest

from ec2kit import endpoints
from ec2kit.endpoints import Endpoint

VPCE = "https://vpce-0abc-1def.ec2.us-east-1.vpce.amazonaws.com"
LONGEST = f"https://{'a' * 63}.example.com"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("regional", [Endpoint("regional")], id="one"),
        pytest.param("dual-stack,fips", [Endpoint("dual-stack"), Endpoint("fips")], id="in-order"),
        pytest.param(f"{VPCE} direct", [Endpoint(VPCE, "")], id="url-without-proxy"),
        pytest.param("http://[::1]:80/", [Endpoint("http://[::1]:80/")], id="ipv6"),
        pytest.param(LONGEST, [Endpoint(LONGEST)], id="longest-label"),
        pytest.param(
            " fips-dual-stack  via\thttps://proxy:3128 ,\n regional ,",
            [Endpoint("fips-dual-stack", "https://proxy:3128"), Endpoint("regional")],
            id="blanks",
        ),
        pytest.param(
            "regional via http://me:pass,word@10.0.0.9:3128, fips",
            [Endpoint("regional", "http://me:pass,word@10.0.0.9:3128"), Endpoint("fips")],
            id="comma-in-a-password",
        ),
        pytest.param("fips, regional, fips", [Endpoint("fips"), Endpoint("regional")], id="each-once"),
        pytest.param(" , ", [], id="nothing"),
    ],
)
def test_list_gives_each_endpoint_with_its_proxy(text: str, expected: list[Endpoint]) -> None:
    """What is of the form is taken as it is, in its order."""
    assert endpoints.read(text) == (tuple(expected), ())


@pytest.mark.parametrize(
    "entry",
    [
        "Regional",
        "ec2.us-east-1.amazonaws.com",
        "ftp://ec2.example.com",
        "https://",
        "https://ec2.example.com:0",
        "https://ec2.example.com:65536",
        "https://ec2.example.com/path",
        "https://me@ec2.example.com",
        f"https://{'a' * 64}.example.com",
        f"https://{'a.' * 127}com",
        "https://ec2..example.com",
        "https://ec2.example.com\x00",
        "https://éc2.example.com",
        "regional via",
        "regional via proxy",
        "regional via socks5://proxy:1080",
        "regional via http://proxy:3128 fips",
        "regional indirect",
        "direct",
        "via http://proxy:3128",
    ],
)
def test_entry_that_cannot_be_is_named_and_the_others_are_used(entry: str) -> None:
    """One wrong entry takes no other with it."""
    found, unusable = endpoints.read(f"fips, {entry}, dual-stack")
    assert found == (Endpoint("fips"), Endpoint("dual-stack"))
    assert [each.entry for each in unusable] == [entry.replace("me@", "***@").replace("https://***", "***")]


def test_names_and_wrong_entries_show_no_password() -> None:
    """Neither what is used nor what is wrong shows user or password."""
    (found,), (wrong,) = endpoints.read("fips via http://me:s3,cret@proxy:1, regional via htp://me:s3,cret@proxy:1")
    assert found.name == "fips via http://proxy:1"
    assert "s3" not in wrong.entry + wrong.reason


def test_list_of_too_many_is_cut_and_what_is_left_out_is_named() -> None:
    """Each dead way costs time, so that there is a limit."""
    found, unusable = endpoints.read(",".join(f"https://ec2-{number}.example.com" for number in range(10)))
    assert (len(found), [each.entry for each in unusable]) == (
        endpoints.MOST,
        ["https://ec2-8.example.com", "https://ec2-9.example.com"],
    )
