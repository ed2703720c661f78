"""The settings of the SDK keep their meaning on the way through an action."""

from __future__ import annotations

from pathlib import Path

from .cluster import Cluster

EMPTY = (
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "AWS_METADATA_SERVICE_TIMEOUT"),
    *("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "AWS_DEFAULTS_MODE"),
    *("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_ACCOUNT_ID_ENDPOINT_MODE"),
    *("AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_REGION", "AWS_MAX_ATTEMPTS", "AWS_ENDPOINT_URL_EC2", "https_proxy"),
)


def test_an_action_with_variables_of_the_sdk_that_are_empty_works_as_without_them(cluster: Cluster) -> None:
    """A framework or a build system that exports empty names does not make every answer UNKNOWN."""
    done = cluster.with_resource().act("node1", "quickCheck", EC2_SNAPSHOT_MAX_AGE="0", **dict.fromkeys(EMPTY, ""))
    assert "IN_SERVICE" in done.stderr, done.stderr


def test_create_asks_the_metadata_service_that_the_sdks_file_names(cluster: Cluster, tmp_path: Path) -> None:
    """Where credentials come from by ~/.aws/config, the instance's identity and its ENIs come from, too."""
    url = cluster.environment("node1")["AWS_EC2_METADATA_SERVICE_ENDPOINT"]
    config = tmp_path / "config"
    config.write_text(f"[profile ha]\nec2_metadata_service_endpoint = {url}/\n")
    named = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "", "AWS_CONFIG_FILE": str(config), "AWS_PROFILE": "ha"}
    done = cluster.create(**named)
    assert done.status == 0, done.stderr
