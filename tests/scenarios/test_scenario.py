"""The table of scenarios, and that each in it has the names of the protocol."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from ec2kit.scenarios import elastic_ip, route_table, table
from ec2kit.scenarios.scenario import Making, Scenario

from ..builders import a_resource


def test_scenario_of_each_kind_is_its_module() -> None:
    """The name in a resource leads to the module that knows it."""
    assert table.scenario_of(a_resource("route-table")) is route_table
    assert table.scenario_of(a_resource("elastic-ip")) is elastic_ip


def lacks(module: Any, protocol: Any) -> list[str]:
    """The names of a protocol that a module lacks, or has with other arguments."""
    found = [each for each in inspect.get_annotations(protocol) if not hasattr(module, each)]
    for each, promised in inspect.getmembers(protocol, inspect.isfunction):
        names = list(inspect.signature(promised).parameters)[1:]
        if not each.startswith("_") and names != list(inspect.signature(getattr(module, each)).parameters):
            found.append(each)
    return found


@pytest.mark.parametrize("name", table.names())
def test_scenario_module_has_all_names_with_the_same_arguments(name: str) -> None:
    """Whoever adds a scenario finds in the protocol all that it needs, to act and to be made."""
    scenario = table.scenario(name)
    assert lacks(scenario, Scenario) == []
    assert lacks(scenario.making(), Making) == []


def test_table_first_agent_of_a_scenario_is_called_as_it_is() -> None:
    """Our own agents go by the scenario's name; those that stand in for others go by theirs."""
    assert {name: entry.agents[0] for name, entry in table.TABLE.items()} == {name: name for name in table.names()}
    assert table.scenario_of_agent("awseip") == "elastic-ip"
