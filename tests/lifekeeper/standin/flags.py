"""
flg_create flg_remove flg_list flg_test: named marks of a server.

[confirmed LCDI-flag] The first three; flg_test is known of the Windows edition only. [assumed] Statuses: EXISTS,
MISSING.
"""

from __future__ import annotations

from .failure import EXISTS, MISSING, Failed
from .options import Options
from .server import Server


def flg_create(server: Server, words: list[str]) -> int:
    options = Options(words, "d:f:", needed="f")
    with server.destination(options.get("d")).database.changing() as content:
        if options["f"] in content.flags:
            raise Failed(EXISTS, f'flag "{options["f"]}" already exists')
        content.flags.append(options["f"])
    return 0


def flg_remove(server: Server, words: list[str]) -> int:
    options = Options(words, "d:f:", needed="f")
    with server.destination(options.get("d")).database.changing() as content:
        if options["f"] not in content.flags:
            raise Failed(MISSING, f'there is no flag "{options["f"]}"')
        content.flags.remove(options["f"])
    return 0


def flg_list(server: Server, words: list[str]) -> int:
    options = Options(words, "d:")
    for flag in server.destination(options.get("d")).database.read().flags:
        print(flag)
    return 0


def flg_test(server: Server, words: list[str]) -> int:
    options = Options(words, "d:f:", needed="f")
    found = options["f"] in server.destination(options.get("d")).database.read().flags
    return 0 if found else MISSING
