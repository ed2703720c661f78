"""The life of resources on the stand-in: made, moved, repaired, failed over, and deleted without a trace."""

from __future__ import annotations

import json

import pytest

from ..actions.cluster import EIP_TAG, VIP_TAG, Done, until
from .kit import Kit
from .world import IP_TAG

VIP_CIDR = "10.1.0.10/32"


def _is_on(kit: Kit, server: str) -> bool:
    """Whether LifeKeeper, AWS and the device agree that the virtual IP is on that server, and only there."""
    others = [each for each in kit.servers if each != server]
    return (
        kit.state(server, VIP_TAG) == "ISP"
        and kit.state(server, IP_TAG) == "ISP"
        and all(kit.state(each, VIP_TAG) in ("OSU", "OSF", "") for each in others if kit.runs(each))
        and set(kit.holders()) == {server}
        and VIP_CIDR in kit.addresses(server)
        and not any(VIP_CIDR in kit.addresses(each) for each in others if kit.runs(each))
    )


def test_create_makes_the_instance_and_lets_the_ip_resource_depend_on_it(kit: Kit) -> None:
    """The definition stands in LifeKeeper's own database, with this server's ENI, and the resource is in service."""
    kit.with_ip()
    done = kit.program("node1", "create", *kit.create_words())
    assert done.status == 0, done.stderr
    instance = kit.instance("node1", VIP_TAG)
    assert (instance["app"], instance["type"], instance["state"]) == ("comm", "ec2", "ISP")
    assert kit.eni("node1") in instance["info"]
    assert kit.dependencies("node1") == [(IP_TAG, VIP_TAG)]
    assert _is_on(kit, "node1")


def test_extend_gives_every_server_all_enis_and_the_priorities(kit: Kit) -> None:
    """Equivalencies both ways, each server's info with all ENIs, the same definition everywhere."""
    kit.with_route_table(servers=3)
    assert kit.priorities("node3", VIP_TAG) == {"node1": 1, "node2": 20, "node3": 30}
    infos = {kit.instance(each, VIP_TAG)["info"] for each in kit.servers}
    assert len(infos) == 1
    assert all(kit.eni(each) in next(iter(infos)) for each in kit.servers)
    assert all(kit.dependencies(each) == [(IP_TAG, VIP_TAG)] for each in kit.servers)


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        pytest.param("ec2-other", f"is protected by {EIP_TAG} on node1", id="address"),
        pytest.param(EIP_TAG, f"node1 has a resource {EIP_TAG}", id="tag"),
    ],
)
def test_create_of_what_another_server_has_is_refused(kit: Kit, tag: str, said: str) -> None:
    """The resource was not extended to this server, whose own database knows nothing of it."""
    kit.with_elastic_ip(servers=1)
    words = ["-t", tag, *kit.create_words(EIP_TAG)[2:]]
    done = kit.program("node2", "create", *words)
    assert done.status == 1
    assert said in done.stderr
    assert kit.states(tag)[1] == ""
    assert kit.address_holder() == "node1"


def test_create_where_another_server_is_silent_is_warned_and_done(kit: Kit) -> None:
    """A cluster has to be set up with what is there."""
    kit.power_off("node3")
    done = kit.program("node1", "create", *kit.create_words(EIP_TAG))
    assert done.status == 0, done.stderr
    assert "WARN: check tag and address elsewhere: could not look: node3" in done.stderr


def test_switchover_by_perform_action_moves_the_whole_hierarchy(kit: Kit) -> None:
    """Out of service there, parents first; in service here, children first; and back."""
    kit.with_route_table()
    assert kit.perform("node2", IP_TAG, "restore").status == 0
    assert _is_on(kit, "node2")
    assert kit.perform("node1", IP_TAG, "restore").status == 0
    assert _is_on(kit, "node1")
    assert kit.others() == kit.others()


