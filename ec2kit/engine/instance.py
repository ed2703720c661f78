"""The check that this machine is still the instance that a resource defines as this server."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ec2kit.errors import ImdsSilent, OtherInstance
from ec2kit.messages import catalogue
from ec2kit.messages.progress import doing
from ec2kit.messages.statement import Reason

if TYPE_CHECKING:
    from ec2kit.engine.action import Action


def verify_instance(action: Action) -> None:
    """
    Verify by the metadata service that this is the server's instance; its silence is logged and counts as yes.

    Raises:
        OtherInstance: This machine is another instance.
    """
    from ec2kit.host.instance import identity

    server = action.server
    try:
        with doing(partial(Reason.of, catalogue.AWAITS_PEER, server=action.settings.metadata_url)):
            here = identity(action.settings, action.deadline).instance_id
    except ImdsSilent as error:
        action.log.put(catalogue.IDENTITY_UNSEEN, reason=error)
        return
    if here != server.instance_id:
        raise OtherInstance(here=here, server=server.name, tag=action.tag, expected=server.instance_id)
