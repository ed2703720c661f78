"""The list of what install put there is read back as it was written, or not at all."""

from __future__ import annotations

import json

import pytest

from ec2kit.frameworks.install.manifest import Manifest
from ec2kit.state.file import Damaged

NEW, OLD = "sha256:new", "sha256:old"
X = "subsys/comm/resources/ec2/actions/restore"


def test_manifest_read_is_the_manifest_written() -> None:
    """What is stored comes back whole."""
    manifest = Manifest({X: (OLD, NEW)}, ("subsys", "subsys/comm"), {X: "link:\udcff"})
    assert Manifest.of(json.loads(manifest.text)) == manifest


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({}, id="empty"),
        pytest.param({"files": [], "folders": [], "backups": {}}, id="another shape"),
        pytest.param({"files": {X: 1}, "folders": [], "backups": {}}, id="no contents"),
        pytest.param({"files": {"../x": [NEW]}, "folders": [], "backups": {}}, id="out of the tree"),
        pytest.param({"files": {"/bin/x": [NEW]}, "folders": [], "backups": {}}, id="elsewhere"),
        pytest.param({"files": {}, "folders": ["a/../.."], "backups": {}}, id="a folder out of the tree"),
    ],
)
def test_manifest_that_is_none_is_not_acted_upon(content: dict[str, object]) -> None:
    """Nothing is removed on the word of a list that ec2kit cannot have written."""
    with pytest.raises(Damaged):
        Manifest.of(content)
