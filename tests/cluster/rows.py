"""Which situations of several processes are played by which tests, and why the others are not.

The numbers are those of the list of situations the engine was built by; a test of this folder reads this table and
sees that every named test exists.
"""

from __future__ import annotations

WORKERS = "cluster/test_workers.py::test_"
LEADER = "cluster/test_leader.py::test_"
SHARDS = "monitor/store/test_shards.py::test_"
ENGINES = "engines/test_dispatchers.py::test_"
POOLER = "cluster/test_pooler.py::test_"
CLOCKS = "cluster/test_clocks.py::test_"
ENDS = "cluster/test_ends.py::test_"
LOST = "cluster/test_lost_database.py::test_"
RESTART = "cluster/test_restart.py::test_"
FAILOVER = "cluster/test_failover.py::test_"
REFUSALS = "cluster/test_refusals.py::test_"
MIGRATE = "monitor/store/test_migrate.py::test_"
PARTITIONS = "monitor/store/test_partitions.py::test_"
POLLING = "scenarios/test_polling.py::test_"
FULL = "monitor/store/test_disk_full.py::test_"
TICK = "monitor/test_tick.py::test_"
FILE_LOCK = "monitor/test_filelock.py::test_"
PARSERS = "monitor/test_parser_pool.py::test_"

