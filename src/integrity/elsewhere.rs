//! What belongs to no unit, or may go from one to another: years, schemes, special funds, tokens, webhooks, imports.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::log::Expected;
use super::units::{parse, unreadable, value};
use super::{Failure, Findings, Kind, store};
use crate::db::AnyConnection;
use crate::db::changes::{Action, Head, Resource};
use crate::documents::model::{ReportTemplateInput, TemplateText};
use crate::fault::Text;
use crate::fiscal_years::model::FiscalYearInput;
use crate::http::problem::Problem;
use crate::imports::model::{Import, State};
use crate::scoring::scheme::Scheme;
use crate::tokens::model::{Role, StoredToken};
use crate::webhooks::model::WebhookInput;
use crate::{imports, schemes, special_funds, tokens, webhooks};

/// How many rows are read at once.
const PIECE: i64 = 200;

/// Looks at all of it.
pub(super) fn judge(conn: &mut AnyConnection, findings: &Findings) {
    type Step = fn(&mut AnyConnection, &Findings) -> Result<(), Failure>;
    let steps: [(&str, Step); 8] = [
        ("fiscal_years", years),
        ("report_templates", templates),
        ("scoring_schemes", all_schemes),
        ("special_funds", funds),
        ("tokens", all_tokens),
        ("webhooks", all_webhooks),
        ("imports", all_imports),
        ("changes", lost),
    ];
    for (table, step) in steps {
        findings.step(conn, table, |conn| step(conn, findings));
    }
}

fn compare(conn: &mut AnyConnection, expected: Expected, findings: &Findings) -> Result<(), Failure> {
    let keys = expected.keys().into_iter().map(str::to_owned).collect();
    expected.compare(store::last_elsewhere(conn, keys)?, findings);
    Ok(())
}

/// What the log must say of a row that could be read; one that could not is told, and no more asked of it.
fn expect(expected: &mut Expected, findings: &Findings, at: String, document: Result<Value, String>) {
    match document {
        Ok(document) => expected.document(at, document),
        Err(error) => {
            expected.there(at.clone());
            unreadable(findings, at, &error);
        }
    }
}

fn english(problem: Problem) -> String {
    problem.to_string()
}

fn year_address(year: i64) -> String {
    format!("/api/v1/fiscal-years/{year}")
}

fn template_address(year: i64) -> String {
    format!("/api/v1/fiscal-years/{year}/report-template")
}

fn years(conn: &mut AnyConnection, findings: &Findings) -> Result<(), Failure> {
    let mut expected = Expected::default();
    for row in store::years(conn)? {
        let input = FiscalYearInput::try_from(&row)
            .map(|input| value(&input))
            .map_err(|error| error.to_string());
        expect(&mut expected, findings, year_address(row.year), input);
    }
    compare(conn, expected, findings)
}

fn templates(conn: &mut AnyConnection, findings: &Findings) -> Result<(), Failure> {
    let mut expected = Expected::default();
    for row in store::templates(conn)? {
        let template = TemplateText::try_from(row.template);
        let checked = template.and_then(|text| match crate::documents::template::check(text.as_str()) {
            Ok(()) => Ok(value(&ReportTemplateInput { template: Some(text) })),
            Err(faults) => Err(format!("{faults:?}")),
        });
        expect(&mut expected, findings, template_address(row.year), checked);
    }
    compare(conn, expected, findings)
}

fn all_schemes(conn: &mut AnyConnection, findings: &Findings) -> Result<(), Failure> {
    let mut expected = Expected::default();
    for row in store::schemes(conn)? {
        let read = row.document().map_err(english).and_then(|document| {
            if !row.template {
                Scheme::compile(document).map_err(|faults| format!("{faults:?}"))?;
            }
            parse(&row.body)
        });
        expect(&mut expected, findings, schemes::model::address(&row.id), read);
    }
    compare(conn, expected, findings)
}

fn funds(conn: &mut AnyConnection, findings: &Findings) -> Result<(), Failure> {
    let mut after = String::new();
    loop {
        let rows = store::funds_after(conn, &after, PIECE)?;
        let Some(last) = rows.last() else { return Ok(()) };
        after.clone_from(&last.id);
        let mut expected = Expected::default();
        for row in &rows {
            let input = row.input().map(|input| value(&input)).map_err(english);
            expect(&mut expected, findings, special_funds::model::address(&row.id), input);
        }
        compare(conn, expected, findings)?;
    }
}

fn all_tokens(conn: &mut AnyConnection, findings: &Findings) -> Result<(), Failure> {
    let mut expected = Expected::default();
    for stored in tokens::store::list(conn)? {
        let (row, units) = (stored.row, stored.units);
        let at = tokens::store::address(&row.id);
        if row.role == Role::Unit.as_str() && units.is_empty() {
            let text = Text::fixed(
                "单位令牌未绑定任何单位。",
                "a token of the role unit is bound to no unit",
            );
            findings.add(Kind::Orphan, &at, text);
        }
        let members = json!({
            "name": row.name, "role": row.role, "scopes": row.scopes, "expires_at": row.expires_at, "units": units,
        });
        expected.members(at.clone(), members);
        if let Err(error) = StoredToken::new(row, Vec::new(), stored.last_use.as_ref().map(|(at, _)| at.as_str())) {
            unreadable(findings, at, &error);
        }
    }
    compare(conn, expected, findings)
}

