"""The roles of a definition: one for all tables, others for single ones, and what is asked under which."""

from __future__ import annotations

import pytest

from ec2kit.role import Role
from ec2kit.scenarios.route_table import Own, ahead, own
from ec2kit.scenarios.route_table.look import questions
from ec2kit.scenarios.route_table.role import read, text_of

from ..builders import a_resource, a_server

A, B = (f"arn:aws:iam::{account}:role/network/vip" for account in ("111122223333", "444455556666"))
ODD = f"{A},rtb-1=x"
"""A role of IAM may be called so."""


@pytest.mark.parametrize(
    ("given", "usual"),
    [
        pytest.param(A, A, id="for all"),
        pytest.param(f"rtb-2={B}, rtb-1={A}", f"rtb-1={A},rtb-2={B}", id="by table"),
        pytest.param(f"rtb-1={A} {B}", f"{B},rtb-1={A}", id="for all but one"),
        pytest.param(f"{ODD} rtb-2={ODD}", f"{ODD},rtb-2={ODD}", id="commas in a name"),
        pytest.param("", "", id="none"),
    ],
)
def test_roles_are_read_in_one_usual_form(given: str, usual: str) -> None:
    """That form is stored, told to other servers, and read again."""
    assert text_of(read(given)) == usual
    assert read(usual) == read(given)


@pytest.mark.parametrize(
    ("role_arn", "external_id", "tables", "why"),
    [
        pytest.param(f"rtb-2={A}", "", ("rtb-1",), "not among its listed", id="of another table"),
        pytest.param(f"rtb-1={A},rtb-1={B}", "", ("rtb-1",), "two roles", id="two of one table"),
        pytest.param(f"{A},{B}", "", ("rtb-1",), "two roles", id="two for all"),
        pytest.param("rtb-1=vip", "", ("rtb-1",), "not the ARN", id="no ARN"),
        pytest.param(f"rtb-x={A}", "", (), "not the id", id="no table"),
        pytest.param(f"rtb-1={A},{B}", "", ("rtb-1",), "usual form", id="edited"),
        pytest.param(f"rtb-1={A}", "a b", ("rtb-1",), "external id", id="no external id"),
    ],
)
def test_roles_that_do_not_fit_are_no_definition(
    role_arn: str, external_id: str, tables: tuple[str, ...], why: str
) -> None:
    """A definition that names a role that it cannot mean is not used without the role."""
    stored = {"address": "10.1.0.10", "route_table_ids": tables, "role_arn": role_arn, "external_id": external_id}
    with pytest.raises(ValueError, match=why):
        own(stored)


@pytest.mark.parametrize(
    ("mine", "asked"),
    [
        pytest.param(Own(), [(None, "")], id="none"),
        pytest.param(Own((), "", A), [(Role(A), "")], id="for all"),
        pytest.param(Own(("rtb-1", "rtb-2"), "", f"rtb-2={B}"), [(None, ""), (Role(B), "")], id="own and another"),
        pytest.param(Own(("rtb-1",), "", f"rtb-1={A}", "x1"), [(Role(A, "x1"), "")], id="by table alone"),
        pytest.param(
            Own(("rtb-1", "rtb-2"), "", f"rtb-1={A},rtb-2={A}"), [(Role(A), "")], id="one role of two tables"
        ),
        pytest.param(
            Own(("rtb-1",), "vip=a", f"{A},rtb-1={B}"), [(Role(A), "vip=a"), (Role(B), "")], id="beside a tag"
        ),
    ],
)
def test_each_role_is_asked_once_for_what_it_has(mine: Own, asked: list[tuple[Role | None, str]]) -> None:
    """No question goes under a role of which no table can come."""
    assert list(questions(mine)) == asked


def test_changes_go_under_the_role_of_their_table() -> None:
    """Also those that are made beside the first look."""
    resource = a_resource(own=Own(("rtb-1", "rtb-2", "rtb-3"), "", f"{A},rtb-2={B}", "x1"))
    changes = ahead(resource, a_server(), ["rtb-1", "rtb-2", "rtb-3"])
    assert [each.role for each in changes] == [Role(A, "x1"), Role(B, "x1"), Role(A, "x1")]
