"""Debian's DTD of meta-data is that of OCF's API 1.0; what 1.1 added is declared here, for programs that validate."""

from __future__ import annotations

_PLAIN = '"ra-api-1.dtd">'
_ADDED = """"ra-api-1.dtd" [
<!ATTLIST parameter reloadable (1|0) "0">
<!ATTLIST parameter unique-group CDATA #IMPLIED>
<!ATTLIST action name (start|stop|monitor|migrate_to|migrate_from|reload-agent|validate-all|meta-data) #REQUIRED>
]>"""


def declared(metadata: str) -> str:
    """Meta-data that declare what they use; the agents' own do not: Pacemaker 3.0 logs an assertion for each."""
    assert metadata.count(_PLAIN) == 1
    return metadata.replace(_PLAIN, _ADDED)
