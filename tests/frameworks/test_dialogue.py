"""The dialogue of create, at a terminal that types what a test says."""

from __future__ import annotations

import pytest

from ec2kit.actions.dialogue import Offers, as_wish, hold
from ec2kit.actions.wish import wish_of
from ec2kit.errors import BadRequest
from ec2kit.messages import catalogue

from ..builders import raises

OFFERS = Offers(
    region="us-east-1",
    devices={"eth0": "eni-0, 10.0.1.11", "eth1": "eni-1, 10.0.11.11"},
    lists={
        "elastic_ips": {"203.0.113.1": "eipalloc-1 on eni-1", "203.0.113.2": "eipalloc-2 on nothing"},
        "ip_resources": {"ip-10.1.0.10": "10.1.0.10"},
    },
)


class Typist:
    """Types the lines one after the other, then nothing more."""

    def __init__(self, *lines: str) -> None:
        self._lines = list(lines)
        self.shown: list[str] = []

    def say(self, text: str) -> None:
        self.shown.append(text)

    def ask(self, prompt: str) -> str | None:
        self.shown.append(prompt)
        return self._lines.pop(0) if self._lines else None


def answered(*lines: str, offers: Offers = OFFERS, servers: tuple[str, ...] = ("node1", "node2")) -> dict[str, str]:
    return hold(Typist(*lines), list(servers), lambda server: offers)


def test_empty_answers_take_what_is_offered() -> None:
    """Return, return, return makes a route-table resource for the IP resource, in all tables, under no role."""
    answers = answered(*[""] * 11)
    assert (answers["server"], answers["tag"]) == ("node1", "ec2-ip-10.1.0.10")
    assert as_wish(answers) == wish_of(
        scenario="route-table", region="us-east-1", ip_resource="ip-10.1.0.10", device="eth1"
    )


def test_elastic_ip_is_asked_for_in_place_of_the_ip_resource() -> None:
    """Only what applies to the type is asked; a choice may be named by its number."""
    answers = answered("node2", "automatic", "", "elastic-ip", "1", "2", "", "yes")
    assert answers["server"] == "node2"
    assert answers["tag"] == "ec2-203.0.113.2"
    assert as_wish(answers).given == {"elastic_ip": "203.0.113.2"}
    assert as_wish(answers).device == "eth0"
    assert as_wish(answers).switchback == "automatic"


def test_virtual_ip_is_typed_where_there_is_no_lifekeeper() -> None:
    """Without LifeKeeper there are no IP resources; the address is checked at once."""
    offers = Offers(region="us-east-1", devices={"eth1": "eni-1"})
    typist = Typist("", "", "", "", "10.1.0.x", "10.1.0.10", *[""] * 6)
    answers = hold(typist, ["node1"], lambda server: offers)
    assert answers["virtual_ip"] == "10.1.0.10"
    assert answers["tag"] == "ec2-10.1.0.10"
    assert any("10.1.0.x" in line and "neither an IPv4 nor an IPv6 address" in line for line in typist.shown)


WITHOUT_LIFEKEEPER = Offers(region="us-east-1", devices={"eth1": "eni-1"})

ROLE = "arn:aws:iam::111122223333:role/vip"


@pytest.mark.parametrize(
    ("typed", "given"),
    [
        pytest.param(
            ("10.1.0.10, 2001:db8::1", "", "", "", "", "", ""),
            {"virtual_ip": "10.1.0.10,2001:db8::1"},
            id="several addresses",
        ),
        pytest.param(
            ("10.1.0.10", "rtb-1 rtb-2", "vip=a", "yes", f"rtb-2={ROLE}", "cluster-a", "", "", ""),
            {
                "virtual_ip": "10.1.0.10",
                "route_table_ids": "rtb-1,rtb-2",
                "route_table_tag": "vip=a",
                "create_routes": "yes",
                "role_arn": f"rtb-2={ROLE}",
                "external_id": "cluster-a",
            },
            id="chosen tables and roles",
        ),
        pytest.param(
            ("", "0.0.0.0/0", "", "nat=a", "no", "none", "", "", ""),
            {"destination": "0.0.0.0/0", "route_table_tag": "nat=a"},
            id="any destination",
        ),
    ],
)
def test_dialogue_asks_for_all_that_the_options_give(typed: tuple[str, ...], given: dict[str, str]) -> None:
    """Return leaves out what need not be."""
    typist = Typist("", "", "", "", *typed)
    assert as_wish(hold(typist, ["node1"], lambda server: WITHOUT_LIFEKEEPER)).given == given


@pytest.mark.parametrize(
    ("typed", "said", "more"),
    [
        pytest.param(
            ("", "pl-1a", "", "", "", "", ""), "chosen tables only", ("", "rtb-1", *[""] * 6), id="no tables"
        ),
        pytest.param(
            ("10.1.0.10", "rtb-1", "", "", f"rtb-2={ROLE}", "", "", ""),
            "not among its listed route tables",
            ("none", *[""] * 4),
            id="role of another table",
        ),
    ],
)
def test_dialogue_judges_as_the_options_are_judged(typed: tuple[str, ...], said: str, more: tuple[str, ...]) -> None:
    """Before anything is made, what does not go together is asked for again."""
    typist = Typist("", "", "", "", *typed, *more)
    answers = hold(typist, ["node1"], lambda server: WITHOUT_LIFEKEEPER)
    assert [each for each in typist.shown if said in each]
    assert as_wish(answers).given["route_table_ids"] == "rtb-1"


def test_back_goes_one_question_back_and_keeps_what_was_answered() -> None:
    """From the tag back to the type, which forgets the answer that no longer applies."""
    back = ("back", "back", "back")
    answers = answered("", "", "", "elastic-ip", "eth0", "", *back, "route-table", *[""] * 7)
    assert as_wish(answers) == wish_of(
        scenario="route-table", region="us-east-1", ip_resource="ip-10.1.0.10", device="eth0"
    )


def test_back_from_the_first_questions_asks_for_the_server_again() -> None:
    """What is offered depends on the server, so it can be chosen anew; before it there is nothing."""
    answers = answered("back", "node2", "back", "node1", *[""] * 10)
    assert answers["server"] == "node1"


@pytest.mark.parametrize(
    "lines", [pytest.param(("", "", "Cancel"), id="cancel"), pytest.param(("", ""), id="end-of-input")]
)
def test_cancel_ends_with_nothing_done(lines: tuple[str, ...]) -> None:
    """At every question; the end of the input is the same."""
    with raises(BadRequest, catalogue.CANCELLED):
        answered(*lines)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        pytest.param("sometimes", "it is none of: intelligent, automatic", id="no-choice"),
        pytest.param("9", "it is none of: intelligent, automatic", id="no-such-number"),
    ],
)
def test_a_wrong_answer_is_asked_again(typed: str, said: str) -> None:
    """It says why, and nothing is lost."""
    typist = Typist("", typed, *[""] * 10)
    assert hold(typist, ["node1"], lambda server: OFFERS)["switchback"] == "intelligent"
    assert f"  {said}" in typist.shown


def test_without_any_ip_resource_a_route_table_resource_cannot_be_made() -> None:
    """LifeKeeper puts the address on the device by the IP resource; back leads to the type."""
    offers = Offers(
        region="us-east-1", devices={"eth1": ""}, lists={"ip_resources": {}, "elastic_ips": {"203.0.113.1": ""}}
    )
    typist = Typist("", "", "", "", "", "back", "elastic-ip", *[""] * 4)
    assert hold(typist, ["node1"], lambda server: offers)["scenario"] == "elastic-ip"
    assert "  please answer" in typist.shown