def test_switchover_lets_the_former_server_send_packets_once_the_ip_resource_is_there(kit: Kit) -> None:
    """LifeKeeper's own way leads to the other server, and the probe waits for the address on the device."""
    kit.with_route_table()
    command = kit.sandbox.folder / "try"
    addresses = kit.sandbox.folder / "node2" / "net" / "eth1" / "addresses"
    command.write_text(f'#!/bin/sh\nexec grep -qx "$1/32" "{addresses}"\n')
    command.chmod(0o755)
    kit.settings(EC2_PROBE=f"command:{command}", EC2_PROBE_TIMEOUT="60")
    assert kit.perform("node2", IP_TAG, "restore").status == 0
    until(lambda: kit.codes("node2", 620464))
    assert _is_on(kit, "node2")
    (answered,) = kit.codes("node2", 620460)
    assert "to 10.1.0.10 are answered: node1 reached in" in answered


def test_cascade_over_three_servers_by_two_deaths(kit: Kit) -> None:
    """The next by priority takes over, and the one after that."""
    kit.with_route_table(servers=3)
    before = kit.others()
    kit.power_off("node1")
    assert _is_on(kit, "node2")
    kit.power_off("node2")
    assert _is_on(kit, "node3")
    assert kit.others() == before


@pytest.mark.parametrize(
    ("switchback", "after"),
    [pytest.param("automatic", "node1", id="automatic"), pytest.param("intelligent", "node2")],
)
def test_server_that_comes_back_takes_the_resource_back_only_if_automatic(
    kit: Kit, switchback: str, after: str
) -> None:
    """Switchback is LifeKeeper's to act on, by what create told it."""
    kit.with_route_table(switchback=switchback)
    kit.power_off("node1")
    assert _is_on(kit, "node2")
    kit.power_on("node1")
    assert _is_on(kit, after)


def test_switchback_set_later_is_told_to_lifekeeper_on_all_servers(kit: Kit) -> None:
    """`ec2kit set` changes the definition and what LifeKeeper acts on."""
    kit.with_route_table()
    assert kit.ec2kit("node2", "set", VIP_TAG, "switchback=automatic").status == 0
    assert {kit.instance(each, VIP_TAG)["switchback"] for each in ("node1", "node2")} == {"AUTOMATIC"}
    shown = kit.ec2kit("node1", "properties", VIP_TAG)
    assert "switchback  automatic" in shown.stdout
    assert f"IP resource {IP_TAG}" in shown.stdout


def _change_in_the_gui(kit: Kit) -> None:
    """What an administrator does there: switchback on each server, and a lower priority for node1."""
    for server in ("node1", "node2"):
        kit.needed(kit.command(server, "ins_setas", "-t", EIP_TAG, "-s", "AUTOMATIC"))
    kit.needed(kit.command("node1", "hry_setpri", "-t", EIP_TAG, "-p", "50"))


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(["node3", "extend", "node1", EIP_TAG, "--priority", "30"], id="extend"),
        pytest.param(["node1", "set", EIP_TAG, "tag=ec2-new"], id="rename"),
        pytest.param(["node1", "unextend", EIP_TAG, "--server", "node2"], id="unextend"),
    ],
)
def test_what_was_changed_in_the_gui_is_not_overwritten(kit: Kit, write: list[str]) -> None:
    """Switchback and priorities are LifeKeeper's: a change of something else leaves them, and takes them over."""
    kit.with_elastic_ip()
    _change_in_the_gui(kit)
    done = kit.ec2kit(*write)
    assert done.status == 0, done.stderr
    tag = "ec2-new" if "tag=ec2-new" in write else EIP_TAG
    has_it = [each for each in kit.servers if kit.state(each, tag)]
    assert {kit.instance(each, tag)["switchback"] for each in has_it} == {"AUTOMATIC"}
    assert all(kit.priorities(each, tag).get("node1", 50) == 50 for each in has_it)
    assert "switchback=automatic" in kit.instance("node1", tag)["info"]


def test_properties_shows_what_lifekeeper_has_by_now(kit: Kit) -> None:
    """Its database is the truth for switchback and priorities."""
    kit.with_elastic_ip()
    _change_in_the_gui(kit)
    shown = kit.ec2kit("node2", "properties", EIP_TAG).stdout
    assert "switchback  automatic" in shown
    assert "node1, priority 50" in shown


