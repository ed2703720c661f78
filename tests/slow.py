"""
The slow tests, each of which starts a hundred processes and more: `make slow` runs them, and CI.

Beside each of them a quicker one of the same promise's kind stays in `make test`; the comments say which.
"""

from __future__ import annotations

_IN_TROUBLE = (
    "test_quick_check_in_trouble_is_0_with_the_reason_in_time",
    "test_restore_in_trouble_fails_with_the_reason_in_time",
)
_EC2_IN_TROUBLE = (
    "endpoint refused",
    "endpoint black-holed",
    "endpoint dripping",
    "endpoint garbling",
    "HTTP 500",
    "throttled",
    "resolver hanging",
    "IMDS silent",
    "no credentials",
)
_OWN_TROUBLE = ("registry broken", "registry lost", "run folder read-only", "disk full")
_TROUBLE_OF_OTHER_KINDS = {
    *((each, tag) for tag in ("ec2-eip1", "ec2-sip1", "ec2-sip6") for each in (*_EC2_IN_TROUBLE, *_OWN_TROUBLE)),
    *(
        (each, tag)
        for tag in ("ec2-nat1", "ec2-list1", "ec2-vips1", "ec2-tag1", "ec2-roles1")
        for each in (*_EC2_IN_TROUBLE, *_OWN_TROUBLE, "permission denied")
    ),
    *((each, "ec2-dns1") for each in _OWN_TROUBLE),
    ("STS black-holed", "ec2-roles1"),
    ("STS HTTP 500", "ec2-roles1"),
}
"""Trouble and resource: what a virtual IP meets in `make test`, met by resources of every other kind."""