PLAYED: dict[str, tuple[str, ...]] = {
    "S1 a worker is killed amid fetches": (
        WORKERS + "a_worker_killed_amid_due_feeds_loses_and_doubles_nothing",
        SHARDS + "a_new_run_takes_over_at_once_and_the_old_one_writes_and_claims_nothing",
    ),
    "S2 killed at any step of a poll": (
        "scenarios/test_workers.py::test_a_worker_killed_at_any_step_of_a_poll_loses_and_repeats_nothing",
    ),
    "S3 a worker is stopped past its lease and wakes": (WORKERS + "a_stalled_worker_that_wakes_up_writes_nothing",),
    "S4 six claim one shard at once": (
        SHARDS + "six_workers_that_claim_one_shard_at_once_get_every_feed_exactly_once",
    ),
    "S5 one big host in a shard": (SHARDS + "a_host_gives_nine_feeds_to_a_claim_and_none_while_it_is_busy",),
    "S6 a hold outlives the process that heard of it": (POLLING + "a_hold_survives_a_restart_and_force",),
    "S7 the leader is killed, asked to end, frozen": (
        LEADER + "a_leader_that_ends_is_followed_by_one_that_has_the_lock",
        LEADER + "a_frozen_leader_is_unseated_when_its_lease_ends_and_knows_it_when_it_wakes",
        LEADER + "one_that_only_works_says_when_nobody_leads_and_when_somebody_does_again",
    ),
    "S8 two leaders": (ENGINES + "what_is_offered_again_while_it_runs_runs_once",),
    "S9 the lease row is given to another": (LEADER + "a_leader_whose_lease_was_given_to_another_writes_nothing_more",),
    "S10 behind PgBouncer, with a direct address": (
        POOLER + "several_processes_share_the_work_through_a_pooler",
        POOLER + "a_pooler_that_shares_sessions_is_found_out",
    ),
    "S11 behind PgBouncer, without one": (POOLER + "a_start_behind_a_pooler_is_refused_without_a_way_round_it",),
    "S12 SIGTERM with polls open": (WORKERS + "a_worker_asked_to_stop_ends_its_polls_and_gives_its_claims_back",),
    "S13 a second signal": (ENDS + "a_second_signal_ends_at_once_and_leaves_nothing_half_done",),
    "S14 a stop that has to cut": (ENGINES + "a_stop_cuts_what_does_not_end_in_time_and_says_so",),
    "S15 the database is restarted, or comes up late": (
        RESTART + "a_database_restarted_under_load_ends_no_process_and_loses_nothing",
        RESTART + "a_start_waits_for_a_database_that_comes_up_late_and_says_so",
        RESTART + "a_start_gives_up_when_its_patience_ends",
    ),
    "S16 fail-over to a replica that misses the last moments": (
        FAILOVER + "polls_of_the_lost_moments_are_polled_again_and_no_process_ends",
        FAILOVER + "events_of_the_lost_moments_are_decided_again_under_the_same_keys",
    ),
    "S17 the disk is full": (FULL + "a_full_disk_loses_nothing_that_was_committed_and_room_heals_it",),
    "S18 the database takes no changes, or is gone": (
        LOST + "a_start_on_what_is_read_only_is_refused",
        LOST + "a_start_on_a_file_that_vanished_is_refused_and_none_is_made",
        LOST + "a_start_on_a_postgres_that_takes_no_changes_is_refused",
        LOST + "nothing_is_written_to_a_file_that_is_not_at_its_place_and_none_is_made_there",
        LOST + "what_runs_without_its_database_polls_and_sends_nothing_and_goes_on_when_it_is_back",
    ),
    "S19 the file is damaged": (REFUSALS + "a_damaged_file_is_refused_and_never_replaced_by_an_empty_one",),
    "S20 the clock is set while we run": (
        TICK + "a_jump_of_the_wall_clock_is_said_and_the_jobs_wait_their_interval_from_then",
        TICK + "lost_time_is_heard_of_before_any_job_runs_again",
        CLOCKS + "a_clock_that_is_set_while_we_run_is_followed_and_its_owner_told",
    ),
    "S21 clocks that differ": (
        CLOCKS + "a_clock_is_put_right_by_the_databases",
        CLOCKS + "what_a_machine_with_a_wrong_clock_stores_bears_the_databases_time",
    ),
    "S22 the machine slept": (CLOCKS + "what_fell_due_while_the_machine_slept_is_spread_and_asked_once",),
    "S23 another process holds the file's write lock": (
        ENDS + "a_writer_that_holds_the_file_for_long_delays_polls_and_loses_none",
    ),
    "S24 a second daemon on one SQLite file": (
        FILE_LOCK + "the_second_process_is_told_who_holds_the_database",
        REFUSALS + "a_database_that_is_not_as_wanted_is_refused_and_not_touched",
    ),
    "S25 the first is killed": (FILE_LOCK + "a_killed_holder_leaves_the_lock_free",),
    "S26 a silence is made beside the daemon": (
        "alerts/test_timing.py::test_a_silence_made_while_the_group_waits_still_works",
    ),
    "S27 six starts on an empty database": (MIGRATE + "six_starts_at_once_on_an_empty_database_all_succeed",),
    "S28 a migration fails": (MIGRATE + "a_failed_upgrade_leaves_the_old_schema",),
    "S29 this release beside a later one": (
        "cluster/test_releases.py::test_processes_of_this_release_go_on_over_a_schema_that_a_later_one_has_added_to",
        MIGRATE + "a_newer_schema_is_refused_and_not_touched",
    ),
    "S30 one text through two processes at once": (
        "monitor/test_pipeline.py::test_the_same_wire_text_through_two_processes_at_once_is_one_story_and_a_copy",
    ),
    "S31 the holder of the story lock is stopped": (
        "monitor/store/test_engine.py::test_a_stopped_holder_of_the_story_lock_loses_it_and_what_it_wrote",
    ),
    "S32 the queue is emptied": (WORKERS + "an_emptied_queue_costs_one_tick",),
    "S33 the queue's log is long": (ENGINES + "the_queues_log_is_emptied_of_what_is_old_in_chunks",),
    "S34 there is no partition": (
        PARTITIONS + "an_entry_that_finds_no_partition_makes_it",
        PARTITIONS + "two_that_find_none_make_one_and_neither_fails",
        "monitor/store/test_checking.py::test_too_few_partitions_want_attention_and_a_broken_index_is_bad",
    ),
    "S35 one worker without a network": (ENDS + "one_that_is_cut_off_blames_no_feed_and_the_others_poll_them",),
    "S36 a body that takes too long to parse": (PARSERS + "a_body_out_of_time_fails_alone",),
    "S37 much is due after an outage": (POLLING + "what_fell_due_while_nobody_polled_is_spread_over_ten_minutes",),
    "S38 another number of shards": (
        SHARDS + "a_database_whose_hosts_are_divided_otherwise_is_refused",
        REFUSALS + "a_database_that_is_not_as_wanted_is_refused_and_not_touched",
    ),
    "S39 a million feeds and the memory of a worker": (
        "cluster/test_memory.py::test_a_worker_beside_a_hundred_times_as_many_feeds_takes_hardly_more",
    ),
    "S40 a fault at every job": (
        ENGINES + "a_fault_that_comes_back_five_times_in_a_minute_is_hopeless",
        ENDS + "a_fault_that_comes_back_ends_the_process_for_its_supervisor_to_see",
    ),
}

NOT_PLAYED: dict[str, str] = {}