def test_priority_set_later_decides_who_takes_over(kit: Kit) -> None:
    """LifeKeeper is told on each server, the definition follows, and the next failover goes by it."""
    kit.with_elastic_ip(servers=3)
    done = kit.ec2kit("node1", "set", EIP_TAG, "priority=5", "--server", "node3")
    assert done.status == 0, done.stderr
    assert [kit.priorities(each, EIP_TAG) for each in kit.servers] == [{"node1": 1, "node2": 20, "node3": 5}] * 3
    assert len({kit.instance(each, EIP_TAG)["info"] for each in kit.servers}) == 1
    assert "server=node3/5/" in kit.instance("node1", EIP_TAG)["info"]
    kit.power_off("node1")
    assert kit.states(EIP_TAG)[1:] == ["OSU", "ISP"]


def test_verify_goes_to_the_server_that_would_take_over_by_what_was_changed_in_the_gui(kit: Kit) -> None:
    """The priorities in LifeKeeper's database count, not those of the definition."""
    kit.with_elastic_ip(servers=3)
    for server in kit.servers:
        ping = kit.lkroot(server) / "bin" / "ping"
        ping.write_text("#!/bin/sh\n")  # it answers
        ping.chmod(0o755)
    kit.needed(kit.command("node2", "hry_setpri", "-t", EIP_TAG, "-p", "90"))
    done = kit.ec2kit("node1", "verify", EIP_TAG, "--yes")
    assert done.status == 0, done.stdout + done.stderr
    assert "switched over to node3" in done.stdout
    assert kit.states(EIP_TAG) == ["ISP", "OSU", "OSU"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["priority=20"], "priority 20 of resource ec2-eip1 is taken: node2", id="taken"),
        pytest.param(["priority=1000"], "1000 is not from 1 to 999", id="too large"),
        pytest.param(["priority=high"], "'high' is not from 1 to 999", id="no number"),
        pytest.param(["priority=5", "--server", "node3"], "node3 is not a server", id="not extended"),
        pytest.param(["switchback=automatic", "--server", "node2"], "only a priority is one server's", id="not its"),
    ],
)
def test_priority_that_cannot_be_is_refused(kit: Kit, words: list[str], said: str) -> None:
    """Nothing is changed on any server."""
    kit.with_elastic_ip()
    before = [kit.database(each) for each in kit.servers]
    done = kit.ec2kit("node1", "set", EIP_TAG, *words)
    assert done.status == 1
    assert said in done.stderr
    assert [kit.database(each) for each in kit.servers] == before


def test_priority_that_one_server_refuses_is_changed_on_none(kit: Kit) -> None:
    """All get the old one back."""
    kit.with_elastic_ip()
    (kit.lkroot("node2") / "bin" / "hry_setpri").write_text("#!/bin/sh\nexit 1\n")
    assert kit.ec2kit("node1", "set", EIP_TAG, "priority=50", "--server", "node2").status == 1
    assert kit.priorities("node1", EIP_TAG) == {"node1": 1, "node2": 20}
    assert len({kit.instance(each, EIP_TAG)["info"] for each in kit.servers[:2]}) == 1
    assert "server=node2/20/" in kit.instance("node1", EIP_TAG)["info"]


def test_switchback_set_reaches_servers_whose_lifekeeper_has_another_one(kit: Kit) -> None:
    """What is asked for is told to all, though this server has it already."""
    kit.with_elastic_ip()
    kit.needed(kit.command("node1", "ins_setas", "-t", EIP_TAG, "-s", "AUTOMATIC"))
    assert kit.ec2kit("node1", "set", EIP_TAG, "switchback=automatic").status == 0
    assert {kit.instance(each, EIP_TAG)["switchback"] for each in ("node1", "node2")} == {"AUTOMATIC"}


def test_rename_keeps_service_relations_and_priorities(kit: Kit) -> None:
    """A new tag on all servers, the old one gone, nothing written to AWS, still in service and still failing over."""
    kit.with_route_table()
    writes = len(kit.writes("node1"))
    done = kit.ec2kit("node1", "set", VIP_TAG, "tag=ec2-new")
    assert done.status == 0, done.stderr
    assert kit.states("ec2-new")[:2] == ["ISP", "OSU"]
    assert kit.dependencies("node1") == [(IP_TAG, "ec2-new")]
    assert kit.priorities("node2", "ec2-new") == {"node1": 1, "node2": 20}
    assert [kit.traces(each, VIP_TAG) for each in ("node1", "node2")] == [[], []]
    assert len(kit.writes("node1")) == writes
    assert kit.hook("node1", "quickCheck", "ec2-new").status == 0
    kit.power_off("node1")
    assert set(kit.holders()) == {"node2"}


