"""
The table of actions has one line for each action: its name, its options, its function and its exit statuses.

The scripts, the admin CLI and the dialogue are renderings of this table, which has only data and plain functions; the
module of an action is loaded when the action runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ec2kit.resource import SWITCHBACKS, checked_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ec2kit.actions.dialogue import Terminal
    from ec2kit.actions.option import Option, Values
    from ec2kit.actions.wish import Wish
    from ec2kit.engine.action import Action
    from ec2kit.engine.foresight import Foreseen
    from ec2kit.messages.statement import Reasons
    from ec2kit.resource import Resource
    from ec2kit.status import Change

# -- exit statuses ---------------------------------------------------------------------------------------------

SUCCESS, FAILURE, USAGE = 0, 1, 2

GUARDED = {FAILURE: 101, USAGE: 102}
"""
Exit status of a script → the status of its guarded action; `actions/guard` translates.

A Python that breaks down ends with 1 or 2, too, and must not look like an answer.
"""

MEANINGS: Mapping[int, str] = {
    SUCCESS: "success",
    FAILURE: "failure, with the reason",
    USAGE: "usage error",
    127: "ec2kit is not installed where the script looks, or the environment in which `ec2kit install` was run no "
    "longer exists",
}
"""Exit status → its meaning, for the script of an action that is not guarded."""

WOULD_CHANGE = 3

PLAN_MEANINGS: Mapping[int, str] = {
    SUCCESS: "the action would change nothing",
    WOULD_CHANGE: "the action would change something",
    FAILURE: "UNKNOWN, since AWS or a server did not answer; or the action would be refused, or fail before it "
    "changes anything",
    USAGE: MEANINGS[USAGE],
}
"""Exit status → its meaning, for the plan of each action that changes something."""

# -- the form of an action -------------------------------------------------------------------------------------


class Outcome:
    """
    The outcome of an action that ended without an error.

    Args:
        note: The outcome in the last line of a script's log; the reasons if the answer is no.
        text: The outcome for a person at the admin CLI.
        data: The outcome for a program; JSON types only.
        is_no: True: the answer is no, and the exit status is FAILURE.
    """

    def __init__(
        self, note: str | Reasons, text: str, data: Mapping[str, Any] | None = None, *, is_no: bool = False
    ) -> None:
        self.note = note
        self.text = text
        self.data = data or {}
        self.is_no = is_no


def _at_once() -> float:
    return 0.0


class ActionSpec:
    """
    One action in the form that the front ends need.

    This is a plain class, because a process would need more time to make a named tuple of so many fields than to use
    it.

    Args:
        name: "quickCheck", as LifeKeeper calls it.
        sentence: The sentence of its help.
        options: Returns the options.
        run: Runs the action; raises Ec2KitError and Stopped.
        guarded: True: the action succeeds in trouble, because a failure would do harm; only a no, a wrong tag and a
            wrong command line are failures.
        meanings: Exit status of its script → meaning, in the words of the reference.
        about_one_resource: True: the action begins only if the registry may have the resource.
        no_such_tag: Exit status if the tag is invalid, or certainly belongs to no resource.
        grace: Returns the seconds beyond its deadline that the action may take to undo its work.
        named: Returns the tag if none is given; None: a tag is required.
        ask: Asks a person at a terminal for all values; None: the action has no dialogue.
        plan: Tells what the action would do, and does nothing; None: the action changes nothing.
        by_a_person: False: a framework calls the action, and no person watches it.
        script, command: True: `actions/` has a script for it, the admin CLI has a command.
    """

    def __init__(
        self,
        name: str,
        sentence: str,
        options: Callable[[], tuple[Option, ...]],
        run: Callable[[Action, Values], Outcome],
        *,
        guarded: bool = False,
        meanings: Mapping[int, str] = MEANINGS,
        about_one_resource: bool = False,
        no_such_tag: int = FAILURE,
        grace: Callable[[], float] = _at_once,
        named: Callable[[Values], str] | None = None,
        ask: Callable[[Terminal, Action], Mapping[str, str]] | None = None,
        plan: Callable[[Action, Values], Foreseen] | None = None,
        by_a_person: bool = True,
        script: bool = True,
        command: bool = True,
    ) -> None:
        self.name = name
        self.sentence = sentence
        self.options = options
        self.run = run
        self.guarded = guarded
        self.meanings = meanings
        self.about_one_resource = about_one_resource
        self.no_such_tag = no_such_tag
        self.grace = grace
        self.named = named
        self.ask = ask
        self.plan = plan
        self.by_a_person = by_a_person
        self.script = script
        self.command = command

    def but(self, **different: Any) -> ActionSpec:
        """Return the same action with some of its attributes different."""
        return ActionSpec(**{**vars(self), **different})

    @property
    def takes_only_a_tag(self) -> bool:
        """Tell whether the tag is the only option of the action, without loading the options."""
        return self.options in (_by_tag, _by_tags)

    @property
    def trouble(self) -> int:
        """Return the exit status for trouble that leaves the action without a result."""
        return SUCCESS if self.guarded else FAILURE

    def to_the_script(self, status: int) -> int:
        """Return the exit status in the form that the script of the action expects."""
        return GUARDED.get(status, status) if self.guarded else status

    def each(self, values: Values) -> list[Values]:
        """Return the values for each resource that was named; most actions take one."""
        tag = values.get("tag")
        return [{**values, "tag": each} for each in tag] if isinstance(tag, tuple) else [values]

    def tag(self, values: Values) -> str:
        """
        Return the tag that the values name; "" for an action that takes none.

        Raises:
            BadRequest: The text is no valid tag.
        """
        if "tag" not in values:
            return ""
        tag = values["tag"]
        return checked_tag(self.named(values) if tag is None and self.named is not None else tag)


# -- options ---------------------------------------------------------------------------------------------------


def _by_tag() -> tuple[Option, ...]:
    from ec2kit.actions.option import TAG

    return (TAG,)


def _by_tags() -> tuple[Option, ...]:
    from ec2kit.actions.option import TAGS

    return (TAGS,)


def _for_create() -> tuple[Option, ...]:
    """Return the options by the names of the fields of a wish, which are those of the questions, too."""
    from ec2kit.actions.option import TAG, Option
    from ec2kit.scenarios import table as scenarios

    of_the_scenarios = (
        Option(
            each.name,
            (each.option,),
            each.metavar,
            f"{each.help[0].upper()}{each.help[1:]}.",
            kind=bool if each.is_switch else str,
            several=each.several,
        )
        for each in scenarios.fields()
    )
    return (
        TAG._replace(help="Tag of the resource; default: ec2-ADDRESS, or ec2-IP_RESOURCE.", required=False),
        _switchback("-s", "--switchback", text="When the resource moves back.", default=SWITCHBACKS[0]),
        Option("server", ("--server",), "NAME", "Server on which to make the resource; default: this server."),
        Option("region", ("--region",), "REGION", "AWS region; default: the instance's."),
        Option("scenario", ("--type",), "", "Kind of address.", choices=scenarios.names(), required=True),
        *of_the_scenarios,
        Option("device", ("--interface",), "DEV", "Network device of the server."),
        Option(
            "network_interface_id", ("--network-interface-id",), "ENI", "ENI of the server, instead of --interface."
        ),
        Option("priority", ("--priority",), "N", "1-999, 1 is the highest.", kind=int, default=1),
    )


def _switchback(*flags: str, text: str, default: str | None = None) -> Option:
    from ec2kit.actions.option import Option

    return Option("switchback", flags, "", text, default=default, choices=SWITCHBACKS)


def _for_canextend() -> tuple[Option, ...]:
    from ec2kit.actions.option import TAG, Option

    return (
        Option("template_system", (), "SERVER", "A server that has the resource.", required=True, word=True),
        TAG,
        Option("device", ("--interface",), "DEV", "Network device of this server; default: the template server's."),
    )


def _for_extend() -> tuple[Option, ...]:
    from ec2kit.actions.option import Option

    return (
        *_for_canextend(),
        Option("priority", ("--priority",), "N", "1-999, unique among the servers.", kind=int, default=10),
        _switchback("--switchback", text="Default: the template server's."),
    )


def _for_unextend() -> tuple[Option, ...]:
    from ec2kit.actions.option import TAG, Option

    return (
        TAG,
        Option("server", ("--server",), "NAME", "Server to take out; default: this server."),
        Option("lost", ("--lost",), "", "The server is gone for good and cannot be asked.", kind=bool),
    )


def _for_delete() -> tuple[Option, ...]:
    from ec2kit.actions.option import TAG, Option

    return TAG, Option("local", ("--local",), "", "Forget it here only, and ask no other server.", kind=bool)


def _for_set() -> tuple[Option, ...]:
    from ec2kit.actions.option import TAG, Option

    return (
        TAG,
        Option(
            "assignment", (), "NAME=VALUE", "Property and its new value.", kind=_assignment, required=True, word=True
        ),
        Option("server", ("--server",), "NAME", "Server of the priority; default: this server."),
    )


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"{text!a} is not NAME=VALUE")
    return name, value


# -- what they run ---------------------------------------------------------------------------------------------


def changed(made: Mapping[str, tuple[Change, ...]] | None, text: str, note: str = "nothing to change") -> Outcome:
    """
    Return the outcome of an action that changes AWS.

    Args:
        made: Target → the changes made to it; None if only the log of LifeKeeper's hook has them.
        text: The present state of the resource.
        note: The note for a script if nothing was changed.
    """
    if made is None:
        by_hook = f"{text}, by LifeKeeper; the log tells what its hook changed, if it ran"
        return Outcome(by_hook, by_hook, {"changes": None})
    data = [
        {"operation": each.operation, "target": each.target, "old": each.old, "new": each.new}
        for changes in made.values()
        for each in changes
    ]
    done = f"{text}, {len(data)} changed" if data else f"{text}, nothing to change"
    return Outcome(f"{len(made)} changed" if made else note, done, {"changes": data})


def _defined(note: str, text: str, resource: Resource) -> Outcome:
    return Outcome(note, text, {"resource": resource.as_dict()})


def _create(action: Action, values: Values) -> Outcome:
    from ec2kit.actions import create

    server = values["server"]
    resource = create.create_on(action, server, _wish(values))
    note = f"{resource.address} is in service on {server or action.registry.server}"
    return _defined(note, f"{resource.tag} protects {resource.address}", resource)


def _wish(values: Values) -> Wish:
    """Return the wish that has the values of create under the same names."""
    from ec2kit.actions.wish import wish_of

    given = {name: value for name, value in values.items() if value is not None and name not in ("tag", "server")}
    return wish_of(**{name: "yes" if value is True else value for name, value in given.items()})


def _named_after_its_address(values: Values) -> str:
    return _wish(values).tag


def _ask_for_a_wish(terminal: Terminal, action: Action) -> Mapping[str, str]:
    from ec2kit.actions import dialogue

    return dialogue.hold(terminal, *dialogue.choices(action))


def _time_to_undo() -> float:
    from ec2kit.engine.action import UNDO_SECONDS

    return UNDO_SECONDS


def _can_extend(action: Action, values: Values) -> Outcome:
    from ec2kit.actions import canextend

    canextend.can_extend(action, values["template_system"], device=values["device"])
    return Outcome("", f"{action.tag} can be extended to {action.settings.server}")


def _extend(action: Action, values: Values) -> Outcome:
    from ec2kit.actions import extend

    resource = extend.extend(
        action,
        values["template_system"],
        priority=values["priority"],
        switchback=values["switchback"],
        device=values["device"],
    )
    names = ", ".join(resource.names)
    return _defined(f"servers {names}", f"{action.tag} on {names}", resource)


def _unextend(action: Action, values: Values) -> Outcome:
    from ec2kit.actions import unextend

    name = values["server"] or action.registry.server
    unextend.unextend(action, name, lost=values["lost"])
    return Outcome("", f"{action.tag} no longer on {name}")


def _delete(action: Action, values: Values) -> Outcome:
    from ec2kit.actions import delete

    delete.delete(action, local=values["local"])
    return Outcome("", f"{action.tag} forgotten; nothing was changed in AWS")


def _restore(action: Action, values: Values) -> Outcome:
    from ec2kit.actions import restore

    restore.must_be_topmost(action)
    return changed(restore.bring_in_service(action), "in service here")


def _remove(action: Action, values: Values) -> Outcome:
    from ec2kit.actions import remove

    return changed(remove.take_out_of_service(action), "out of service here", "nothing changed in AWS")


def _quick_check(action: Action, values: Values) -> Outcome:
    from ec2kit.actions import quick_check

    checked = quick_check.quick_check(action)
    if not (checked.says_no or checked.busy):
        from ec2kit.engine import own_network

        own_network.look_after(action)
    verdict = checked.verdict
    status = verdict.status.value
    data: dict[str, Any] = {"status": status, "busy": checked.busy, "reasons": list(map(str, verdict.reasons))}
    if checked.observed is not None and len(action.resource.addresses) > 1:
        each = action.scenario.verdicts(checked.observed)
        data["addresses"] = {address: verdict.status.value for address, verdict in each.items()}
    if checked.busy:
        return Outcome("busy", "busy", data)
    text = status + (f": {verdict.reason}" if verdict.reasons else "")
    return Outcome(verdict.reason if checked.says_no else status, text, data, is_no=checked.says_no)


def _recover(action: Action, values: Values) -> Outcome:
    from ec2kit.actions import recover

    return changed(recover.recover(action), "in service here")


def _set(action: Action, values: Values) -> Outcome:
    from ec2kit.actions import set as properties

    name, value = values["assignment"]
    after = properties.change(action, name, value, server=values["server"])
    return _defined("", f"{after.tag}: {name} is {value}", after)


# -- what they would do ------------------------------------------------------------------------------------------


def _plan_create(action: Action, values: Values) -> Foreseen:
    from ec2kit.actions import plan

    return plan.create(action, values["server"], _wish(values))


def _plan_extend(action: Action, values: Values) -> Foreseen:
    from ec2kit.actions import plan

    wish = {name: values[name] for name in ("priority", "switchback", "device")}
    return plan.extend(action, values["template_system"], **wish)


def _plan_unextend(action: Action, values: Values) -> Foreseen:
    from ec2kit.actions import plan

    return plan.unextend(action, values["server"] or action.registry.server, lost=values["lost"])


def _plan_delete(action: Action, values: Values) -> Foreseen:
    from ec2kit.actions import plan

    return plan.delete(action, local=values["local"])


def _plan_restore(action: Action, values: Values) -> Foreseen:
    from ec2kit.actions import plan

    return plan.restore(action)


def _plan_remove(action: Action, values: Values) -> Foreseen:
    from ec2kit.actions import plan

    return plan.remove(action)


def _plan_recover(action: Action, values: Values) -> Foreseen:
    from ec2kit.actions import plan

    return plan.recover(action)


def _plan_set(action: Action, values: Values) -> Foreseen:
    from ec2kit.actions import plan

    name, value = values["assignment"]
    return plan.set_property(action, name, value, server=values["server"])


# -- the table -------------------------------------------------------------------------------------------------

_QUICK_CHECK_MEANINGS = {
    SUCCESS: "in service; or unknown, busy, or *any* trouble: time-out, throttling, missing permission, signal, "
    "missing Python",
    FAILURE: "confirmed out of service; an invalid tag; a tag that an intact registry does not know",
    USAGE: MEANINGS[USAGE],
}
_REMOVE_MEANINGS = {
    SUCCESS: "done; or AWS is silent or refuses (ERROR in the log; the restore on the next server takes the address "
    "anyway)",
    FAILURE: "an invalid or unknown tag",
    USAGE: MEANINGS[USAGE],
}

_ALL = (
    ActionSpec(
        "create",
        "Make a resource, after all checks, and bring it in service. At a terminal, without options, it asks.",
        _for_create,
        _create,
        plan=_plan_create,
        grace=_time_to_undo,
        named=_named_after_its_address,
        ask=_ask_for_a_wish,
    ),
    ActionSpec(
        "extend",
        "Make this server one of the resource's servers, after all checks.",
        _for_extend,
        _extend,
        plan=_plan_extend,
        grace=_time_to_undo,
    ),
    ActionSpec(
        "canextend",
        "Tell whether this server could become one of the resource's servers; runs all checks.",
        _for_canextend,
        _can_extend,
    ),
    ActionSpec(
        "unextend",
        "Take a server out of a resource; refused if the resource is in service on it.",
        _for_unextend,
        _unextend,
        plan=_plan_unextend,
        grace=_time_to_undo,
        about_one_resource=True,
    ),
    ActionSpec(
        "delete",
        "Forget a resource on all servers; nothing is changed in AWS.",
        _for_delete,
        _delete,
        plan=_plan_delete,
        grace=_time_to_undo,
        about_one_resource=True,
    ),
    ActionSpec(
        "restore",
        "Bring a resource in service on this server.",
        _by_tags,
        _restore,
        plan=_plan_restore,
        about_one_resource=True,
    ),
    ActionSpec(
        "remove",
        "Take a resource out of service on this server.",
        _by_tag,
        _remove,
        plan=_plan_remove,
        guarded=True,
        meanings=_REMOVE_MEANINGS,
        about_one_resource=True,
    ),
    ActionSpec(
        "quickCheck",
        "Tell whether a resource is in service here; exit status 1 only if it certainly is not.",
        _by_tag,
        _quick_check,
        guarded=True,
        meanings=_QUICK_CHECK_MEANINGS,
        about_one_resource=True,
    ),
    ActionSpec(
        "recover",
        "Bring the address back after a failed check, unless another server rightly has it.",
        _by_tag,
        _recover,
        plan=_plan_recover,
        about_one_resource=True,
    ),
    ActionSpec(
        "set",
        "Change a resource on all its servers: switchback=intelligent|automatic, priority=1-999, tag=NEW, or, of "
        "routes, role_arn=ARN or external_id=TEXT.",
        _for_set,
        _set,
        plan=_plan_set,
        grace=_time_to_undo,
        script=False,
    ),
)

ACTIONS: Mapping[str, ActionSpec] = {each.name: each for each in _ALL}
"""Name → action, in the order of the help."""
