"""The manifest lists the files that install put into a framework's tree, and is kept in that tree."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from ec2kit.errors import OwnTrouble, StateUnusable
from ec2kit.frameworks.install.tree import Tree
from ec2kit.messages import catalogue
from ec2kit.state.file import VERSION, Content, Damaged, StateFile


@dataclass(frozen=True)
class Manifest:
    """
    The files of install; while install runs, also those that it may have put into the tree already.

    Attributes:
        files: Place → the contents of ec2kit that may be there; two while one replaces the other.
        folders: The folders made by install, sorted.
        backups: Place → the content before install.
    """

    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    backups: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def of(content: Content) -> Manifest:
        """
        Read the stored form.

        Raises:
            Damaged: The content does not have the form of `text`.
        """
        try:
            files = {str(place): tuple(map(str, contents)) for place, contents in content["files"].items()}
            backups = {str(place): str(before) for place, before in content["backups"].items()}
            folders = tuple(map(str, content["folders"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise Damaged("something is missing in it") from error
        if any(os.path.isabs(each) or ".." in each.split("/") for each in (*files, *folders)):
            raise Damaged("it leads out of the tree")
        return Manifest(files, folders, backups)

    @property
    def text(self) -> str:
        """Return the stored form."""
        content = {"files": self.files, "folders": self.folders, "backups": self.backups}
        return json.dumps({"version": VERSION, **content}, sort_keys=True, indent=1) + "\n"


def read_manifest(tree: Tree) -> Manifest:
    """
    Read the manifest of a tree; without a manifest nothing was installed.

    Raises:
        OwnTrouble: The file cannot be read, or is no manifest.
    """
    path = tree.path(tree.manifest)
    if not os.path.lexists(path):
        return Manifest()
    try:
        return Manifest.of(StateFile(path).read() or {})
    except Damaged as error:
        raise OwnTrouble(catalogue.MANIFEST_DAMAGED, path=path, reason=str(error)) from error
    except StateUnusable as error:
        raise OwnTrouble(catalogue.MANIFEST_DAMAGED, path=path, reason=error.fields["reason"]) from error
