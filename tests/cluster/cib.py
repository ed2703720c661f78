"""The cluster's configuration: corosync.conf, and the CIB that every node boots with."""

from __future__ import annotations

from typing import Any

_NVPAIR = '<nvpair id="{id}-{name}" name="{name}" value="{value}"/>'


def corosync(addresses: dict[str, str]) -> str:
    """Two nodes, knet over UDP; a token of 1 s."""
    nodes = "\n".join(
        f"    node {{\n        ring0_addr: {address}\n        name: {name}\n        nodeid: {number}\n    }}"
        for number, (name, address) in enumerate(addresses.items(), start=1)
    )
    return f"""\
totem {{
    version: 2
    cluster_name: lab
    transport: knet
    crypto_cipher: none
    crypto_hash: none
    token: 1000
}}
nodelist {{
{nodes}
}}
quorum {{
    provider: corosync_votequorum
    two_node: 1
    wait_for_all: 1
}}
logging {{
    to_syslog: no
    to_stderr: no
    to_logfile: yes
    logfile: /var/log/corosync/corosync.log
    timestamp: hires
}}
"""


def cib(description: dict[str, Any]) -> str:
    """
    A group of a virtual IP and an Elastic IP, fencing, and nothing else.

    An old feature set and schema are upgraded by whatever pacemaker runs; newer ones than its own would be refused.
    """
    options = {
        "stonith-enabled": "true",
        "no-quorum-policy": "stop",
        "dc-deadtime": "2s",
        "cluster-recheck-interval": "60s",
        "load-threshold": "10000%",  # whatever else this machine does
        "node-action-limit": "20",
    }
    return f"""\
<cib crm_feature_set="3.6.0" validate-with="pacemaker-3.0" epoch="1" num_updates="0" admin_epoch="0">
 <configuration>
  <crm_config>
   <cluster_property_set id="options">{pairs("options", options)}</cluster_property_set>
  </crm_config>
  <nodes><node id="1" uname="node1"/><node id="2" uname="node2"/></nodes>
  <resources>
   {fence_lab()}
   {front(description)}
  </resources>
  <constraints/>
  <rsc_defaults>
   <meta_attributes id="defaults">{pairs("defaults", {"resource-stickiness": "100"})}</meta_attributes>
  </rsc_defaults>
 </configuration>
 <status/>
</cib>
"""


def front(description: dict[str, Any], *, interval: int = 5, standby: bool = True, migrates: bool = False) -> str:
    """The group of a virtual IP and an Elastic IP, by our agents; whether a planned move hands it over."""
    eip = {"elastic_ip": description["elastic_ip"], "allocation_id": description["allocation_id"]}
    members = (("vip", "route-table", {"ip": description["vip"], "interface": "eth0"}), ("eip", "elastic-ip", eip))
    return group(*(primitive(*each, interval=interval, standby=standby) for each in members), migrates=migrates)


def group(*members: str, migrates: bool = False) -> str:
    meta = pairs("front", {"allow-migrate": str(migrates).lower()})
    return f'<group id="front"><meta_attributes id="front-meta">{meta}</meta_attributes>{"".join(members)}</group>'


def placed(*, with_dc: bool) -> str:
    """
    Where the group starts, where it has no other reason; weaker than what makes it stay where it is.

    By a pattern, so that the group may be taken away and another one put in its place.
    """
    where = f'<expression id="placed-where" attribute="#is_dc" operation="eq" value="{str(with_dc).lower()}"/>'
    rule = f'<rule id="placed-rule" score="50">{where}</rule>'
    return f'<rsc_location id="placed" rsc-pattern="^front$">{rule}</rsc_location>'


def fence_lab() -> str:
    """Fencing by the lab itself."""
    return _fencing("fence_lab", {"pcmk_host_list": "node1 node2", "pcmk_host_check": "static-list"})


def fence_aws(description: dict[str, Any]) -> str:
    """Fencing through EC2."""
    instances = ";".join(f"{name}:{node['instance_id']}" for name, node in description["nodes"].items())
    return _fencing("fence_aws", {"pcmk_host_map": instances, "region": description["region"]})


def _fencing(agent: str, parameters: dict[str, str]) -> str:
    return f"""
   <primitive id="fencing" class="stonith" type="{agent}">
    <instance_attributes id="fencing-parameters">{pairs("fencing", parameters)}</instance_attributes>
   </primitive>"""


def primitive(
    name: str,
    agent: str,
    parameters: dict[str, str],
    *,
    provider: str = "ec2kit",
    interval: int = 5,
    standby: bool = True,
    more: str = "",
) -> str:
    """One resource, with both of our monitors, or only that of where it runs; `more` are further elements."""
    readiness = f'<op id="{name}-standby" name="monitor" interval="{interval + 6}s" timeout="20s" role="Stopped"/>'
    return f"""
   <primitive id="{name}" class="ocf" provider="{provider}" type="{agent}">
    <instance_attributes id="{name}-parameters">{pairs(name, parameters)}</instance_attributes>{more}
    <operations>
     <op id="{name}-start" name="start" interval="0" timeout="60s"/>
     <op id="{name}-stop" name="stop" interval="0" timeout="60s"/>
     <op id="{name}-monitor" name="monitor" interval="{interval}s" timeout="20s"/>
     {readiness if standby else ""}
    </operations>
   </primitive>"""


def pairs(of: str, values: dict[str, str]) -> str:
    """Name and value pairs of a set."""
    return "".join(_NVPAIR.format(id=of, name=name, value=value) for name, value in values.items())