SLOW = {
    "tests/actions/test_arguments.py": {
        # test_a_tag_may_be_given_by_its_flag, in tests/cli/test_cli.py
        "test_a_tag_may_be_given_as_a_word_or_by_its_flag",
    },
    "tests/actions/test_aws_iam_migration.py": {
        # the same with ISP
        "test_a_resource_that_runs_on_any_server_makes_it_refuse_all[ISU-node1]",
        "test_a_resource_that_runs_on_any_server_makes_it_refuse_all[ISU-node2]",
        "test_a_resource_that_runs_on_any_server_makes_it_refuse_all[ILLSTATE-node1]",
        "test_a_resource_that_runs_on_any_server_makes_it_refuse_all[ILLSTATE-node2]",
        # the same where ReplaceRoute is denied, and on the other server
        "test_a_permission_that_is_missing_makes_it_refuse[DescribeAddresses]",
        "test_a_permission_that_is_missing_makes_it_refuse[AssociateAddress]",
        "test_a_resource_that_runs_on_any_server_makes_it_refuse_all[ISP-node2]",
    },
    "tests/actions/test_changes.py": {
        # the same at another step, and with one tag
        "test_extend_interrupted_anywhere_leaves_every_server_as_it_was[claim]",
        "test_extend_interrupted_anywhere_leaves_every_server_as_it_was[describe]",
        "test_two_creates_at_once_on_two_servers_make_one_resource_or_none[one-address]",
        "test_two_creates_at_once_on_two_servers_make_one_resource_or_none[the-same]",
        "test_two_creates_at_once_on_one_server_make_one_resource[one-address]",
        "test_two_creates_at_once_on_one_server_make_one_resource[the-same]",
    },
    "tests/actions/test_chosen_tables.py": {
        # test_tagged_tables_live_and_no_other_is_touched
        "test_tables_by_tag_and_by_list_are_both_chosen",
        # test_tagged_tables_live_and_no_other_is_touched
        "test_listed_tables_live_and_no_other_is_touched",
        # test_restore_tells_what_joined_and_left_too
        "test_table_that_gains_the_tag_joins_and_one_that_loses_it_leaves",
        # the same with all tables
        "test_one_address_twice_is_refused_where_tables_may_be_the_same[another listed table]",
        "test_one_address_twice_is_refused_where_tables_may_be_the_same[a listed table of it]",
    },
    "tests/actions/test_destinations.py": {
        # test_create_that_fails_deletes_the_routes_that_it_made
        "test_create_makes_the_routes_that_are_lacking_and_no_other_action_does",
    },
    "tests/actions/test_faults.py": {
        *(f"{name}[{each}-{tag}]" for name in _IN_TROUBLE for each, tag in _TROUBLE_OF_OTHER_KINDS),
        # the same of Route 53 that denies the permission
        "test_quick_check_in_trouble_is_0_with_the_reason_in_time[Route 53 black-holed-ec2-dns1]",
        "test_quick_check_in_trouble_is_0_with_the_reason_in_time[Route 53 refused-ec2-dns1]",
        "test_quick_check_in_trouble_is_0_with_the_reason_in_time[Route 53 dripping-ec2-dns1]",
        "test_quick_check_in_trouble_is_0_with_the_reason_in_time[Route 53 garbling-ec2-dns1]",
        "test_quick_check_in_trouble_is_0_with_the_reason_in_time[Route 53 HTTP 500-ec2-dns1]",
        "test_quick_check_in_trouble_is_0_with_the_reason_in_time[Route 53 throttled-ec2-dns1]",
        "test_restore_in_trouble_fails_with_the_reason_in_time[Route 53 black-holed-ec2-dns1]",
        "test_restore_in_trouble_fails_with_the_reason_in_time[Route 53 refused-ec2-dns1]",
        "test_restore_in_trouble_fails_with_the_reason_in_time[Route 53 dripping-ec2-dns1]",
        "test_restore_in_trouble_fails_with_the_reason_in_time[Route 53 garbling-ec2-dns1]",
        "test_restore_in_trouble_fails_with_the_reason_in_time[Route 53 HTTP 500-ec2-dns1]",
        "test_restore_in_trouble_fails_with_the_reason_in_time[Route 53 throttled-ec2-dns1]",
        # the same with a service that answers otherwise or not
        "test_a_bad_answer_is_unknown_to_quick_check_and_fails_restore[IMDS behind a hop limit]",
        "test_a_bad_answer_is_unknown_to_quick_check_and_fails_restore[IMDS forgets tokens]",
        "test_a_bad_answer_is_unknown_to_quick_check_and_fails_restore[IMDS silent]",
        "test_a_bad_answer_is_unknown_to_quick_check_and_fails_restore[clock wrong]",
        "test_a_bad_answer_is_unknown_to_quick_check_and_fails_restore[connection reset]",
        "test_a_bad_answer_is_unknown_to_quick_check_and_fails_restore[cut in the body]",
        "test_a_bad_answer_is_unknown_to_quick_check_and_fails_restore[nothing in the document]",
        # the same with a virtual IP and a black hole, or no credentials
        "test_restore_in_trouble_fails_with_the_reason_in_time[endpoint black-holed-ec2-eip1]",
        "test_restore_in_trouble_fails_with_the_reason_in_time[endpoint black-holed-ec2-sip1]",
        "test_restore_in_trouble_fails_with_the_reason_in_time[endpoint black-holed-ec2-sip6]",
        "test_restore_in_trouble_fails_with_the_reason_in_time[resolver hanging-ec2-vip1]",
        "test_restore_in_trouble_fails_with_the_reason_in_time[endpoint dripping-ec2-vip1]",
        "test_restore_in_trouble_fails_with_the_reason_in_time[endpoint refused-ec2-vip1]",
        # the same
        "test_quick_check_in_trouble_is_0_with_the_reason_in_time[endpoint black-holed-ec2-eip1]",
        "test_quick_check_in_trouble_is_0_with_the_reason_in_time[endpoint black-holed-ec2-sip1]",
        "test_quick_check_in_trouble_is_0_with_the_reason_in_time[endpoint black-holed-ec2-sip6]",
        "test_quick_check_in_trouble_is_0_with_the_reason_in_time[endpoint dripping-ec2-vip1]",
        "test_quick_check_in_trouble_is_0_with_the_reason_in_time[resolver hanging-ec2-vip1]",
        # the same with IMDS silent
        "test_remove_in_trouble_is_0_in_time[endpoint dripping]",
        "test_remove_in_trouble_is_0_in_time[resolver hanging]",
        # the same with a full disk
        "test_the_address_moves_although_the_states_cannot_be_written[read-only-secondary]",
        # test_restore_while_reads_are_late_writes_once_and_waits
        "test_restore_while_reads_are_seconds_late_waits_says_so_and_writes_once",
        # the same with a virtual IP, and with a secondary address of IPv4
        "test_quick_check_in_trouble_is_0_with_the_reason_in_time[permission denied-ec2-eip1]",
        "test_quick_check_in_trouble_is_0_with_the_reason_in_time[permission denied-ec2-sip6]",
        "test_restore_in_trouble_fails_with_the_reason_in_time[permission denied-ec2-eip1]",
        "test_restore_in_trouble_fails_with_the_reason_in_time[permission denied-ec2-sip6]",
        "test_an_action_whose_log_hangs_does_its_work[ec2-eip1]",
        "test_an_action_whose_log_hangs_does_its_work[ec2-sip6]",
        # the same with another answer that is none
        "test_a_bad_answer_is_unknown_to_quick_check_and_fails_restore[no body]",
        "test_a_bad_answer_is_unknown_to_quick_check_and_fails_restore[IMDS switched off]",
        "test_restore_gets_over_what_passes[IMDS slow]",
        "test_restore_gets_over_what_passes[pages are empty]",
        "test_remove_in_trouble_is_0_in_time[endpoint refused]",
        "test_remove_in_trouble_is_0_in_time[HTTP 500]",
        "test_remove_in_trouble_is_0_in_time[throttled]",
    },
    "tests/actions/test_hierarchy.py": {
        # the same with reads that are 0.5 s late
        "test_create_interrupted_while_reads_are_late_puts_back_what_it_moved[5-ec2-vip1]",
        "test_create_interrupted_while_reads_are_late_puts_back_what_it_moved[2-ec2-eip1]",
    },
    "tests/actions/test_inherited.py": {
        # the same with all that is full
        "test_actions_whose_streams_are_closed_or_full_say_what_is_the_case[/dev/full]",
        "test_actions_whose_streams_are_closed_or_full_say_what_is_the_case[unread]",
        "test_actions_whose_streams_are_closed_or_full_say_what_is_the_case[gone]",
        "test_actions_whose_streams_are_closed_or_full_say_what_is_the_case[<&-]",
        # the same where all are closed, or full
        "test_actions_whose_streams_are_closed_or_full_say_what_is_the_case[>&-]",
        "test_actions_whose_streams_are_closed_or_full_say_what_is_the_case[2>&-]",
    },
    "tests/actions/test_life.py": {
        # the same with a virtual IP and with a record set; the creates that fail, with a virtual IP
        "test_a_resource_of_each_kind_is_led_through_its_whole_life[ec2-sip1]",
        "test_a_resource_of_each_kind_is_led_through_its_whole_life[ec2-sip6]",
        "test_a_create_that_fails_puts_the_address_back[ec2-eip1]",
        "test_a_create_that_fails_puts_the_address_back[ec2-sip1]",
        "test_a_create_that_fails_puts_the_address_back[ec2-sip6]",
        # test_create_and_extend_and_restore_move_the_address_and_no_other, in tests/actions/test_elastic_ip.py
        "test_a_resource_of_each_kind_is_led_through_its_whole_life[ec2-eip1]",
    },
    "tests/actions/test_lost_answers.py": {
        # the same where the connection is reset
        "test_restore_whose_writes_vanish_fails_by_the_deadline_and_names_what_is_unknown[silent-none within-kinds]",
        # the same with a sandbox whose reads are not late
        "test_restore_of_50_tables_whose_every_answer_is_lost_succeeds[5]",
        "test_restore_of_50_tables_whose_every_answer_is_lost_succeeds[role]",
        "test_recover_whose_every_answer_is_lost_succeeds[5-kinds]",
        "test_remove_whose_every_answer_is_lost_knows_that_it_is_done[5]",
        # test_restore_without_retries_whose_answer_is_lost_while_reads_are_late_waits
        "test_restore_whose_every_answer_is_lost_while_reads_are_late_succeeds",
        # test_restore_whose_writes_vanish_makes_as_many_retries_as_it_may
        "test_restore_whose_lost_write_is_throttled_then_makes_as_many_retries_as_it_may",
        # test_restore_whose_first_writes_vanish_tells_the_true_number_of_attempts
        "test_restore_too_slow_for_all_names_what_was_not_sent_apart",
        # test_restore_whose_writes_vanish_fails_by_the_deadline_and_names_what_is_unknown
        "test_create_that_fails_puts_back_what_it_moved_although_the_answers_are_lost",
        "test_recover_whose_writes_vanish_fails_by_the_deadline_and_names_what_is_unknown",
        # the same where the connection is reset, with six tables, and with answers that do not come
        "test_restore_whose_writes_vanish_fails_by_the_deadline_and_names_what_is_unknown[error-Internal-kinds]",
        "test_restore_of_50_tables_whose_every_answer_is_lost_succeeds[0]",
        "test_restore_whose_every_answer_is_lost_succeeds_with_one_write_each[garble-kinds]",
        # the same with the other kinds
        "test_restore_whose_every_answer_is_lost_succeeds_with_one_write_each[garble-routes]",
        "test_restore_without_retries_whose_answer_is_lost_while_reads_are_late_waits[routes]",
        *(
            f"test_restore_whose_writes_vanish_fails_by_the_deadline_and_names_what_is_unknown[{each}-routes]"
            for each in ("reset-Connection reset", "silent-none within", "error-Internal")
        ),
        "test_recover_whose_every_answer_is_lost_succeeds[0-routes]",
        "test_recover_whose_every_answer_is_lost_succeeds[5-routes]",
        # the same with resources of the other kinds
        "test_restore_whose_every_answer_is_lost_succeeds_with_one_write_each[lose-routes]",
    },
    "tests/actions/test_permissions.py": {
        # the same of a virtual IP, of an Elastic IP, and of IPv4
        *(
            f"test_all_actions_of_a_kind_work_with_its_statement_alone[{each}]"
            for each in ("ec2-nat1", "ec2-vips1", "ec2-tag1", "ec2-sip6")
        ),
        *(
            f"test_create_without_one_permission_of_its_kind_fails_and_names_it[{each}]"
            for each in (
                "ec2:DescribeRouteTables",
                "ec2:DescribeAddresses",
                "ec2:DescribeNetworkInterfaces",
                "ec2:AssignIpv6Addresses",
                "ec2:UnassignPrivateIpAddresses",
                "route53:ListResourceRecordSets",
                "route53:ChangeResourceRecordSets",
            )
        ),
        # the same with a virtual IP and with a record set
        "test_all_actions_of_a_kind_work_with_its_statement_alone[ec2-sip1]",
        "test_all_actions_of_a_kind_work_with_its_statement_alone[ec2-eip1]",
    },
    "tests/actions/test_probe.py": {
        # the same with an exit status
        "test_probe_whose_command_is_rubbish_is_not_known[hangs]",
        # test_probe_as_json_has_the_servers_and_the_result, of other kinds
        "test_probe_of_an_elastic_ip_is_sent_to_it",
        "test_probe_of_a_record_set_is_sent_to_what_it_points_at",
        # test_restore_ends_before_its_probe_and_is_overtaken_by_none
        "test_restore_that_changes_nothing_measures_nothing",
        # test_note_that_cannot_be_written_costs_only_the_note
        "test_disk_that_is_full_costs_only_the_note",
    },
    "tests/actions/test_roles.py": {
        # test_keys_that_end_in_the_middle_of_fifty_tables_are_renewed
        "test_resource_of_another_accounts_tables_leads_its_whole_life",
        # test_answer_to_one_role_is_none_to_another, in tests/ec2/test_snapshot.py
        "test_checks_under_two_roles_share_no_answer",
        # test_keys_of_one_account_that_end_among_fifty_tables_leave_those_of_the_other
        "test_resource_of_tables_of_three_accounts_leads_its_whole_life",
    },
    "tests/actions/test_route_table.py": {
        # test_restore_of_120_tables_killed_in_the_middle_goes_on_next_time
        "test_restore_of_120_tables_overtaken_by_remove_stops_in_the_middle",
        # the same where the other server says that it is in service
        "test_recover_where_the_other_server_may_run_it_writes_nothing[silent]",
    },
    "tests/actions/test_shared_answer.py": {
        # the same with one resource
        "test_quick_check_of_a_second_resource_asks_nobody[199-2]",
    },
    "tests/actions/test_stale_writer.py": {
        # the same with SIGSTOP
        "test_an_action_held_up_past_its_deadline_writes_nothing_when_it_goes_on[restore-by_freezer]",
        "test_an_action_held_up_past_its_deadline_writes_nothing_when_it_goes_on[recover-by_signal]",
    },
    "tests/cli/test_notices.py": {
        # the same where nothing listens
        "test_silence_makes_a_server_neither_leave_nor_come_back[reset]",
        "test_silence_makes_a_server_neither_leave_nor_come_back[garble]",
        "test_silence_makes_a_server_neither_leave_nor_come_back[empty]",
        "test_silence_makes_a_server_neither_leave_nor_come_back[error]",
        "test_silence_makes_a_server_neither_leave_nor_come_back[hop-limit]",
        "test_silence_makes_a_server_neither_leave_nor_come_back[silent]",
        # the same with a note that is cut
        "test_note_that_does_not_count_is_made_anew_by_what_keepalived_reads[of another boot]",
        "test_note_that_does_not_count_is_made_anew_by_what_keepalived_reads[empty]",
        # the same of an interruption
        "test_spot_instance_leaves_for_an_interruption[recommendation]",
        "test_spot_instance_leaves_for_an_interruption[recommendation that counts]",
    },
    "tests/cli/test_history.py": {
        # the same with a secondary address
        "test_a_decision_of_each_kind_is_replayed[ec2-eip1]",
        "test_a_decision_of_each_kind_is_replayed[ec2-dns1]",
    },
    "tests/cli/test_plan.py": {
        # the same with a virtual IP
        "test_plan_of_a_failover_is_what_the_actions_do[ec2-eip1]",
    },
    "tests/cli/test_verify.py": {
        # test_verify_moves_the_address_to_the_next_server_and_back
        "test_verify_can_be_run_from_any_server",
        "test_verify_of_a_resource_that_is_nowhere_in_service_starts_it_here",
        # test_verify_goes_back_when_the_next_server_cannot_take_it
        "test_verify_goes_back_when_the_address_does_not_answer_there",
        "test_verify_that_cannot_bring_it_back_says_where_it_is",
        "test_verify_that_is_interrupted_goes_back",
        # test_verify_moves_nothing_when_the_address_does_not_answer_at_home
        "test_verify_without_a_usable_ping_could_not_look",
        # test_verify_under_lifekeeper_moves_nothing_that_cannot_come_along
        "test_verify_under_lifekeeper_leaves_alone_what_was_stopped",
        # test_verify_under_lifekeeper_moves_nothing_that_cannot_come_along
        "test_verify_under_lifekeeper_moves_all_that_stands_on_the_resource",
        # test_verify_moves_the_address_to_the_next_server_and_back
        "test_verify_of_an_elastic_ip_says_what_ping_proves",
    },
    "tests/demo/test_demo.py": {
        # test_demo_with_an_encoding_without_boxes_draws_them_in_ascii
        "test_demo_plays_every_scene_and_all_expectations_hold",
        "test_demo_with_a_restore_that_does_nothing_fails_and_shows_where",
        "test_demo_without_a_terminal_is_plain_text_of_a_page_width",
        "test_demo_runs_what_it_shows",
    },
    "tests/ec2/test_snapshot.py": {
        # test_look_hundreds_of_virtual_ips_in_hundreds_of_tables_are_one_answer
        "test_look_larger_than_a_file_may_be_says_so",
    },
    "tests/frameworks/test_edge.py": {
        # the same with full streams
        "test_the_watchdog_ends_the_process_whatever_its_streams_are[False-7-<&- >&- 2>&-]",
        "test_the_watchdog_ends_the_process_whatever_its_streams_are[True-3-<&- >&- 2>&-]",
    },
    "tests/install/test_lkroot.py": {
        # test_every_installed_script_runs_from_anywhere_with_an_empty_environment
        "test_hooks_whose_environment_is_gone_are_no_verdict",
        # test_install_again_changes_nothing_and_from_another_environment_the_launcher
        "test_install_from_another_environment_updates_what_names_it",
    },
    "tests/install/test_ocf.py": {
        # test_an_installed_agent_starts_monitors_and_stops_with_the_variables_of_another_python
        "test_an_installed_agent_tells_its_meta_data_with_any_environment",
    },
    "tests/interrupted/test_create.py": {
        # the same with a registry of files
        "test_create_interrupted_leaves_everything_as_it_was_or_says_what_it_left[lifekeeper]",
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
        # test_create_on_another_server_is_asked_of_that_server
        "test_create_on_another_server_points_a_route_back_to_its_gateway",
        # the same with ins_create
        "test_create_interrupted_in_the_middle_of_a_write_lets_it_end[ins_setinfo]",
        # test_create_on_another_server_interrupted_is_undone_there
        "test_create_on_another_server_that_cannot_be_undone_is_told",
    },
    "tests/lifekeeper/test_life.py": {
        # test_start_lets_a_witness_send_packets_to_the_address, in tests/ocf/test_route_table.py
        "test_switchover_lets_the_former_server_send_packets_once_the_ip_resource_is_there",
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
        # test_switchover_by_perform_action_moves_the_whole_hierarchy
        "test_both_scenarios_in_one_hierarchy_move_together",
        # test_switchover_by_perform_action_moves_the_whole_hierarchy
        "test_elastic_ip_lives_on_the_stand_in_from_create_to_delete",
    },
    "tests/lifekeeper/test_leaving.py": {
        # test_hierarchy_fails_over_before_a_scheduled_event
        "test_hierarchy_stays_if_the_other_server_could_not_take_over",
        "test_silent_metadata_service_moves_nothing",
    },
    "tests/lifekeeper/test_recovery.py": {
        # test_check_that_breaks_down_begins_no_recovery_and_no_failover
        "test_ten_checks_with_a_silent_api_change_nothing_and_say_since_when",
        # the same where the event fails
        "test_recovery_that_fails_leads_to_failover[both]",
        "test_recovery_that_fails_leads_to_failover[exit]",
    },
    "tests/model/test_changes.py": {
        # the same with two tags for one address on two servers
        "test_two_creates_in_every_order_make_one_resource_or_none[('server-c', 'ec2-new', '10.1.0.66')]",
        "test_two_creates_in_every_order_make_one_resource_or_none[('server-b', 'ec2-new', '10.1.0.67')]",
        "test_two_creates_in_every_order_make_one_resource_or_none[('server-b', 'ec2-new', '10.1.0.66')]",
        # the same with two tags on one server
        "test_two_creates_in_every_order_make_one_resource_or_none[('server-b', 'ec2-other', '10.1.0.66')]",
    },
    "tests/model/test_killed.py": {
        # the same with routes and with other kinds
        "test_killed_at_every_point_and_run_again_converges[remove of secondary-ip]",
        "test_killed_at_every_point_and_run_again_converges[remove of secondary-ip of IPv6]",
        "test_killed_at_every_point_and_run_again_converges[remove of dns-record]",
        "test_killed_at_every_point_and_run_again_converges[quickCheck of secondary-ip]",
        "test_killed_at_every_point_and_run_again_converges[quickCheck of secondary-ip of IPv6]",
        "test_killed_at_every_point_and_run_again_converges[quickCheck of dns-record]",
        "test_killed_at_every_point_and_run_again_converges[recover of route-table of a NAT pair]",
        "test_killed_at_every_point_and_run_again_converges[remove of route-table of a NAT pair]",
        "test_killed_at_every_point_and_run_again_converges[quickCheck of route-table of a NAT pair]",
        "test_killed_at_every_point_and_run_again_converges[restore of secondary-ip of IPv6]",
        "test_killed_at_every_point_and_run_again_converges[recover of secondary-ip of IPv6]",
        # restore of several addresses, and of a NAT pair
        "test_killed_at_every_point_and_run_again_converges[restore of route-table by a tag]",
        "test_killed_at_every_point_and_run_again_converges[recover of route-table by a tag]",
        "test_killed_at_every_point_and_run_again_converges[remove of route-table by a tag]",
        "test_killed_at_every_point_and_run_again_converges[quickCheck of route-table by a tag]",
        "test_killed_at_every_point_and_run_again_converges[restore of route-table of a prefix list]",
        "test_killed_at_every_point_and_run_again_converges[recover of route-table of a prefix list]",
        "test_killed_at_every_point_and_run_again_converges[remove of route-table of a prefix list]",
        "test_killed_at_every_point_and_run_again_converges[quickCheck of route-table of a prefix list]",
        "test_killed_at_every_point_and_run_again_converges[recover of route-table of several addresses]",
        "test_killed_at_every_point_and_run_again_converges[remove of route-table of several addresses]",
        "test_killed_at_every_point_and_run_again_converges[quickCheck of route-table of several addresses]",
        "test_killed_at_every_point_and_run_again_converges[restore of route-table of two accounts]",
        "test_killed_at_every_point_and_run_again_converges[recover of route-table of two accounts]",
        "test_killed_at_every_point_and_run_again_converges[remove of route-table of two accounts]",
        "test_killed_at_every_point_and_run_again_converges[quickCheck of route-table of two accounts]",
    },
    "tests/model/test_two_servers.py": {
        # TestTwoServers, the same machine with routes
        "TestTwoServersOneDefaultRoute::runTest",
        "TestTwoServersOneElasticIp::runTest",
        "TestTwoServersOnePrefixList::runTest",
        "TestTwoServersOnePrivateAddress::runTest",
        "TestTwoServersSeveralAddresses::runTest",
        "TestTwoServersTaggedTables::runTest",
        "TestTwoServersTwoAccounts::runTest",
        "TestTwoServersOneIpv6Address::runTest",
    },
    "tests/model/test_walk.py": {
        # the first of the two walks of each scenario
        "test_a_long_walk_loses_nothing[2-route-table]",
        "test_a_long_walk_loses_nothing[2-elastic-ip]",
        # the same machine, with routes and with a secondary address
        "test_a_long_walk_loses_nothing[1-elastic-ip]",
        "test_a_long_walk_loses_nothing[1-secondary-ip of IPv6]",
        "test_a_long_walk_loses_nothing[2-secondary-ip]",
        "test_a_long_walk_loses_nothing[2-secondary-ip of IPv6]",
        "test_a_long_walk_loses_nothing[1-dns-record]",
        "test_a_long_walk_loses_nothing[2-dns-record]",
        "test_a_long_walk_loses_nothing[1-route-table of a NAT pair]",
        "test_a_long_walk_loses_nothing[2-route-table of a NAT pair]",
        # the same machine, with two accounts
        "test_a_long_walk_loses_nothing[1-route-table by a tag]",
        "test_a_long_walk_loses_nothing[2-route-table by a tag]",
        "test_a_long_walk_loses_nothing[1-route-table of a prefix list]",
        "test_a_long_walk_loses_nothing[2-route-table of a prefix list]",
        "test_a_long_walk_loses_nothing[1-route-table of several addresses]",
        "test_a_long_walk_loses_nothing[2-route-table of several addresses]",
        "test_a_long_walk_loses_nothing[2-route-table of two accounts]",
        # the same machine, with one account, and with routes
        "test_a_long_walk_loses_nothing[1-route-table of two accounts]",
        "test_a_long_walk_loses_nothing[1-secondary-ip]",
    },
    "tests/ocf/test_drop_ins.py": {
        # the same with the operations of awseip
        "test_every_operation_of_the_heartbeat_agent_is_implemented[awsvip]",
        "test_every_operation_of_the_heartbeat_agent_is_implemented[aws-vpc-route53]",
    },
    "tests/ocf/test_migration.py": {
        # test_virtual_ip_is_on_both_servers_until_the_old_one_is_stopped and the like, in test_handover.py
        "test_migration_moves_the_address_in_one_step_and_stop_leaves_it_there",
    },
    "tests/ocf/test_secondary_ip.py": {
        # test_the_agent_starts_monitors_moves_and_leaves_the_address
        "test_an_elastic_ip_follows_the_private_address_that_moves_before_it",
    },
    "tests/ocf/test_shared_address.py": {
        # test_each_is_checked_and_stopped_for_itself_and_the_last_one_takes_the_address_off
        "test_start_that_fails_leaves_the_address_to_the_other_one",
    },
    "tests/ocf/test_trouble.py": {
        # the same where EC2 is silent, or all streams are full
        "test_in_trouble_monitor_is_a_success_and_start_fails_before_pacemaker_would_kill_them[dripping]",
        "test_in_trouble_monitor_is_a_success_and_start_fails_before_pacemaker_would_kill_them[throttled]",
        "test_in_trouble_monitor_is_a_success_and_start_fails_before_pacemaker_would_kill_them[garbling]",
        "test_operations_whose_streams_are_closed_or_full_say_what_is_the_case[>&-]",
        "test_operations_whose_streams_are_closed_or_full_say_what_is_the_case[gone]",
        "test_start_goes_on_when_imds_comes_back[refuse]",
        # the same where nothing listens, or EC2 is silent
        "test_in_trouble_monitor_is_a_success_and_start_fails_before_pacemaker_would_kill_them[no-role]",
        "test_in_trouble_monitor_is_a_success_and_start_fails_before_pacemaker_would_kill_them[http-500]",
        # the same with a Python that dies
        "test_without_python_the_run_folder_of_the_tunables_file_is_found[missing-EC2KIT_RUN_DIR={}]",
        "test_without_python_monitor_goes_by_what_start_and_stop_wrote[missing]",
    },
    "tests/patroni/test_program.py": {
        # the same where nothing listens
        "test_patroni_that_does_not_answer_permits_nothing_and_is_asked_again[silent]",
        "test_patroni_that_does_not_answer_permits_nothing_and_is_asked_again[no-http]",
        "test_patroni_that_does_not_answer_permits_nothing_and_is_asked_again[no-patroni]",
        "test_yes_of_a_patroni_that_was_paused_itself_does_not_count[one-that-was-under-way]",
    },
    "tests/rivals/test_keepalived.py": {
        # test_check_takes_back_what_was_stolen_in_one_interval, in tests/keepalived/
        "test_the_true_owner_takes_back_what_a_backup_took_for_a_moment",
        "test_the_true_owner_takes_back_what_a_backup_died_over",
    },
    "tests/sandbox/test_process.py": {
        # test_client_tells_why_it_could_not_start
        "test_port_in_use_is_told",
    },
    "tests/sandbox/test_quick_start.py": {
        # the same in bash
        "test_quick_start_moves_the_address_in_the_sandbox_and_asks_nothing_else[sh]",
        # the same where no port can be opened
        "test_quick_start_whose_sandbox_cannot_start_runs_no_action[another sandbox in the folder]",
    },
    "tests/sandbox/test_tls.py": {
        # the same with a name that is another
        "test_wrong_certificate_is_shown_by_one_server[expired-certificate has expired]",
        "test_wrong_certificate_is_shown_by_one_server[issuer-unable to get local issuer certificate]",
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