def test_rename_to_a_tag_that_is_taken_is_refused(kit: Kit) -> None:
    """Also by a resource of another type; nothing is changed on any server."""
    kit.with_route_table()
    before = [kit.database(each) for each in kit.servers]
    done = kit.ec2kit("node1", "set", VIP_TAG, f"tag={IP_TAG}")
    assert done.status == 1
    assert "is taken" in done.stderr
    assert [kit.database(each) for each in kit.servers] == before


def test_unextend_is_refused_in_service_and_allowed_after(kit: Kit) -> None:
    """The server that runs the resource stays in it; another one leaves without a trace."""
    kit.with_route_table()
    refused = kit.program("node1", "unextend", "-t", VIP_TAG)
    assert refused.status == 1
    assert "is in service on node1" in refused.stderr
    assert kit.perform("node2", IP_TAG, "restore").status == 0
    done = kit.program("node1", "unextend", "-t", VIP_TAG)
    assert done.status == 0, done.stderr
    assert kit.traces("node1", VIP_TAG) == []
    assert kit.equivalents("node2", VIP_TAG) == {}
    assert _is_on(kit, "node2")


@pytest.mark.parametrize("asked_on", ["node1", "node2"])
def test_unextend_warns_of_the_ip_resource_that_stays(kit: Kit, asked_on: str) -> None:
    """It could come in service there, and no route would follow it."""
    kit.with_route_table()
    done = kit.program(asked_on, "unextend", "-t", VIP_TAG, "--server", "node2")
    assert done.status == 0, done.stderr
    assert f"WARN: {IP_TAG} stays on node2" in done.stderr
    assert kit.state("node2", IP_TAG) == "OSU"


def test_unextend_of_what_nothing_depends_on_warns_of_nothing(kit: Kit) -> None:
    """An Elastic IP resource has no parent unless somebody gave it one."""
    kit.with_elastic_ip()
    done = kit.program("node2", "unextend", "-t", EIP_TAG)
    assert done.status == 0, done.stderr
    assert "stays on" not in done.stderr


def test_server_unextended_in_the_gui_does_not_come_back(kit: Kit) -> None:
    """LifeKeeper there has no such resource any more: a later change is made without that server, and says so."""
    kit.with_elastic_ip(servers=3)
    kit.needed(kit.command("node3", "ins_remove", "-t", EIP_TAG))
    done = kit.ec2kit("node1", "set", EIP_TAG, "switchback=automatic")
    assert done.status == 0, done.stderr
    assert "node3 is no server of ec2-eip1 any more" in done.stderr
    assert kit.states(EIP_TAG) == ["ISP", "OSU", ""]
    assert "server=node3" not in kit.instance("node2", EIP_TAG)["info"]
    assert kit.ec2kit("node1", "unextend", EIP_TAG, "--server", "node2").status == 0
    assert kit.states(EIP_TAG) == ["ISP", "", ""]


def test_server_unextended_in_the_gui_does_not_come_back_by_an_extend(kit: Kit) -> None:
    """The template server gives the definition without it, and says so in its log."""
    kit.with_elastic_ip(servers=2)
    kit.needed(kit.command("node2", "ins_remove", "-t", EIP_TAG))
    done = kit.program("node3", "extend", "node1", EIP_TAG, "--priority", "30")
    assert done.status == 0, done.stderr
    assert kit.states(EIP_TAG) == ["ISP", "", "OSU"]
    assert "server=node2" not in kit.instance("node3", EIP_TAG)["info"]
    assert "node2 is no server of ec2-eip1 any more" in kit.log("node1")


