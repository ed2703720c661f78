"""The roles of a definition are one text: a role for all its tables, and one for each table that needs another."""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from ec2kit.role import Role, is_external_id, is_role_arn

if TYPE_CHECKING:
    from collections.abc import Mapping

_BETWEEN = re.compile(r"[,\s]+(?=(?:rtb-[^=,\s]*=)?arn:)")
"""Between two roles; a comma may also be a letter of a role's name."""


class Roles(NamedTuple):
    """
    The roles under which the tables of a resource are looked at and changed.

    Attributes:
        default: The role of each table that has none of its own; None: the server's own credentials.
        of_tables: Table → its role.
    """

    default: Role | None = None
    of_tables: Mapping[str, Role] = MappingProxyType({})

    def of(self, route_table_id: str) -> Role | None:
        """Return the role of a table."""
        return self.of_tables.get(route_table_id, self.default)


@lru_cache(maxsize=64)
def read(text: str, external_id: str = "") -> Roles:
    """
    Read "arn:aws:iam::111122223333:role/vip,rtb-2=arn:aws:iam::444455556666:role/vip".

    Args:
        external_id: The word for all of these roles; "": none.

    Raises:
        ValueError: A part is no role, or a second one for the same tables; or the external id is none.
    """
    if external_id and not is_external_id(external_id):
        raise ValueError("its external id is none")
    found: dict[str, Role] = {}
    for part in _BETWEEN.split(text) if text else ():
        table, _, arn = part.partition("=") if part.startswith("rtb-") else ("", "", part)
        if table and not re.fullmatch("rtb-[0-9a-f]+", table):
            raise ValueError(f"{table[:60]!a} is not the id of a route table, rtb-…")
        if not is_role_arn(arn):
            raise ValueError(f"{arn[:60]!a} is not the ARN of a role, arn:aws:iam::111122223333:role/NAME")
        if table in found:
            raise ValueError(f"it has two roles for {table or 'all tables'}")
        found[table] = Role(arn, external_id)
    if external_id and not found:
        raise ValueError("its external id belongs to a role, and it has none")
    default = found.pop("", None)
    return Roles(default, MappingProxyType(found))


def text_of(roles: Roles) -> str:
    """Return the text that `read` reads, in its usual form: the role for all tables, then the others by table."""
    first = [roles.default.role_arn] if roles.default else []
    return ",".join([*first, *(f"{name}={role.role_arn}" for name, role in sorted(roles.of_tables.items()))])
