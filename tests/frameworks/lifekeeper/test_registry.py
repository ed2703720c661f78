"""The registry in LifeKeeper's database, where that says what it should not; its use is tested in lifekeeper/."""

from __future__ import annotations

from pathlib import Path

import pytest

from ec2kit.errors import LifeKeeperFailed, RegistryBroken, RegistryEmpty, TagUnknown, Unknown
from ec2kit.frameworks.lifekeeper.registry import from_info, to_info
from ec2kit.scenarios import route_table

from ...builders import a_resource
from ...fake_lifekeeper import FakeLifeKeeper, row

TAG = "ec2-vip1"
INFO = to_info(a_resource())
OTHER = row("ec2-vip2", to_info(a_resource(tag="ec2-vip2", address="10.1.0.20")))


@pytest.fixture
def lifekeeper(tmp_path: Path) -> FakeLifeKeeper:
    return FakeLifeKeeper(tmp_path)


def test_load_listed_resource_is_the_one_that_was_stored(lifekeeper: FakeLifeKeeper) -> None:
    """The info gives the definition back, the state LifeKeeper's own word."""
    lifekeeper.says(row(TAG, INFO))
    assert lifekeeper.registry.load(TAG) == a_resource()
    assert lifekeeper.registry.in_service(TAG)


def test_load_tag_that_an_intact_database_does_not_have_is_unknown(lifekeeper: FakeLifeKeeper) -> None:
    """Only a database that knows other resources, and not this one, gives that answer."""
    lifekeeper.says(b"", OTHER, status=7)
    with pytest.raises(TagUnknown):
        lifekeeper.registry.load(TAG)
    lifekeeper.says(b"", b"", status=7, type_status=7)
    with pytest.raises(RegistryEmpty):
        lifekeeper.registry.load(TAG)


@pytest.mark.parametrize(
    ("by_tag", "by_type", "status", "reason"),
    [
        pytest.param(OTHER, OTHER, 0, "'ec2-vip2' of type 'ec2', which was not asked for", id="another tag"),
        pytest.param(row("id-x", INFO), OTHER, 0, "which was not asked for", id="fields in another order"),
        pytest.param(b"", row("ip-1", "x", type="ip"), 7, "of type 'ip', which was not asked for", id="another type"),
        pytest.param(b"", row(TAG, INFO), 7, "lists ec2-vip1, and then does not know it", id="contradiction"),
        pytest.param(row(TAG, INFO)[:20], OTHER, 0, "fields where 7 are expected", id="cut"),
        pytest.param(row(TAG, INFO), OTHER, 1, "exit status 1", id="failed"),
        pytest.param(row(TAG, "ec2kit=1 unfinished"), OTHER, 0, "cut off", id="unfinished"),
        pytest.param(row(TAG, INFO[:-30]), OTHER, 0, "in LifeKeeper's database", id="info cut"),
    ],
)
def test_load_what_cannot_be_is_trouble_and_no_answer(
    lifekeeper: FakeLifeKeeper, by_tag: bytes, by_type: bytes, status: int, reason: str
) -> None:
    """That a tag is unknown fails a quickCheck, so it is never concluded from something that does not fit."""
    lifekeeper.says(by_tag, by_type, status=status)
    with pytest.raises((LifeKeeperFailed, RegistryBroken), match=reason) as raised:
        lifekeeper.registry.load(TAG)
    assert isinstance(raised.value, Unknown)


def test_from_info_cut_anywhere_is_none() -> None:
    """A definition of fewer servers would let recover take the address from those that are missing."""
    for length in range(len(INFO)):
        with pytest.raises(ValueError, match=r"."):
            from_info(TAG, INFO[:length])
    assert from_info(TAG, INFO) == a_resource()


def test_to_info_of_an_old_definition_is_as_it_was() -> None:
    """A definition without the parts that later versions added is the same line, with and without listed tables."""
    servers = "".join(
        f" server={each.name}/{each.priority}/{each.device}/{each.network_interface_id}/{each.private_ip_address}/"
        f"{each.instance_id}/{each.availability_zone}/{each.mac_address}"
        for each in a_resource().servers
    )
    common = "ec2kit=1 scenario=route-table region={0.region} vpc_id={0.vpc_id} address=10.1.0.10 allocation_id= "
    rest = "switchback={0.switchback} ip_resource= revision=1"
    assert (common + rest).format(a_resource()) + servers + " end" == INFO
    listed = to_info(a_resource(own=route_table.Own(("rtb-1", "rtb-2"))))
    assert listed == (common + rest).format(a_resource()) + " route_table_ids[]=rtb-1,rtb-2" + servers + " end"


@pytest.mark.parametrize("value", ["a b", "a,b", "100%", "%41", "a=b", "タグ", "end", "x server=y"])
def test_to_info_any_tag_is_one_word_and_read_again(value: str) -> None:
    """The info is one line of words, so a value of any letters is spelt without blanks and commas."""
    resource = a_resource(own=route_table.Own(("rtb-1",), f"Used by={value}"))
    info = to_info(resource)
    assert info.isascii()
    assert len(info.split(" ")) == len(INFO.split(" ")) + 2
    assert from_info(TAG, info) == resource


@pytest.mark.parametrize("character", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_load_beside_an_info_with_another_end_of_line_is_loaded(lifekeeper: FakeLifeKeeper, character: str) -> None:
    """Only a line feed ends a line of LifeKeeper's, whatever else Python takes for one."""
    lifekeeper.says(b"", OTHER.replace(b"id-", f"id{character}".encode()), status=7)
    with pytest.raises(TagUnknown):
        lifekeeper.registry.load(TAG)
