"""
The slow tests, each of which starts a hundred processes and more: `make slow` runs them, and CI.

Beside each of them a quicker one of the same promise's kind stays in `make test`; the comments say which.
"""

from __future__ import annotations

SLOW = {
    "tests/actions/test_aws_iam_migration.py": {
        # the same with ISP
        "test_a_resource_that_runs_on_any_server_makes_it_refuse_all[ISU-node1]",
        "test_a_resource_that_runs_on_any_server_makes_it_refuse_all[ISU-node2]",
        "test_a_resource_that_runs_on_any_server_makes_it_refuse_all[ILLSTATE-node1]",
        "test_a_resource_that_runs_on_any_server_makes_it_refuse_all[ILLSTATE-node2]",
    },
    "tests/actions/test_roles.py": {
        # test_keys_that_end_in_the_middle_of_fifty_tables_are_renewed
        "test_resource_of_another_accounts_tables_leads_its_whole_life",
        # test_answer_to_one_role_is_none_to_another, in tests/ec2/test_snapshot.py
        "test_checks_under_two_roles_share_no_answer",
    },
    "tests/cli/test_verify.py": {
        # test_verify_moves_the_address_to_the_next_server_and_back
        "test_verify_can_be_run_from_any_server",
        "test_verify_of_a_resource_that_is_nowhere_in_service_starts_it_here",
        # test_verify_goes_back_when_the_next_server_cannot_take_it
        "test_verify_goes_back_when_the_address_does_not_answer_there",
        "test_verify_that_cannot_bring_it_back_says_where_it_is",
        "test_verify_that_is_interrupted_goes_back",
        # test_verify_of_an_elastic_ip_says_what_ping_proves
        "test_verify_without_a_usable_ping_could_not_look",
        # test_verify_under_lifekeeper_moves_all_that_stands_on_the_resource
        "test_verify_under_lifekeeper_leaves_alone_what_was_stopped",
    },
    "tests/demo/test_demo.py": {
        # test_demo_plays_every_scene_and_all_expectations_hold
        "test_demo_with_a_restore_that_does_nothing_fails_and_shows_where",
    },
    "tests/install/test_lkroot.py": {
        # test_every_installed_script_runs_from_anywhere_with_an_empty_environment
        "test_hooks_whose_environment_is_gone_are_no_verdict",
    },
    "tests/install/test_ocf.py": {
        # test_an_installed_agent_starts_monitors_and_stops_with_the_variables_of_another_python
        "test_an_installed_agent_tells_its_meta_data_with_any_environment",
    },
    "tests/keepalived/test_following.py": {
        # test_check_after_a_reload_goes_on_as_before
        "test_check_a_program_of_another_boot_is_not_missed",
    },
    "tests/lifekeeper/test_creation.py": {
        # test_create_interrupted_after_a_step_leaves_no_trace
        "test_create_killed_after_a_step_is_cleaned_and_done_by_the_next",
        # the same after the first step and after the last but one
        "test_create_interrupted_after_a_step_leaves_no_trace[typ_create]",
        "test_create_interrupted_after_a_step_leaves_no_trace[ins_create]",
        "test_create_interrupted_after_a_step_leaves_no_trace[dep_create]",
        "test_create_interrupted_after_a_step_leaves_no_trace[ins_setinfo]",
        "test_create_interrupted_after_a_step_leaves_no_trace[perform_action]",
        # test_a_command_where_an_extend_was_killed_says_what_to_run
        "test_extend_killed_in_the_middle_is_done_by_the_next",
        "test_extend_after_a_killed_one_does_not_call_its_own_server_gone",
        "test_set_after_a_killed_extend_goes_on_without_it",
        "test_delete_after_a_killed_extend_leaves_no_trace",
        "test_unextend_after_a_killed_extend_takes_away_what_it_left",
        # test_dialogue_under_lifekeeper_offers_servers_and_ip_resources
        "test_dialogue_for_another_server_offers_what_that_one_has",
    },
    "tests/lifekeeper/test_life.py": {
        # test_switchback_set_later_is_told_to_lifekeeper_on_all_servers
        # test_properties_shows_what_lifekeeper_has_by_now
        "test_what_was_changed_in_the_gui_is_not_overwritten",
        "test_priority_set_later_decides_who_takes_over",
        "test_verify_goes_to_the_server_that_would_take_over_by_what_was_changed_in_the_gui",
        "test_server_that_comes_back_takes_the_resource_back_only_if_automatic",
        # test_priority_that_one_server_refuses_is_changed_on_none
        "test_set_refused_once_by_one_server_can_be_repeated",
        # test_rename_keeps_service_relations_and_priorities
        "test_rename_that_fails_half_way_is_taken_back_everywhere",
        # test_unextend_is_refused_in_service_and_allowed_after
        "test_unextend_warns_of_the_ip_resource_that_stays",
        "test_unextend_of_what_nothing_depends_on_warns_of_nothing",
        # test_server_unextended_in_the_gui_does_not_come_back_by_an_extend
        "test_server_unextended_in_the_gui_does_not_come_back",
        # test_extend_gives_every_server_all_enis_and_the_priorities
        "test_extend_that_loses_a_race_leaves_the_winners_definition",
        "test_extend_that_fails_is_taken_back_from_a_server_of_an_older_version",
        # test_create_on_another_server_is_asked_of_that_server
        "test_create_asked_for_by_a_server_of_an_older_version_is_done",
        # test_delete_by_lifekeeper_cleans_the_files_of_its_server
        "test_delete_leaves_no_trace_on_any_server_and_aws_untouched",
        # test_elastic_ip_lives_on_the_stand_in_from_create_to_delete
        "test_both_scenarios_in_one_hierarchy_move_together",
    },
    "tests/lifekeeper/test_recovery.py": {
        # test_check_that_breaks_down_begins_no_recovery_and_no_failover
        "test_ten_checks_with_a_silent_api_change_nothing_and_say_since_when",
    },
    "tests/model/test_two_servers.py": {
        # TestTwoServers, the same machine with routes
        "TestTwoServersOneElasticIp::runTest",
    },
    "tests/model/test_walk.py": {
        # the first of the two walks of each scenario
        "test_a_long_walk_loses_nothing[2-route-table]",
        "test_a_long_walk_loses_nothing[2-elastic-ip]",
    },
    "tests/rivals/test_keepalived.py": {
        # test_check_takes_back_what_was_stolen_in_one_interval, in tests/keepalived/
        "test_the_true_owner_takes_back_what_a_backup_took_for_a_moment",
        "test_the_true_owner_takes_back_what_a_backup_died_over",
    },
    "tests/sandbox/test_quick_start.py": {
        # the same in bash
        "test_quick_start_moves_the_address_in_the_sandbox_and_asks_nothing_else[sh]",
    },
    "tests/scenarios/test_toy.py": {
        # test_the_third_scenario_is_created_extended_moved_and_deleted
        "test_the_third_scenario_is_verified_without_a_ping",
        "test_the_third_scenario_is_undone_to_where_it_was",
        "test_the_third_scenario_is_refused_what_others_need",
    },
}
"""Module → its slow tests, by name; with the parameters in brackets where only some of them are slow."""


def is_slow(nodeid: str) -> bool:
    """Tell whether a test is slow, by its id: "tests/cli/test_cli.py::test_status[tty]"."""
    module, _, name = nodeid.partition("::")
    names = SLOW.get(module, frozenset())
    return name in names or name.partition("[")[0] in names
