"""
app_create app_remove app_list typ_create typ_remove typ_list: applications and their resource types.

[confirmed LCDI-applications, LCDI-resource_type] Names and flags; the application must exist first; removing an
application removes its types.
"""

from __future__ import annotations

from .database import Content
from .failure import DEPENDED_ON, EXISTS, MISSING, Failed
from .options import Options
from .server import Server


def app_create(server: Server, words: list[str]) -> int:
    options = Options(words, "d:a:", needed="a")
    with server.destination(options.get("d")).database.changing() as content:
        if options["a"] in content.types:
            raise Failed(EXISTS, f'application "{options["a"]}" already exists')
        content.types[options["a"]] = []
    return 0


def app_remove(server: Server, words: list[str]) -> int:
    options = Options(words, "d:a:", needed="a")
    with server.destination(options.get("d")).database.changing() as content:
        _need(content, options["a"])
        _refuse_if_used(content, options["a"])
        del content.types[options["a"]]
    return 0


def app_list(server: Server, words: list[str]) -> int:
    """[assumed] One name a line."""
    options = Options(words, "d:")
    for application in server.destination(options.get("d")).database.read().types:
        print(application)
    return 0


def typ_create(server: Server, words: list[str]) -> int:
    options = Options(words, "d:a:r:", needed="ar")
    with server.destination(options.get("d")).database.changing() as content:
        _need(content, options["a"])
        if options["r"] in content.types[options["a"]]:
            raise Failed(EXISTS, f'type "{options["r"]}" already exists')
        content.types[options["a"]].append(options["r"])
    return 0


def typ_remove(server: Server, words: list[str]) -> int:
    options = Options(words, "d:a:r:", needed="ar")
    with server.destination(options.get("d")).database.changing() as content:
        _need(content, options["a"], options["r"])
        _refuse_if_used(content, options["a"], options["r"])
        content.types[options["a"]].remove(options["r"])
    return 0


def typ_list(server: Server, words: list[str]) -> int:
    """[assumed] Two fields a line: application, type."""
    options = Options(words, "d:f:a:")
    content = server.destination(options.get("d")).database.read()
    if "a" in options:
        _need(content, options["a"])
    for application, kinds in content.types.items():
        if application == options.get("a", application):
            for kind in kinds:
                print(application, kind, sep=options.separator)
    return 0


def _need(content: Content, application: str, kind: str = "") -> None:
    if application not in content.types:
        raise Failed(MISSING, f'there is no application "{application}"')
    if kind and kind not in content.types[application]:
        raise Failed(MISSING, f'application "{application}" has no type "{kind}"')


def _refuse_if_used(content: Content, application: str, kind: str = "") -> None:
    """[assumed] What resources are of stays; the status is the one for "other instances depend on it"."""
    used = [each for each in content.instances if each["app"] == application and kind in ("", each["type"])]
    if used:
        raise Failed(DEPENDED_ON, f'resource "{used[0]["tag"]}" is of it')
