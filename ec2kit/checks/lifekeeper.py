"""These checks look at LifeKeeper, if it is the framework: its IP resource, its tunables, its version."""

from __future__ import annotations

import os

from ec2kit.checks.preflight import Preflight
from ec2kit.finding import Finding, Findings, Outcome
from ec2kit.settings import DEFAULTS_FILE

_RESERVED = 300.0
"""RESRVRECTIMEOUT as the vendor's guide recommends it on EC2, in seconds."""


def framework(it: Preflight) -> Findings:
    """Warn if LifeKeeper is installed, and ec2kit is not installed in it."""
    root = it.settings.lkroot
    if it.action.lifekeeper is None and os.path.exists(os.path.join(root, "bin", "ins_list")):
        advice = "run `ec2kit install` first, if LifeKeeper shall move the address"
        yield Finding("framework", Outcome.WARN, f"LifeKeeper is in {root}, and does not know of ec2kit", advice)


def ip_resource(it: Preflight) -> Findings:
    """Tell whether the IP resource that will depend on the resource is on this server, at create in service."""
    tag, framework = it.resource.ip_resource, it.action.lifekeeper
    if framework is None or not tag:
        return
    instance = framework.instance(tag)
    if it.template is not None:
        yield _ip_resource_extended(it, tag, is_here=instance is not None)
    elif instance is not None and instance.is_in_service:
        yield Finding("ip resource", Outcome.OK, f"{tag} is in service here, and will depend on {it.resource.tag}")
    else:
        state = instance.state if instance else "not there"
        yield Finding(
            "ip resource", Outcome.FAILED, f"{tag} is {state}", "bring the IP resource in service here first"
        )


def _ip_resource_extended(it: Preflight, tag: str, *, is_here: bool) -> Finding:
    if is_here:
        return Finding("ip resource", Outcome.OK, f"{tag} is here, and will depend on {it.resource.tag}")
    advice = f"extend it to this server, then let it depend: dep_create -p {tag} -c {it.resource.tag}"
    return Finding("ip resource", Outcome.WARN, f"{tag} is not on this server yet", advice)


def broadcast_ping(it: Preflight) -> Findings:
    """Tell whether the IP resource would check itself by a broadcast ping, which no host answers in a VPC."""
    if it.action.lifekeeper is None or not it.scenario.ON_THE_DEVICE:
        return
    if it.settings.nobcastping:
        yield Finding("broadcast ping", Outcome.OK, "off (NOBCASTPING=1)")
    else:
        advice = f"set NOBCASTPING=1 in {DEFAULTS_FILE}: no host answers a broadcast in a VPC"
        yield Finding("broadcast ping", Outcome.FAILED, "the IP resource would check itself by it", advice)


def reserved(it: Preflight) -> Findings:
    """Tell whether LifeKeeper waits long enough for a recovery."""
    if it.action.lifekeeper is None:
        return
    seconds = it.settings.resrvrectimeout
    if seconds >= _RESERVED:
        yield Finding("recovery time", Outcome.OK, f"RESRVRECTIMEOUT is {seconds:g} s")
    else:
        found = f"RESRVRECTIMEOUT is {seconds:g} s, less than {_RESERVED:g} s"
        advice = f"raise it in {DEFAULTS_FILE}: a change in AWS may take longer than one on the network device"
        yield Finding("recovery time", Outcome.WARN, found, advice)


def versions(it: Preflight) -> Findings:
    """Tell whether the template server has the same version of LifeKeeper."""
    if it.action.lifekeeper is None or it.template is None:
        return
    here = it.action.lifekeeper.version(it.settings.path, it.action.deadline)
    name, there = "lifekeeper versions", it.template_lifekeeper
    if not here or not there:
        found = f"{here or 'unknown'} here, {there or 'unknown'} on the template server"
        yield Finding(name, Outcome.UNSEEN, found, "make sure by hand that both versions are the same")
    elif here == there:
        yield Finding(name, Outcome.OK, f"LifeKeeper {here} on both servers")
    else:
        found = f"LifeKeeper {here} here, {there} on the template server"
        yield Finding(name, Outcome.WARN, found, "install the same version on all servers")
