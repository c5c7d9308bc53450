"""Which situations of several processes are played by which tests, and why the others are not.

The numbers are those of the list of situations the engine was built by; a test of this folder reads this table and
sees that every named test exists.
"""

from __future__ import annotations

WORKERS = "cluster/test_workers.py::test_"
LEADER = "cluster/test_leader.py::test_"
SHARDS = "monitor/store/test_shards.py::test_"
ENGINES = "engines/test_dispatchers.py::test_"

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
    "S7 the leader is killed, asked to end, frozen": (
        LEADER + "a_leader_that_ends_is_followed_by_one_that_has_the_lock",
        LEADER + "a_frozen_leader_is_unseated_when_its_lease_ends_and_knows_it_when_it_wakes",
    ),
    "S8 two leaders": (ENGINES + "what_is_offered_again_while_it_runs_runs_once",),
    "S9 the lease row is given to another": (LEADER + "a_leader_whose_lease_was_given_to_another_writes_nothing_more",),
    "S12 SIGTERM with polls open": (WORKERS + "a_worker_asked_to_stop_ends_its_polls_and_gives_its_claims_back",),
    "S14 a stop that has to cut": (ENGINES + "a_stop_cuts_what_does_not_end_in_time_and_says_so",),
    "S15 the database is restarted": (
        "cluster/test_restart.py::test_a_database_restarted_under_load_ends_no_process_and_loses_nothing",
    ),
    "S24 a second daemon on one SQLite file": (
        "monitor/test_filelock.py::test_the_second_process_is_told_who_holds_the_database",
    ),
    "S30 one text through two processes at once": (
        "monitor/test_pipeline.py::test_the_same_wire_text_through_two_processes_at_once_is_one_story_and_a_copy",
    ),
    "S32 the queue is emptied": (WORKERS + "an_emptied_queue_costs_one_tick",),
    "S38 another number of shards": (SHARDS + "a_database_whose_hosts_are_divided_otherwise_is_refused",),
    "S40 a fault at every job": (ENGINES + "a_fault_that_comes_back_five_times_in_a_minute_is_hopeless",),
}

NOT_PLAYED: dict[str, str] = {
    "S6": "a hold is read with each claim; no test has a worker die in between",
    "S10, S11": "needs PgBouncer",
    "S13": "the second signal ends the process by its number; what is left is S2",
    "S16": "needs a replica",
    "S20, S21, S22": "the tick's watchdog and spreading have tests of their own; no machine's clock is moved",
    "S26": "written as a row and read at each decision",
    "S27, S28, S29": "with the migrations",
    "S31": "the database's limit on idle transactions; thirty seconds are too long for a suite",
    "S33, S34": "with the storage",
    "S35": "each process has its circuit; jobs it takes meanwhile come back with the next tick",
    "S36, S37, S39": "with the parser processes and the benches",
}
