"""The scenarios by name."""

from __future__ import annotations

import inspect

import pytest

from ec2kit import elastic_ip, route_table
from ec2kit.resource import SCENARIOS
from ec2kit.scenario import Scenario, scenario_of

from .builders import a_resource


def test_scenario_of_each_kind_is_its_module() -> None:
    """The name in a resource leads to the module that knows it."""
    assert scenario_of(a_resource("route-table")) is route_table
    assert scenario_of(a_resource("elastic-ip")) is elastic_ip


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario_module_has_all_names_with_the_same_arguments(name: str) -> None:
    """Whoever adds a scenario finds in the protocol all that its module needs."""
    module = scenario_of(a_resource(name))
    for each, promised in inspect.getmembers(Scenario, inspect.isfunction):
        if not each.startswith("_"):
            promised_names = list(inspect.signature(promised).parameters)[1:]
            assert list(inspect.signature(getattr(module, each)).parameters) == promised_names
