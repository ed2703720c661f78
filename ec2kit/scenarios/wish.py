"""A wish for a resource has these words: the fields of its kind, the given values, the offers, and what was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Given = Mapping[str, str]
"""Name of a field → the given text; fields that were not given are missing."""

Offered = Mapping[str, "Mapping[str, str] | None"]
"""Name of a list → its choices: value → description. None: that server has no such list."""


def _anything(name: str, text: str) -> str:
    return text


def _always(offered: Offered, given: Given) -> bool:
    return True


class Field(NamedTuple):
    """
    One value that create needs for resources of a kind: an option, and a question of the dialogue.

    Attributes:
        name: "elastic_ip"; it means the same in all kinds that use it.
        option: "--elastic-ip".
        metavar: Stands for the value in the help, "ADDRESS|eipalloc-…".
        help: The help of the option.
        question: "Elastic IP".
        checked: Returns the usual form of a text, from (name, text); raises Ec2KitError.
        offered: Name of the list to choose from; "": there is none.
        closed: True: only the offered values are accepted.
        asked: Tells by the offers, and by what was given so far, whether the dialogue asks for the field.
        otherwise: What holds if the field is not given, "all"; the dialogue takes it for an answer. "": the dialogue
            needs an answer.
        after_device: True: the dialogue asks for the field after the network interface.
        names_it: True: a resource without a given tag is called after the field.
        several: True: the option may be repeated; the texts are joined by commas, which no single one may have.
        is_switch: True: the option has no value; the given text is "yes".
        is_changeable: True: `set` may change it later; it is a field of the kind's own part under the same name.
    """

    name: str
    option: str
    metavar: str
    help: str
    question: str
    checked: Callable[[str, str], str] = _anything
    offered: str = ""
    closed: bool = False
    asked: Callable[[Offered, Given], bool] = _always
    otherwise: str = ""
    after_device: bool = False
    names_it: bool = False
    several: bool = False
    is_switch: bool = False
    is_changeable: bool = False

    @property
    def word(self) -> str:
        """Return the option's name in an error, "elastic-ip"."""
        return self.option.removeprefix("--")


def _with_ip_resources(offered: Offered, given: Given) -> bool:
    return offered.get("ip_resources") is not None


def without_ip_resources(offered: Offered, given: Given) -> bool:
    """Tell whether the framework has no IP resources, so that the dialogue has to ask for the address itself."""
    return offered.get("ip_resources") is None


IP_RESOURCE = Field(
    "ip_resource",
    "--ip-resource",
    "TAG",
    "LifeKeeper's IP resource of the virtual IP",
    "IP resource (in service here, IPv4)",
    offered="ip_resources",
    closed=True,
    asked=_with_ip_resources,
    names_it=True,
)
"""The field of every kind whose address a framework's IP resource puts on the device."""


class Found(NamedTuple):
    """
    The values that complete a definition.

    Attributes:
        own: The part that only a definition of this kind has.
        ip_resource: Tag of the framework's IP resource that depends on the resource; "": there is none.
    """

    address: str
    own: Any
    ip_resource: str = ""
