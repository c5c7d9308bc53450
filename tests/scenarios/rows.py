"""Which tests prove which row of the plan's tables of scenarios: F for fetching and scheduling, P for parsing.

A place is `file::test`, below `tests/`. A row that is not proven by a test says why. `test_rows.py` sees to it that
every row is here and every test exists. F44-F54, F56 and F57 were never given out: their matter is among the P rows.
"""

from __future__ import annotations

from typing import Final

POLLING, MOVES, STANDING = "scenarios/test_polling.py", "scenarios/test_moves.py", "scenarios/test_standing.py"
LATE, IDENTITY, WORKERS = "scenarios/test_late_evidence.py", "scenarios/test_identity.py", "scenarios/test_workers.py"
FETCH, SCHEDULE, PARSE = "monitor/fetch", "monitor/schedule", "monitor/parse"
KINDS, ENTRIES, CHARSET = f"{PARSE}/test_feed_kinds.py", f"{PARSE}/test_feed_entries.py", f"{PARSE}/test_charset.py"
DATES, LINKS, PUBLISHERS = f"{PARSE}/test_dates.py", f"{PARSE}/test_links.py", f"{PARSE}/test_publishers.py"
HOSTILE, KEYS = f"{PARSE}/test_hostile.py", f"{PARSE}/test_identity.py"

