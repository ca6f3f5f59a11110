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
    }
}

diesel::table! {
    tokens (id) {
        id -> Text,
        name -> Text,
        secret_hash -> Text,
        role -> Text,
        created_at -> Text,
    }
}

diesel::table! {
    token_units (token_id, unit_code) {
        token_id -> Text,
        unit_code -> Text,
    }
}

diesel::joinable!(fiscal_years -> scoring_schemes (scheme_id));
diesel::joinable!(special_funds -> units (unit_code));
diesel::joinable!(special_funds -> fiscal_years (year));
diesel::joinable!(special_funds -> scoring_schemes (scheme_id));
diesel::joinable!(evaluations -> units (unit_code));
diesel::joinable!(evaluations -> fiscal_years (year));
diesel::joinable!(token_units -> tokens (token_id));
diesel::joinable!(token_units -> units (unit_code));

diesel::allow_tables_to_appear_in_same_query!(
    scoring_schemes,
    units,
    fiscal_years,
    special_funds,
    evaluations,
    tokens,
    token_units,
);
