"""The layout has the places below $LKROOT where LifeKeeper and its administrators look for the kit."""

from __future__ import annotations

from ec2kit.frameworks.install.layout import Layout, Script
from ec2kit.frameworks.lifekeeper.commands import APPLICATION, EVENT, EVENT_CLASS, TYPE
from ec2kit.settings import INSTALLED

_RESOURCE = f"subsys/{APPLICATION}/resources/{TYPE}"
_ADMINISTRATION = f"lkadm/subsys/{APPLICATION}/{TYPE}/bin"

LAUNCHER = f"{_ADMINISTRATION}/launch"

HOOKS = {
    **{f"{_RESOURCE}/actions/{name}": name for name in ("restore", "remove", "quickCheck", "recover", "delete")},
    f"{_RESOURCE}/recovery/{EVENT_CLASS}/{EVENT}": "recover",
}
"""Place below $LKROOT → name in `actions/`; LifeKeeper calls these."""

PROGRAMS = {
    **{f"{_ADMINISTRATION}/{name}": name for name in ("create", "canextend", "extend", "unextend", "delete")},
    "lkadm/bin/aws_iam_migration": "aws_iam_migration",
}
"""Place below $LKROOT → name in `actions/`; administrators call these."""

LIFEKEEPER = Layout(
    manifest=INSTALLED,
    launcher=LAUNCHER,
    scripts={
        f"{_ADMINISTRATION}/guard": Script("guard"),
        **{place: Script(name, LAUNCHER, " --hook") for place, name in HOOKS.items()},
        **{place: Script(name, LAUNCHER) for place, name in PROGRAMS.items()},
    },
    front_end="ec2kit.frameworks.lifekeeper.scripts",
    command="ec2kit install",
    root_variable="LKROOT",
)
"""The kit below $LKROOT."""