TESTS: Final[dict[str, tuple[str, ...]]] = {
    "F1": (
        f"{POLLING}::test_what_was_answered_decides_what_is_sent",
        f"{POLLING}::test_both_conditions_are_sent_as_they_were_given",
    ),
    "F2": (f"{POLLING}::test_what_was_answered_decides_what_is_sent",),
    "F3": (f"{POLLING}::test_what_was_answered_decides_what_is_sent",),
    "F4": (
        f"{FETCH}/test_conditional.py::test_an_odd_etag_is_sent_back_byte_for_byte",
        f"{FETCH}/test_conditional.py::test_of_two_etag_headers_the_last_is_kept",
        f"{POLLING}::test_a_validator_that_is_no_text_is_never_sent_changed",
    ),
    "F5": (f"{POLLING}::test_what_was_answered_decides_what_is_sent",),
    "F6": (f"{POLLING}::test_what_was_answered_decides_what_is_sent",),
    "F7": (f"{POLLING}::test_what_was_answered_decides_what_is_sent",),
    "F8": (f"{POLLING}::test_a_304_to_a_question_without_conditions_is_an_error_and_loses_nothing",),
    "F9": (
        f"{POLLING}::test_a_lying_304_is_found_out_within_a_day_and_its_entries_are_told",
        f"{SCHEDULE}/test_after.py::test_a_304_for_a_week_is_probed_once_a_day_and_a_lie_ends_the_trust",
    ),
    "F10": (f"{POLLING}::test_a_200_under_an_old_etag_is_read",),
    "F11": (f"{POLLING}::test_a_304_may_promise_freshness_but_no_more_than_the_200_did",),
    "F12": (f"{POLLING}::test_a_server_says_how_long_its_answer_is_fresh",),
    "F13": (f"{POLLING}::test_a_server_says_how_long_its_answer_is_fresh",),
    "F14": (f"{POLLING}::test_a_server_says_how_long_its_answer_is_fresh",),
    "F15": (f"{POLLING}::test_a_server_says_how_long_its_answer_is_fresh",),
    "F16": (f"{POLLING}::test_a_429_of_two_minutes_holds_every_feed_of_the_host_and_no_other",),
    "F17": (f"{POLLING}::test_a_429_is_obeyed",),
    "F18": (f"{POLLING}::test_a_429_is_obeyed", f"{POLLING}::test_a_hold_survives_a_restart_and_force"),
    "F19": (f"{POLLING}::test_a_429_without_a_word_doubles_its_wait",),
    "F20": (f"{POLLING}::test_a_503_holds_its_feed_and_not_its_host",),
    "F21": (f"{POLLING}::test_three_hosts_of_a_domain_that_say_429_hold_the_domain",),
    "F22": (f"{POLLING}::test_a_server_says_how_long_its_answer_is_fresh",),
    "F23": (f"{POLLING}::test_twenty_errors_end_no_feed_and_the_entries_of_the_gap_are_told",),
    "F24": (f"{POLLING}::test_404_for_five_hours_of_each_day_is_polled_and_never_red",),
    "F25": (
        f"{STANDING}::test_one_410_loses_nothing",
        f"{STANDING}::test_two_410_a_day_apart_are_told_once_and_the_feed_is_asked_again_after_30_days",
    ),
    "F26": (f"{STANDING}::test_half_an_hour_without_a_network_blames_nobody",),
    "F27": (
        f"{POLLING}::test_five_restarts_in_ten_minutes_ask_each_address_once",
        f"{POLLING}::test_what_fell_due_while_nobody_polled_is_spread_over_ten_minutes",
    ),
    "F28": (
        f"{POLLING}::test_many_feeds_of_few_hosts_start_with_spacing_and_none_starves",
        f"{FETCH}/test_hosts.py::test_500_feeds_on_3_hosts_start_in_their_order_with_spacing_and_none_starves",
    ),
    "F29": (f"{MOVES}::test_a_301_of_seven_days_is_learnt_and_its_history_kept",),
    "F30": (f"{MOVES}::test_a_301_that_stops_on_the_third_day_is_forgotten",),
    "F31": (
        f"{SCHEDULE}/test_redirects.py::test_https_on_the_same_host_and_path_is_learnt_at_once_without_a_new_baseline",
    ),
    "F32": (f"{MOVES}::test_only_the_permanent_beginning_of_a_chain_is_learnt",),
    "F33": (f"{MOVES}::test_a_301_to_a_feed_of_ours_merges_both_and_tells_nothing_twice",),
    "F34": (f"{MOVES}::test_a_301_to_a_login_page_is_an_error_and_is_not_learnt",),
    "F35": (
        f"{FETCH}/test_redirects.py::test_a_bad_redirect_has_its_own_word_and_nothing_more_is_asked",
        f"{FETCH}/test_redirects.py::test_secrets_go_to_the_configured_origin_only",
        f"{MOVES}::test_no_document_leads_inside",
        f"{MOVES}::test_secrets_of_a_feed_stay_at_its_origin_wherever_its_document_leads",
        f"{MOVES}::test_documents_that_lead_on_and_on_are_followed_five_times",
    ),
    "F36": (
        f"{POLLING}::test_a_body_over_the_cap_is_not_downloaded_at_every_tick",
        f"{FETCH}/test_decode.py::test_20_mib_without_a_length_are_stopped_at_the_cap",
    ),
    "F37": (f"{FETCH}/test_decode.py::test_bombs_are_refused_in_less_than_16_mib_and_a_moment",),
    "F38": (f"{FETCH}/test_failures.py::test_a_slow_server_costs_no_more_than_the_deadline",),
    "F39": (
        f"{POLLING}::test_a_body_that_came_short_is_an_error_and_stores_nothing",
        f"{FETCH}/test_failures.py::test_a_broken_answer_has_its_word",
    ),
    "F40": (
        f"{POLLING}::test_a_hostile_feed_fails_alone_and_soon",
        f"{HOSTILE}::test_a_hostile_entry_costs_little_and_the_next_one_survives",
    ),
    "F41": (f"{POLLING}::test_a_request_says_who_asks_and_carries_nothing_it_need_not",),
    "F42": (
        f"{FETCH}/test_failures.py::test_a_bad_certificate_has_its_word_and_can_be_overridden_per_feed",
        f"{SCHEDULE}/test_health.py::test_a_certificate_nobody_looks_at_is_always_shown",
    ),
    "F43": (
        f"{FETCH}/test_guard.py::test_an_address_in_a_url_is_refused_in_every_form",
        f"{FETCH}/test_guard.py::test_a_name_that_turns_inside_at_its_second_lookup_is_refused_then",
    ),
    "F55": (f"{LATE}::test_a_cache_that_shows_an_older_document_withdraws_and_repeats_nothing",),
    "F58": (f"{STANDING}::test_an_empty_document_between_good_ones_retires_and_repeats_nothing",),
    "F59": (f"{STANDING}::test_a_first_poll_of_500_entries_is_a_baseline",),
    "F60": (f"{STANDING}::test_a_window_that_was_outrun_is_told_once_and_its_older_page_is_read_once",),
    "F61": (f"{WORKERS}::test_a_worker_killed_at_any_step_of_a_poll_loses_and_repeats_nothing",),
    "F62": (
        f"{WORKERS}::test_two_workers_poll_one_feed_once_and_a_late_one_writes_nothing",
        f"{WORKERS}::test_a_killed_workers_feed_is_taken_over_when_its_lease_ends",
    ),
    "F64": (f"{POLLING}::test_what_a_document_asks_for_gives_a_sane_interval",),
    "F65": (
        f"{MOVES}::test_a_document_that_names_its_new_address_is_followed_and_watched_like_a_301",
        f"{MOVES}::test_a_feed_that_names_its_new_address_in_its_channel_is_watched_like_a_301",
    ),
    "F66": (f"{POLLING}::test_a_body_that_does_not_parse_is_an_error_each_time",),
    "F67": (f"{POLLING}::test_a_request_says_who_asks_and_carries_nothing_it_need_not",),
    "F68": (f"{POLLING}::test_a_forced_poll_says_when_the_address_may_be_asked_again",),
    "F69": (f"{WORKERS}::test_a_feed_just_added_takes_the_answer_it_was_checked_with_as_its_first_poll",),
    "F70": (f"{POLLING}::test_a_bot_wall_is_named_and_met_with_no_disguise",),
    "F71": (f"{POLLING}::test_a_large_feed_without_validators_is_fetched_once_an_hour",),
    "F72": (f"{SCHEDULE}/test_virtual_days.py::test_delay_and_politeness_are_in_balance",),
    "F73": (
        f"{POLLING}::test_a_story_that_is_live_brings_its_outlets_to_their_floor_but_not_where_a_429_was_said",
        f"{SCHEDULE}/test_after.py::test_no_burst_for_a_host_that_once_said_429",
    ),
    "F74": (f"{STANDING}::test_a_newspaper_that_falls_silent_at_noon_is_told_and_a_ministry_is_not",),
    "F75": (
        f"{STANDING}::test_three_hundred_old_entries_shown_again_are_held_back_and_told_to_the_operator_once",
        f"{STANDING}::test_entries_redated_to_today_are_no_news",
    ),
    "F76": (f"{STANDING}::test_a_partial_answer_adds_its_entries_and_nothing_is_missed_or_gone",),
    "F77": (
        f"{POLLING}::test_a_clock_that_jumps_forth_and_back_brings_no_burst",
        f"{POLLING}::test_a_lease_of_a_time_that_has_not_come_ends_with_the_next_start",
        "monitor/test_tick.py::test_a_jump_of_the_wall_clock_is_said_and_the_jobs_wait_their_interval_from_then",
    ),
    "F78": (
        "monitor/config/test_loading.py::test_a_start_leaves_out_feeds_that_cannot_be_polled_and_says_so",
        "scenarios/test_daemon.py::test_the_last_good_configuration_runs_also_without_the_feed_that_was_faulty_in_it",
    ),
    "F79": (f"{POLLING}::test_a_page_instead_of_a_feed_offers_its_feeds_and_follows_none",),
    "P1": (f"{KINDS}::test_every_kind_gives_all_its_entries",),
    "P2": (
        f"{KINDS}::test_every_kind_gives_all_its_entries",
        f"{KINDS}::test_json_feed_prefers_its_own_address_and_first_date",
    ),
    "P3": (
        f"{KINDS}::test_a_news_sitemap_is_a_feed",
        f"{KINDS}::test_what_is_no_feed_is_refused_with_its_word",
        f"{KINDS}::test_a_refusal_says_where_to_go_on",
    ),
    "P4": (f"{KINDS}::test_gdelt_articles_are_entries_of_their_domains",),
    "P5": (f"{KINDS}::test_gzip_without_a_header_is_read",),
    "P6": (f"{KINDS}::test_a_refusal_says_where_to_go_on",),
    "P7": (f"{KINDS}::test_what_is_no_feed_is_refused_with_its_word",),
    "P8": (f"{KINDS}::test_what_is_no_feed_is_refused_with_its_word",),
    "P9": (
        f"{KINDS}::test_what_is_no_feed_is_refused_with_its_word",
        f"{KINDS}::test_a_channel_with_a_title_and_no_item_is_an_empty_feed",
    ),
    "P10": (f"{CHARSET}::test_the_title_is_right",),
    "P11": (f"{CHARSET}::test_the_title_is_right",),
    "P12": (f"{CHARSET}::test_the_title_is_right",),
    "P13": (
        f"{CHARSET}::test_the_title_is_right",
        f"{CHARSET}::test_character_references_do_not_depend_on_the_encoding",
    ),
    "P14": (f"{CHARSET}::test_text_encoded_twice_is_mended",),
    "P15": (f"{KINDS}::test_a_repair_is_said",),
    "P16": (f"{KINDS}::test_a_repair_is_said", f"{ENTRIES}::test_an_id_is_taken_as_written"),
    "P17": (
        f"{KINDS}::test_a_cut_document_keeps_its_complete_entries",
        f"{POLLING}::test_a_document_that_ends_too_soon_gives_its_whole_entries_and_is_asked_for_again",
    ),
    "P18": (f"{KINDS}::test_every_kind_gives_all_its_entries",),
    "P19": (f"{ENTRIES}::test_a_title_is_plain_text", f"{ENTRIES}::test_an_atom_title_is_plain_text"),
    "P20": (f"{ENTRIES}::test_a_title_is_plain_text",),
    "P21": (f"{HOSTILE}::test_a_hostile_entry_costs_little_and_the_next_one_survives",),
    "P22": (f"{KINDS}::test_what_is_no_feed_is_refused_with_its_word",),
    "P23": (f"{KINDS}::test_only_the_first_two_thousand_entries_are_taken_and_the_rest_is_counted",),
    "P24": (f"{DATES}::test_a_date_is_read",),
    "P25": (f"{DATES}::test_a_date_is_read",),
    "P26": (f"{DATES}::test_the_zone_of_an_outlet_is", f"{ENTRIES}::test_the_date_is"),
    "P27": (
        f"{ENTRIES}::test_the_date_is",
        f"{IDENTITY}::test_an_entry_dated_two_hours_ahead_is_stored_and_told_by_when_it_was_seen",
    ),
    "P28": (f"{ENTRIES}::test_the_date_is", f"{DATES}::test_what_is_odd_is_noted"),
    "P29": (f"{ENTRIES}::test_an_address_is",),
    "P30": (f"{ENTRIES}::test_an_address_is",),
    "P31": (f"{ENTRIES}::test_an_address_is",),
    "P32": (f"{ENTRIES}::test_an_address_is",),
    "P33": (f"{ENTRIES}::test_atom_takes_the_page_among_its_links",),
    "P34": (f"{ENTRIES}::test_an_address_is",),
    "P35": (f"{ENTRIES}::test_the_first_of_repeated_ids_and_titles_wins",),
    "P36": (
        f"{IDENTITY}::test_entries_are_stored_once_over_many_polls",
        f"{IDENTITY}::test_a_feed_of_one_id_goes_by_addresses_and_stays_there",
    ),
    "P37": (f"{IDENTITY}::test_entries_are_stored_once_over_many_polls",),
    "P38": (f"{IDENTITY}::test_two_like_titles_under_one_id_are_one_entry_with_a_revision",),
    "P39": (f"{IDENTITY}::test_entries_are_stored_once_over_many_polls",),
    "P40": (f"{IDENTITY}::test_entries_are_stored_once_over_many_polls",),
    "P41": (f"{IDENTITY}::test_entries_are_stored_once_over_many_polls",),
    "P42": (f"{LATE}::test_an_edit_that_now_says_denies_is_a_correction_and_an_answer_told_once",),
    "P43": (f"{IDENTITY}::test_an_entry_dated_back_is_new_although_the_newest_date_stands_still",),
    "P44": (f"{IDENTITY}::test_an_entry_dated_two_hours_ahead_is_stored_and_told_by_when_it_was_seen",),
    "P45": (f"{IDENTITY}::test_an_entry_that_comes_back_after_its_text_was_deleted_is_no_news",),
    "P46": (f"{IDENTITY}::test_an_archive_of_705_entries_is_imported_once",),
    "P47": (f"{LINKS}::test_one_article", f"{LINKS}::test_different_articles"),
    "P48": (f"{LINKS}::test_one_article", f"{LINKS}::test_a_site_rule_joins"),
    "P49": (f"{PUBLISHERS}::test_google_news_names_the_publisher",),
    "P50": (
        f"{PUBLISHERS}::test_naslovi_names_publishers_in_permalinks",
        f"{PUBLISHERS}::test_an_aggregators_entry_without_a_named_publisher_has_none",
    ),
    "P51": (f"{PUBLISHERS}::test_a_planet_has_an_outlet_for_each_entry",),
    "P52": (f"{PUBLISHERS}::test_a_host_belongs_to_the_longest_known_one",),
    "P53": (f"{PUBLISHERS}::test_a_host_belongs_to_the_longest_known_one", f"{LINKS}::test_different_articles"),
    "P54": (f"{ENTRIES}::test_nested_media_do_not_touch_the_entry",),
    "P55": (f"{IDENTITY}::test_entries_are_stored_once_over_many_polls",),
    "P56": (f"{IDENTITY}::test_a_policy_that_changes_takes_a_baseline_even_from_a_server_that_says_304",),
    "P57": (f"{ENTRIES}::test_the_language_is_that_of_the_entry",),
    "P58": (
        f"{LATE}::test_robots_that_ask_not_to_are_obeyed",
        f"{LATE}::test_a_page_that_is_not_read_has_its_word",
        f"{FETCH}/test_article.py::test_a_page_that_is_not_read_has_its_word",
    ),
    "P59": (
        f"{HOSTILE}::test_any_bytes_give_a_feed_or_a_reason",
        f"{HOSTILE}::test_any_mutation_of_a_feed_gives_a_feed_or_a_reason",
    ),
    "P60": (
        f"{KINDS}::test_the_same_body_gives_the_same_result",
        f"{KEYS}::test_the_order_of_the_items_does_not_matter",
    ),
}
"""Rows and their tests."""

UNPROVEN: Final[dict[str, str]] = {
    "F63": "WebSub is optional in the plan and is not built: every feed is polled.",
}
"""Rows without a test, and why."""

NOTES: Final[dict[str, str]] = {
    "F4": "A validator that is no UTF-8 is kept and not sent: the writer of headers cannot send it unchanged.",
    "F24": "The plan wants amber from the second failure; the list shows it from the first; neither is told.",
    "F35": "A document that names an address in IPv6 is read as one that names none, so its word is not_a_feed.",
    "F55": "A withdrawal wants two different documents without the entry: the same one again may be an old cache.",
    "F59": "There is no event of its own for a baseline: its events are stored with the state baseline.",
    "F60": "The interval is halved in the decision, but never goes below the floor.",
    "F68": "What is forced obeys the guard unless --force says otherwise; holds are never lifted.",
    "F69": "The page and the feed are fetched by the command; the poller takes over what it fetched.",
    "F77": "A lease taken while the clock was ahead ends at the next start, or when that time has come.",
    "P41": "A new host is known by the paths of its ids as long as identity rests on ids.",
}
"""Where the plan's words and what is built differ a little, and how."""