def test_server_that_is_silent_is_not_taken_for_unextended(kit: Kit) -> None:
    """That a server is gone is its own word; while it cannot be asked nothing is changed."""
    kit.with_elastic_ip(servers=3)
    kit.needed(kit.command("node1", "eqv_remove", "-t", EIP_TAG, "-S", "node3", "-e", "SHARED"))
    kit.power_off("node3")
    assert kit.ec2kit("node1", "set", EIP_TAG, "switchback=automatic").status == 1
    assert "server=node3" in kit.instance("node1", EIP_TAG)["info"]


def test_delete_leaves_no_trace_on_any_server_and_aws_untouched(kit: Kit) -> None:
    """The databases are as before create, but for the type itself; the routes stay where they are."""
    kit.with_route_table(servers=3)
    routes = kit.routes()
    done = kit.program("node2", "delete", "-t", VIP_TAG)
    assert done.status == 0, done.stderr
    assert [kit.traces(each, VIP_TAG) for each in kit.servers] == [[], [], []]
    assert kit.dependencies("node1") == []
    assert kit.state("node1", IP_TAG) == "ISP"
    assert kit.routes() == routes


def test_delete_by_lifekeeper_cleans_the_files_of_its_server(kit: Kit) -> None:
    """ins_remove calls the kit's delete as a hook; nothing is asked of AWS or of other servers."""
    kit.with_elastic_ip()
    calls = len(kit.sandbox.calls())
    assert kit.perform("node1", EIP_TAG, "remove").status == 0
    calls = len(kit.sandbox.calls())
    assert kit.command("node2", "ins_remove", "-t", EIP_TAG).status == 0
    assert kit.traces("node2", EIP_TAG) == []
    assert len(kit.sandbox.calls()) == calls
    assert kit.state("node1", EIP_TAG) == "OSU"


def test_elastic_ip_lives_on_the_stand_in_from_create_to_delete(kit: Kit) -> None:
    """Switchover, failover and the way back, unextend and delete; the association is always one server's."""
    kit.with_elastic_ip(servers=3)
    assert kit.perform("node2", EIP_TAG, "restore").status == 0
    assert (kit.address_holder(), kit.states(EIP_TAG)) == ("node2", ["OSU", "ISP", "OSU"])
    kit.power_off("node2")
    assert kit.address_holder() == "node1"
    kit.power_on("node2")
    assert kit.states(EIP_TAG) == ["ISP", "OSU", "OSU"]
    assert kit.program("node1", "unextend", "-t", EIP_TAG).status == 1
    assert kit.program("node3", "unextend", "-t", EIP_TAG).status == 0
    assert kit.program("node1", "delete", "-t", EIP_TAG).status == 0
    assert [kit.traces(each, EIP_TAG) for each in kit.servers] == [[], [], []]
    assert kit.address_holder() == "node1"


def test_both_scenarios_in_one_hierarchy_move_together(kit: Kit) -> None:
    """An IP resource that depends on both: switchover and failover take all three along."""
    kit.with_both()
    assert kit.perform("node2", IP_TAG, "restore").status == 0
    assert _is_on(kit, "node2")
    assert kit.address_holder() == "node2"
    kit.power_off("node2")
    assert _is_on(kit, "node1")
    assert kit.address_holder() == "node1"


def test_restore_by_a_person_goes_through_lifekeeper(kit: Kit) -> None:
    """`ec2kit restore` and `remove` are perform_action, so that LifeKeeper knows, and tell what its hooks changed."""
    kit.with_elastic_ip()
    assert _operations(kit.ec2kit("node2", "restore", EIP_TAG, "--json")) == ["AssociateAddress"]
    assert kit.states(EIP_TAG)[:2] == ["OSU", "ISP"]
    again = kit.ec2kit("node2", "restore", EIP_TAG)  # LifeKeeper runs no hook for what is in service
    assert "in service here, by LifeKeeper; the log tells what its hook changed, if it ran" in again.stdout
    removed = kit.ec2kit("node2", "remove", EIP_TAG)
    assert (removed.status, removed.stdout) == (0, "out of service here, 1 changed\n")
    assert kit.states(EIP_TAG)[:2] == ["OSU", "OSU"]
    kit.sandbox.fault("deny", server="node1", operation="AssociateAddress")
    failed = kit.ec2kit("node1", "restore", EIP_TAG)
    assert failed.status == 1
    assert "LifeKeeper could not restore ec2-eip1" in failed.stderr


