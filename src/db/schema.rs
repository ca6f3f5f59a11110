//! The tables as diesel sees them, written by hand: one definition for both engines.
#![expect(missing_docs, reason = "the tables are described in migrations/")]

diesel::table! {
    scoring_schemes (id) {
        id -> Text,
        name -> Text,
        body -> Text,
        builtin -> Bool,
        template -> Bool,
        version -> BigInt,
        created_at -> Text,
        updated_at -> Text,
    }
}

diesel::table! {
    units (code) {
        code -> Text,
        name -> Text,
        kind -> Text,
        parent_code -> Nullable<Text>,
        path -> Text,
        uscc -> Nullable<Text>,
        division_code -> Nullable<Text>,
        version -> BigInt,
        created_at -> Text,
        updated_at -> Text,
        valid_from -> Nullable<BigInt>,
        valid_to -> Nullable<BigInt>,
    }
}

diesel::table! {
    unit_predecessors (unit_code, predecessor_code) {
        unit_code -> Text,
        predecessor_code -> Text,
    }
}

diesel::table! {
    fiscal_years (year) {
        year -> BigInt,
        notice_number -> Nullable<Text>,
        opens_on -> Nullable<Text>,
        closes_on -> Nullable<Text>,
        scheme_id -> Text,
        status -> Text,
        version -> BigInt,
        created_at -> Text,
        updated_at -> Text,
    }
}

diesel::table! {
    special_funds (id) {
        id -> Text,
        unit_code -> Text,
        year -> BigInt,
        name -> Text,
        scheme_id -> Text,
        body -> Text,
        version -> BigInt,
        created_at -> Text,
        updated_at -> Text,
        continues -> Bool,
    }
}

diesel::table! {
    evaluations (unit_code, year) {
        unit_code -> Text,
        year -> BigInt,
        state -> Text,
        base_data -> Nullable<Text>,
        base_data_version -> BigInt,
        assessments -> Nullable<Text>,
        assessments_version -> BigInt,
        created_at -> Text,
        updated_at -> Text,
        claims -> Nullable<Text>,
        claims_version -> BigInt,
        reasons -> Nullable<Text>,
        reasons_version -> BigInt,
        submission -> BigInt,
        narrative -> Nullable<Text>,
        narrative_version -> BigInt,
    }
}

diesel::table! {
    frozen_schemes (digest) {
        digest -> Text,
        body -> Text,
    }
}

diesel::table! {
    submissions (unit_code, year, number) {
        unit_code -> Text,
        year -> BigInt,
        number -> BigInt,
        state -> Text,
        submitted_at -> Text,
        submitted_by -> Text,
        scheme_id -> Text,
        scheme_digest -> Text,
        review -> Nullable<Text>,
        review_version -> BigInt,
        updated_at -> Text,
        document -> Text,
    }
}