fn all_webhooks(conn: &mut AnyConnection, findings: &Findings) -> Result<(), Failure> {
    let head = Head::load(conn)?;
    let mut expected = Expected::default();
    for row in store::webhooks(conn)? {
        let at = webhooks::store::address(&row.id);
        let state = &row.state;
        if state.position > head.seq || state.delivered.is_some_and(|delivered| delivered > state.position) {
            let text = Text::new(
                format!(
                    "推送位置{}超出审计轨迹末尾{}，或早于已送达的变更。",
                    state.position, head.seq
                ),
                format!(
                    "it stands at {}, which is after the end of the change log, {}, or before what it delivered",
                    state.position, head.seq
                ),
            );
            findings.add(Kind::Webhook, &at, text);
        }
        match WebhookInput::try_from(&row) {
            Ok(input) => expected.members(at, value(&input)),
            Err(error) => {
                expected.there(at.clone());
                unreadable(findings, at, &error);
            }
        }
    }
    compare(conn, expected, findings)
}

fn all_imports(conn: &mut AnyConnection, findings: &Findings) -> Result<(), Failure> {
    let mut after = String::new();
    loop {
        let rows = store::imports_after(conn, &after, PIECE)?;
        let Some(last) = rows.last() else { return Ok(()) };
        after.clone_from(&last.id);
        let ids = rows.iter().map(|row| row.id.clone()).collect();
        let faults: HashMap<String, i64> = store::import_faults(conn, ids)?.into_iter().collect();
        let mut expected = Expected::default();
        for row in rows {
            let at = imports::model::address(&row.id);
            let stored = faults.get(&row.id).copied().unwrap_or(0);
            let state = row.state.parse::<State>();
            if let Err(error) = &state {
                unreadable(findings, &at, error);
            }
            let ended = matches!(state, Ok(State::Done | State::Refused));
            if ended && stored != row.faults {
                let text = Text::new(
                    format!("登记{}处错误，实存{stored}处。", row.faults),
                    format!("it says {} faults and has {stored}", row.faults),
                );
                findings.add(Kind::Import, &at, text);
            }
            if !ended {
                // What goes on is not in the log until it ends.
                expected.there(at);
                continue;
            }
            let import = Import::new(row, Vec::new());
            let members = json!({
                "state": import.state, "counts": import.counts, "digest": import.digest, "position": import.position,
            });
            expected.members(at, members);
        }
        compare(conn, expected, findings)?;
    }
}

/// What the log says is there, and is not.
fn lost(conn: &mut AnyConnection, findings: &Findings) -> Result<(), Failure> {
    let years = store::years(conn)?.into_iter().map(|row| year_address(row.year));
    let templates = store::templates(conn)?
        .into_iter()
        .map(|row| template_address(row.year));
    let yearly: HashSet<String> = years.chain(templates).collect();
    let mut after = String::new();
    loop {
        let keys = store::keys_elsewhere(conn, &after, PIECE)?;
        let Some(last) = keys.last() else { return Ok(()) };
        after.clone_from(last);
        let mut there: HashMap<Resource, Vec<String>> = HashMap::new();
        let mut found = Expected::default();
        let stored: Vec<_> = store::last_elsewhere(conn, keys)?
            .into_iter()
            .filter(|row| row.action != Action::Deleted.as_str())
            .collect();
        for row in &stored {
            let id = row.key.rsplit('/').next().unwrap_or_default().to_owned();
            match Resource::ALL.iter().find(|resource| resource.as_str() == row.resource) {
                Some(resource) if KEYED.contains(resource) => there.entry(*resource).or_default().push(id),
                _ if yearly.contains(&row.key) => found.whatever(row.key.clone()),
                _ => {}
            }
        }
        for (resource, ids) in there {
            for id in store::existing(conn, resource, ids)? {
                found.whatever(address(resource, &id));
            }
        }
        found.compare(stored, findings);
    }
}

/// What is addressed by an id of its own.
const KEYED: [Resource; 5] = [
    Resource::SpecialFund,
    Resource::ScoringScheme,
    Resource::Import,
    Resource::Webhook,
    Resource::Token,
];

fn address(resource: Resource, id: &str) -> String {
    match resource {
        Resource::SpecialFund => special_funds::model::address(id),
        Resource::ScoringScheme => schemes::model::address(id),
        Resource::Import => imports::model::address(id),
        Resource::Webhook => webhooks::store::address(id),
        _ => tokens::store::address(id),
    }
}
