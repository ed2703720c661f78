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
    eip = {"elastic_ip": description["elastic_ip"], "allocation_id": description["allocation_id"]}
    vip = primitive("vip", "route-table", {"ip": description["vip"], "interface": "eth0"})
    options = {
        "stonith-enabled": "true",
        "no-quorum-policy": "stop",
        "dc-deadtime": "2s",
        "cluster-recheck-interval": "60s",
        "load-threshold": "10000%",  # whatever else this machine does
        "node-action-limit": "20",
    }
    fence = {"pcmk_host_list": "node1 node2", "pcmk_host_check": "static-list"}
    return f"""\
<cib crm_feature_set="3.6.0" validate-with="pacemaker-3.0" epoch="1" num_updates="0" admin_epoch="0">
 <configuration>
  <crm_config>
   <cluster_property_set id="options">{pairs("options", options)}</cluster_property_set>
  </crm_config>
  <nodes><node id="1" uname="node1"/><node id="2" uname="node2"/></nodes>
  <resources>
   <primitive id="fencing" class="stonith" type="fence_lab">
    <instance_attributes id="fencing-parameters">{pairs("fencing", fence)}</instance_attributes>
   </primitive>
   <group id="front">{vip}{primitive("eip", "elastic-ip", eip)}</group>
  </resources>
  <constraints/>
  <rsc_defaults>
   <meta_attributes id="defaults">{pairs("defaults", {"resource-stickiness": "100"})}</meta_attributes>
  </rsc_defaults>
 </configuration>
 <status/>
</cib>
"""


def primitive(name: str, agent: str, parameters: dict[str, str], *, interval: int = 5, standby: bool = True) -> str:
    """One resource of ours, with both of its monitors, or only that of where it runs."""
    readiness = f'<op id="{name}-standby" name="monitor" interval="{interval + 6}s" timeout="20s" role="Stopped"/>'
    return f"""
   <primitive id="{name}" class="ocf" provider="ec2kit" type="{agent}">
    <instance_attributes id="{name}-parameters">{pairs(name, parameters)}</instance_attributes>
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