diesel::table! {
    evaluation_events (unit_code, year, number) {
        unit_code -> Text,
        year -> BigInt,
        number -> BigInt,
        at -> Text,
        action -> Text,
        from_state -> Text,
        to_state -> Text,
        submission -> BigInt,
        token_id -> Nullable<Text>,
        actor -> Text,
        role -> Text,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    standings (year, unit_code) {
        year -> BigInt,
        unit_code -> Text,
        unit_kind -> Text,
        state -> Text,
        submission -> BigInt,
        scheme_id -> Text,
        grade -> Nullable<Text>,
        points -> Nullable<BigInt>,
        self_points -> Nullable<BigInt>,
        low -> BigInt,
        high -> BigInt,
    }
}

diesel::table! {
    standing_parts (year, unit_code, part, code) {
        year -> BigInt,
        unit_code -> Text,
        part -> Text,
        code -> Text,
        unit_kind -> Text,
        name -> Text,
        weight -> BigInt,
        points -> Nullable<BigInt>,
    }
}

diesel::table! {
    tokens (id) {
        id -> Text,
        name -> Text,
        secret_hash -> Text,
        role -> Text,
        created_at -> Text,
        scopes -> Nullable<Text>,
        expires_at -> Nullable<Text>,
        previous_hash -> Nullable<Text>,
        previous_until -> Nullable<Text>,
        version -> BigInt,
        updated_at -> Text,
    }
}

diesel::table! {
    token_uses (token_id) {
        token_id -> Text,
        at -> Text,
        address -> Nullable<Text>,
    }
}

diesel::table! {
    token_units (token_id, unit_code) {
        token_id -> Text,
        unit_code -> Text,
    }
}

diesel::table! {
    changes (seq) {
        seq -> BigInt,
        at -> Text,
        actor -> Nullable<Text>,
        actor_name -> Text,
        role -> Text,
        request_id -> Nullable<Text>,
        address -> Nullable<Text>,
        action -> Text,
        resource -> Text,
        key -> Text,
        unit_code -> Nullable<Text>,
        year -> Nullable<BigInt>,
        after -> Nullable<Text>,
        hash -> Text,
        traceparent -> Nullable<Text>,
    }
}

diesel::table! {
    change_head (id) {
        id -> BigInt,
        seq -> BigInt,
        hash -> Text,
    }
}

diesel::table! {
    imports (id) {
        id -> Text,
        resource -> Text,
        format -> Text,
        mode -> Text,
        dry_run -> Bool,
        state -> Text,
        digest -> Text,
        size -> BigInt,
        runner -> Text,
        position -> BigInt,
        rows_created -> BigInt,
        rows_replaced -> BigInt,
        rows_unchanged -> BigInt,
        rows_rejected -> BigInt,
        faults -> BigInt,
        token_id -> Nullable<Text>,
        actor -> Text,
        started_at -> Text,
        updated_at -> Text,
        finished_at -> Nullable<Text>,
    }
}

diesel::table! {
    import_faults (import_id, number) {
        import_id -> Text,
        number -> BigInt,
        body -> Text,
    }
}

diesel::table! {
    idempotency_keys (actor, key) {
        actor -> Text,
        key -> Text,
        fingerprint -> Text,
        at -> Text,
        status -> BigInt,
        etag -> Nullable<Text>,
        location -> Nullable<Text>,
        body -> Nullable<Text>,
    }
}

diesel::table! {
    webhooks (id) {
        id -> Text,
        url -> Text,
        description -> Nullable<Text>,
        unit_code -> Nullable<Text>,
        year -> Nullable<BigInt>,
        types -> Nullable<Text>,
        enabled -> Bool,
        secret -> Text,
        previous_secret -> Nullable<Text>,
        previous_until -> Nullable<Text>,
        version -> BigInt,
        created_at -> Text,
        updated_at -> Text,
        position -> BigInt,
        delivered -> Nullable<BigInt>,
        delivered_at -> Nullable<Text>,
        attempts -> BigInt,
        failing_since -> Nullable<Text>,
        next_attempt_at -> Nullable<Text>,
        attempted_at -> Nullable<Text>,
        last_status -> Nullable<BigInt>,
        last_answer -> Nullable<Text>,
        claimed_by -> Nullable<Text>,
        claimed_until -> Nullable<Text>,
    }
}

diesel::table! {
    webhook_dead_letters (webhook_id, number) {
        webhook_id -> Text,
        number -> BigInt,
        attempts -> BigInt,
        last_status -> Nullable<BigInt>,
        last_answer -> Text,
        died_at -> Text,
        queued -> Bool,
    }
}

diesel::table! {
    report_templates (year) {
        year -> BigInt,
        template -> Text,
        version -> BigInt,
        created_at -> Text,
        updated_at -> Text,
    }
}

diesel::joinable!(fiscal_years -> scoring_schemes (scheme_id));
diesel::joinable!(report_templates -> fiscal_years (year));
diesel::joinable!(special_funds -> units (unit_code));
diesel::joinable!(special_funds -> fiscal_years (year));
diesel::joinable!(special_funds -> scoring_schemes (scheme_id));
diesel::joinable!(evaluations -> units (unit_code));
diesel::joinable!(evaluations -> fiscal_years (year));
diesel::joinable!(submissions -> frozen_schemes (scheme_digest));
diesel::joinable!(standings -> units (unit_code));
diesel::joinable!(standing_parts -> units (unit_code));
diesel::joinable!(token_units -> tokens (token_id));
diesel::joinable!(token_uses -> tokens (token_id));
diesel::joinable!(token_units -> units (unit_code));

diesel::allow_columns_to_appear_in_same_group_by_clause!(units::kind, evaluations::state);

diesel::allow_tables_to_appear_in_same_query!(
    scoring_schemes,
    units,
    fiscal_years,
    special_funds,
    evaluations,
    tokens,
    token_units,
    token_uses,
    unit_predecessors,
    frozen_schemes,
    submissions,
    evaluation_events,
    standings,
    standing_parts,
    changes,
    webhook_dead_letters,
    report_templates,
);
