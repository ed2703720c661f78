"""These checks compare this server with the others of the resource: region and VPC, zones, versions."""

from __future__ import annotations

from ec2kit import __version__
from ec2kit.checks.preflight import Preflight
from ec2kit.finding import Finding, Findings, Outcome


def agreement(it: Preflight) -> Findings:
    """Tell whether this server is in the template server's region and, if the scenario needs it, in its VPC."""
    if it.template is None:
        return
    here, there = [it.identity.region], [it.template.region]
    if it.making.ONE_VPC:
        here.append(it.interface.vpc_id)
        there.append(it.template.vpc_id)
    if here == there:
        yield Finding("region and vpc", Outcome.OK, f"{', '.join(here)} as on the template server")
    else:
        found = f"{', '.join(here)} here, {', '.join(there)} on the template server"
        yield Finding("region and vpc", Outcome.FAILED, found, "all servers of a resource live in one VPC")


def zones(it: Preflight) -> Findings:
    """Tell whether another server is in this one's Availability Zone, if the scenario needs different zones."""
    if not it.making.DIFFERENT_ZONES:
        return
    others = [each for each in it.resource.servers if each.name != it.server.name]
    same = [each.name for each in others if each.availability_zone == it.identity.availability_zone]
    if same:
        found = f"{it.server.name} is in {it.identity.availability_zone}, as {', '.join(same)}"
        yield Finding("availability zones", Outcome.WARN, found, "use one server in each zone: zones fail as a whole")
    elif others:
        yield Finding("availability zones", Outcome.OK, f"no other server is in {it.identity.availability_zone}")


def versions(it: Preflight) -> Findings:
    """Tell whether the template server has the same version of ec2kit."""
    if it.template is None:
        return
    if it.template_version == __version__:
        yield Finding("versions", Outcome.OK, f"ec2kit {__version__} on both servers")
    else:
        found = f"ec2kit {__version__} here, {it.template_version} on the template server"
        yield Finding("versions", Outcome.WARN, found, "install the same version on all servers")