def _operations(done: Done) -> list[str]:
    """The changes that a command reports."""
    assert done.status == 0, done.stderr
    return [each["operation"] for each in json.loads(done.stdout)["changes"]]


def test_create_on_another_server_is_asked_of_that_server(kit: Kit) -> None:
    """--server node2: the instance, the address and LifeKeeper's state are node2's."""
    kit.with_ip("node2")
    done = kit.program("node1", "create", "--server", "node2", *kit.create_words())
    assert done.status == 0, done.stderr
    assert kit.states(VIP_TAG) == ["", "ISP", ""]
    assert set(kit.holders()) == {"node2"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--type", "route-table", "--vip", "10.1.0.10"], "needs --ip-resource", id="no-ip-resource"),
        pytest.param(["--type", "route-table", "--ip-resource", "nosuch"], "is no IP resource", id="unknown"),
        pytest.param(
            ["--type", "route-table", "--ip-resource", IP_TAG, "--vip", "10.1.0.11"], "is not the address", id="other"
        ),
    ],
)
def test_create_that_names_no_fitting_ip_resource_is_refused(kit: Kit, words: list[str], said: str) -> None:
    """One clear line, and nothing made."""
    kit.with_ip()
    done = kit.program("node1", "create", *words, "--interface", "eth1")
    assert done.status == 1
    assert said in done.stderr
    assert kit.states(VIP_TAG) == ["", "", ""]


def test_create_checks_what_lifekeeper_needs_on_aws(kit: Kit) -> None:
    """The IP resource in service, the broadcast ping off; a short RESRVRECTIMEOUT is a warning."""
    kit.with_ip()
    kit.perform("node1", IP_TAG, "remove")
    kit.settings(NOBCASTPING="0", RESRVRECTIMEOUT="60")
    done = kit.program("node1", "create", *kit.create_words())
    assert done.status == 1
    assert "2 checks failed: ip resource, broadcast ping" in done.stderr
    assert "WARN: check recovery time: RESRVRECTIMEOUT is 60 s" in done.stderr
    assert kit.traces("node1", VIP_TAG) == []


def test_status_speaks_of_lifekeepers_state(kit: Kit) -> None:
    """`ec2kit status` shows what AWS says and what LifeKeeper's database says."""
    kit.with_route_table()
    (shown,) = json.loads(kit.ec2kit("node2", "status", "--json").stdout)["resources"]
    assert (shown["status"], shown["state"], shown["tag"]) == ("OUT_OF_SERVICE", "OSU", VIP_TAG)


def test_restore_by_a_person_of_what_others_depend_on_is_refused(kit: Kit) -> None:
    """LifeKeeper would take the address off everywhere; the refusal names what to restore instead."""
    kit.with_route_table()
    done = kit.ec2kit("node2", "restore", VIP_TAG)
    assert done.status == 1
    assert f"{IP_TAG} depends on {VIP_TAG}" in done.stderr
    assert _is_on(kit, "node1")


def test_extend_that_loses_a_race_leaves_the_winners_definition(kit: Kit) -> None:
    """What another server changed meanwhile is not rolled back with what failed here."""
    kit.with_elastic_ip(servers=1)
    trap = kit.lkroot("node3") / "bin" / "lcdremexec"
    real = trap.with_name("lcdremexec.real")
    trap.rename(real)
    extend = kit.program_path("node2", "extend")
    script = f"""#!/bin/sh
case "$*" in *" claim "*) [ -e '{trap}.done' ] || {{ touch '{trap}.done'
    (. '{kit.sandbox.folder}/node2.env'; export LKROOT='{kit.lkroot("node2")}'; export PATH="$LKROOT/bin:$PATH"
    '{extend}' node1 {EIP_TAG} --priority 20 >/dev/null 2>&1); }};; esac
exec "{real}" "$@"
"""
    trap.write_text(script)
    trap.chmod(0o755)
    lost = kit.program("node3", "extend", "node1", EIP_TAG, "--priority", "30")
    assert lost.status == 1
    assert kit.priorities("node1", EIP_TAG) == {"node1": 1, "node2": 20}
    assert "server=node2" in kit.instance("node1", EIP_TAG)["info"]
    assert kit.states(EIP_TAG) == ["ISP", "OSU", ""]


