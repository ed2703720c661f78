"""
The parts of botocore's data that ec2kit needs, cut down, and the way by which botocore finds them.

boto3 reads the model of all of EC2 and the endpoints of all of AWS, which takes longer than a request. `make model`
cuts out of botocore's what is called here.
"""

from __future__ import annotations

import os
from typing import Any

DATA = os.path.join(os.path.dirname(__file__), "data")
"""Laid out as botocore's own: the model of EC2, and the endpoints of EC2 and of what gives credentials."""

_EC2 = "ec2/2016-11-15"


class Loader:
    """
    A loader of botocore's that finds what ec2kit ships before botocore's own, and an administrator's before both.

    EC2 is there, so the folders of all 400 services are not looked through for it.

    Source: botocore, loaders.Loader.
    """

    def __init__(self, botocores: Any) -> None:
        self._botocores = botocores
        paths = botocores.search_paths
        paths.insert(paths.index(botocores.BUILTIN_DATA_PATH), DATA)

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        if service_name == "ec2" and not api_version:
            return self._botocores.load_data(f"{_EC2}/{type_name}")
        return self._botocores.load_service_model(service_name, type_name, api_version)

    def is_builtin_path(self, path: str) -> bool:
        """Whether the endpoints come from botocore: those of an administrator count more than the rules do."""
        return path.startswith(DATA) or self._botocores.is_builtin_path(path)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._botocores, name)
