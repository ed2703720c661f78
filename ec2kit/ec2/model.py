"""
ec2kit ships the parts of botocore's data that it needs, and shows botocore the way to them.

boto3 reads the model of all of EC2, and the endpoints of all of AWS, which takes longer than a request. `make model`
cuts what is called here out of botocore's data, for EC2 and for Route 53.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

DATA = os.path.join(os.path.dirname(__file__), "data")
"""
Laid out as botocore's own: the models of EC2 and Route 53, and the endpoints of both and of the services that give
credentials.

`ec2/partitions` are botocore's `partitions`, under another name because they add to botocore's and replace none.
"""


class Service(NamedTuple):
    """
    A service of AWS that an action asks.

    Attributes:
        name: botocore's name, "route53".
        event: The name in botocore's events, "route-53".
        shown: The name for a person, "Route 53".
        version: The version of its API, "2013-04-01".
    """

    name: str
    event: str
    shown: str
    version: str


EC2 = Service("ec2", "ec2", "EC2", "2016-11-15")
ROUTE_53 = Service("route53", "route-53", "Route 53", "2013-04-01")

_VERSIONS = {each.name: each.version for each in (EC2, ROUTE_53)}
_PARTITIONS = "ec2/partitions"


class Loader:
    """
    A loader of botocore's that finds ec2kit's data before botocore's own, and an administrator's before both.

    ec2kit's data has EC2 and Route 53, so the loader does not look through the folders of all 400 services for them.

    Source: botocore, loaders.Loader.
    """

    def __init__(self, botocores: Any) -> None:
        self._botocores = botocores
        paths = botocores.search_paths
        paths.insert(paths.index(botocores.BUILTIN_DATA_PATH), DATA)

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        if service_name in _VERSIONS and not api_version:
            return self._botocores.load_data(f"{service_name}/{_VERSIONS[service_name]}/{type_name}")
        return self._botocores.load_service_model(service_name, type_name, api_version)

    def load_data(self, name: str) -> Any:
        """
        Return botocore's data; to the partitions of AWS come those that only ec2kit's data has.

        An SDK that is older than a partition would send the requests of its regions to another one.
        """
        data = self._botocores.load_data(name)
        return _with_ours(data, self._botocores.load_data(_PARTITIONS)) if name == "partitions" else data

    def is_builtin_path(self, path: str) -> bool:
        """Tell whether the endpoints are built in: an administrator's own endpoints count more than the rules do."""
        return path.startswith(DATA) or self._botocores.is_builtin_path(path)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._botocores, name)


def _with_ours(botocores: Any, ours: Any) -> Any:
    known = {each["id"] for each in botocores["partitions"]}
    added = [each for each in ours["partitions"] if each["id"] not in known]
    return {**botocores, "partitions": [*botocores["partitions"], *added]}