def test_extend_that_fails_is_taken_back_from_a_server_of_an_older_version(kit: Kit) -> None:
    """That one tells its definition, and not yet apart what is stored of it."""
    kit.with_elastic_ip(servers=2)
    trap = kit.lkroot("node3") / "bin" / "lcdremexec"
    real = trap.with_name("lcdremexec.real")
    trap.rename(real)
    trap.write_text(f"""#!/bin/sh
case "$*" in
*"-d node2 "*" store "*node3*) exit 1;;
*" describe "*) "{real}" "$@" | sed 's/"stored": /"not-stored": /';;
*) exec "{real}" "$@";;
esac
""")
    trap.chmod(0o755)
    assert kit.program("node3", "extend", "node1", EIP_TAG, "--priority", "30").status == 1
    assert [kit.priorities(each, EIP_TAG) for each in ("node1", "node2")] == [{"node1": 1, "node2": 20}] * 2
    assert "server=node3" not in kit.instance("node1", EIP_TAG)["info"]
    assert kit.states(EIP_TAG) == ["ISP", "OSU", ""]


def test_create_asked_for_by_a_server_of_an_older_version_is_done(kit: Kit) -> None:
    """That one cannot call it back, and gives no token."""
    wish = {"scenario": "elastic-ip", "elastic_ip": kit.sandbox.description["elastic_ip"], "device": "eth1"}
    told = kit.ec2kit("node1", "peer", "create", EIP_TAG, json.dumps(wish))
    assert told.status == 0, told.stdout
    assert kit.states(EIP_TAG) == ["ISP", "", ""]


def test_set_refused_once_by_one_server_can_be_repeated(kit: Kit) -> None:
    """All get the old definition back, this server included, with one revision."""
    kit.with_elastic_ip(servers=3)
    place = kit.lkroot("node3") / "bin" / "ins_setas"
    once = f"[ -e '{place}.failed' ] || {{ touch '{place}.failed'; exit 1; }}"
    place.write_text(f"#!/bin/sh\n{once}\n{place.read_text().partition(chr(10))[2]}")
    assert kit.ec2kit("node1", "set", EIP_TAG, "switchback=automatic").status == 1
    assert len({kit.instance(each, EIP_TAG)["info"] for each in kit.servers}) == 1
    assert kit.ec2kit("node1", "set", EIP_TAG, "switchback=automatic").status == 0
    assert {kit.instance(each, EIP_TAG)["switchback"] for each in kit.servers} == {"AUTOMATIC"}


def test_rename_that_fails_half_way_is_taken_back_everywhere(kit: Kit) -> None:
    """One resource with the old tag and its relations on each server, none with the new one."""
    kit.with_route_table()
    place = kit.lkroot("node1") / "bin" / "dep_remove"
    text = place.read_text()
    place.write_text(
        f"#!/bin/sh\n[ -e '{place}.failed' ] || {{ touch '{place}.failed'; exit 1; }}\n{text.partition(chr(10))[2]}"
    )
    assert kit.ec2kit("node1", "set", VIP_TAG, "tag=ec2-new").status == 1
    assert kit.states("ec2-new") == ["", "", ""]
    assert kit.states(VIP_TAG)[:2] == ["ISP", "OSU"]
    assert kit.dependencies("node1") == [(IP_TAG, VIP_TAG)]
    assert kit.equivalents("node1", VIP_TAG) == {"node2": VIP_TAG}


def test_standby_that_could_not_take_over_is_found_though_lifekeeper_does_not_look(kit: Kit) -> None:
    """LifeKeeper checks only what is in service; the timer of the standby looks at its own way to EC2."""
    kit.with_route_table()
    assert "stands by, ready" in kit.ec2kit("node2", "standby").stdout
    kit.sandbox.fault("refuse", server="node2")
    done = kit.ec2kit("node2", "standby")
    assert done.status == 0
    assert "ec2 endpoint: no connection to" in done.stdout
    assert "in service here" in kit.ec2kit("node1", "standby").stdout
