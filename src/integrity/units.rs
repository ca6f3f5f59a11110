//! Units, and what each filed, submitted and was given in its years.
//!
//! A few units at a time are read, all in one state of the data; what was read is judged by as many threads as there are
//! processors, which parse every document and work out every frozen score again.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::log::Expected;
use super::store::{self, Part as PartOfStanding, Submission};
use super::{Failure, Findings, Kind};
use crate::checks::reasons::Reasons;
use crate::codes::{FiscalYear, UnitCode};
use crate::db::AnyConnection;
use crate::db::changes::Row as Change;
use crate::documents::narrative::Narrative;
use crate::evaluations::model::Row as EvaluationRow;
use crate::evaluations::standings::{Standing, StandingRow, Subject};
use crate::evaluations::store::Part;
use crate::evaluations::submissions::{FrozenScheme, SubmissionDocument};
use crate::evaluations::workflow::{State, SubmissionState, Transition};
use crate::fault::Text;
use crate::scoring::assessment::Assessments;
use crate::scoring::claims::Claims;
use crate::scoring::prior::YearSheet;
use crate::scoring::review::{Review, Tally};
use crate::scoring::scheme::{Scheme, SchemeDocument};
use crate::scoring::sheet::BaseData;
use crate::scoring::{self, Case};
use crate::units::model::{Stored, UnitInput};

/// How many units are read at once: their years hold whole documents.
const PIECE: i64 = 20;

/// The frozen schemes by their digest, compiled.
type Schemes = HashMap<String, Scheme>;

/// All that is stored of a few units.
struct Piece {
    units: Vec<Stored>,
    paths: HashMap<String, String>,
    evaluations: Vec<EvaluationRow>,
    submissions: Vec<Submission>,
    standings: HashMap<(String, i64), StandingRow>,
    parts: Vec<PartOfStanding>,
    last: Vec<Change>,
}

/// Looks at all units; how many there are.
pub(super) fn judge(conn: &mut AnyConnection, findings: &Findings) -> Result<u64, Failure> {
    let schemes = schemes(conn, findings)?;
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (sender, receiver) = sync_channel::<Piece>(threads);
    let receiver = Mutex::new(receiver);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(piece) = next(&receiver) {
                    piece.judge(&schemes, findings);
                }
            });
        }
        let mut count = 0;
        let mut after = String::new();
        loop {
            let piece = read(conn, &after)?;
            let Some(last) = piece.units.last() else { break };
            after.clone_from(&last.row.code);
            count += piece.units.len() as u64;
            if sender.send(piece).is_err() {
                break;
            }
        }
        // So that the threads end.
        drop(sender);
        for code in store::lost_units(conn, super::MOST_ROWS as i64)? {
            Expected::default().compare(store::last_of_units(conn, vec![code])?, findings);
        }
        Ok(count)
    })
}

fn next(receiver: &Mutex<Receiver<Piece>>) -> Option<Piece> {
    receiver.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn read(conn: &mut AnyConnection, after: &str) -> Result<Piece, Failure> {
    let units = store::units_after(conn, after, PIECE)?;
    let codes: Vec<String> = units.iter().map(|unit| unit.code.clone()).collect();
    let above = units.iter().filter_map(|unit| unit.parent_code.clone()).collect();
    let evaluations = store::evaluations(conn, codes.clone())?;
    let years: HashSet<i64> = evaluations.iter().map(|row| row.year).collect();
    let years: Vec<i64> = years.into_iter().collect();
    let standings = store::standings(conn, codes.clone(), years.clone())?;
    Ok(Piece {
        paths: store::paths(conn, above)?.into_iter().collect(),
        submissions: store::submissions(conn, codes.clone())?,
        standings: standings
            .into_iter()
            .map(|row| ((row.unit_code.clone(), row.year), row))
            .collect(),
        parts: store::parts(conn, codes.clone(), years)?,
        last: store::last_of_units(conn, codes)?,
        units: crate::units::store::with_links(conn, units)?,
        evaluations,
    })
}

fn schemes(conn: &mut AnyConnection, findings: &Findings) -> Result<Schemes, Failure> {
    let mut schemes = Schemes::new();
    for (digest, body) in store::frozen_schemes(conn)? {
        let at = format!("/api/v1/frozen-schemes/{digest}");
        if hex::encode(Sha256::digest(body.as_bytes())) != digest {
            let text = Text::fixed(
                "评分标准的内容与其摘要不符。",
                "the scheme's text does not have the digest that it is kept under",
            );
            findings.add(Kind::NotAsSubmitted, at, text);
            continue;
        }
        let compiled = parse::<SchemeDocument>(&body)
            .and_then(|document| Scheme::compile(document).map_err(|faults| format!("{faults:?}")));
        match compiled {
            Ok(scheme) => drop(schemes.insert(digest, scheme)),
            Err(error) => unreadable(findings, at, &error),
        }
    }
    Ok(schemes)
}

/// Reads a stored document by its type.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

pub(super) fn unreadable(findings: &Findings, at: impl Into<String>, error: &str) {
    findings.add(
        Kind::Document,
        at,
        Text::new(
            format!("无法按其类型解读：{error}。"),
            format!("it cannot be read: {error}"),
        ),
    );
}

/// A document as the log would have it; `Null` for what is none, which agrees with nothing.
pub(super) fn value(document: &impl Serialize) -> Value {
    serde_json::to_value(document).unwrap_or(Value::Null)
}

impl Piece {
    fn judge(self, schemes: &Schemes, findings: &Findings) {
        let mut expected = Expected::default();
        for unit in &self.units {
            self.unit(unit, &mut expected, findings);
        }
        for row in &self.evaluations {
            let (Ok(unit), Ok(year)) = (
                UnitCode::try_from(row.unit_code.clone()),
                FiscalYear::try_from(row.year),
            ) else {
                unreadable(
                    findings,
                    format!("evaluations {}/{}", row.unit_code, row.year),
                    "its key is no unit and year",
                );
                continue;
            };
            let year = Year {
                piece: &self,
                row,
                unit,
                year,
                schemes,
                findings,
            };
            year.judge(&mut expected);
        }
        expected.compare(self.last, findings);
    }

    fn unit(&self, unit: &Stored, expected: &mut Expected, findings: &Findings) {
        let row = &unit.row;
        let at = format!("/api/v1/units/{}", row.code);
        let above = match &row.parent_code {
            None => Some("/"),
            Some(parent) => self.paths.get(parent).map(String::as_str),
        };
        // A unit above it that is not there is told as an orphan.
        if above.is_some_and(|above| row.path != format!("{above}{}/", row.code)) {
            let text = Text::new(
                format!("层级路径“{}”与上级单位不符。", row.path),
                format!("its place {:?} is not below the unit above it", row.path),
            );
            findings.add(Kind::Path, &at, text);
        }
        match UnitInput::try_from(unit) {
            Ok(input) => expected.document(at, value(&input)),
            Err(error) => {
                expected.whatever(at.clone());
                unreadable(findings, at, &error);
            }
        }
    }
}

/// A unit's year.
struct Year<'a> {
    piece: &'a Piece,
    row: &'a EvaluationRow,
    unit: UnitCode,
    year: FiscalYear,
    schemes: &'a Schemes,
    findings: &'a Findings,
}

impl Year<'_> {
    fn at(&self, part: &str) -> String {
        format!("/api/v1/units/{}/evaluations/{}{part}", self.unit, self.year)
    }

    fn unreadable(&self, part: &str, error: &str) {
        unreadable(self.findings, self.at(part), error);
    }

    /// The document of a part, and whether it can be read; both as it is stored and as its type writes it.
    fn part<T: DeserializeOwned>(&self, part: Part, expected: &mut Expected) -> Option<T> {
        let text = part.of(Some(self.row)).0?;
        let place = format!("/{}", part.address());
        match serde_json::from_str(text) {
            Ok(document) => expected.document(self.at(&place), document),
            Err(_) => expected.whatever(self.at(&place)),
        }
        match parse(text) {
            Ok(document) => Some(document),
            Err(error) => {
                self.unreadable(&place, &error);
                None
            }
        }
    }

    fn judge(&self, expected: &mut Expected) {
        let filed = Filed {
            base_data: self.part(Part::BaseData, expected),
            assessments: self.part(Part::Assessments, expected),
            claims: self.part(Part::Claims, expected),
            reasons: self.part(Part::Reasons, expected),
            narrative: self.part(Part::Narrative, expected),
        };
        let own = self
            .piece
            .submissions
            .iter()
            .filter(|(unit, year, ..)| *unit == self.row.unit_code && *year == self.row.year);
        let submissions: Vec<&Submission> = own.collect();
        let state = match self.row.state.parse::<State>() {
            Ok(state) => state,
            Err(error) => {
                expected.whatever(self.at(""));
                return self.unreadable("", &error);
            }
        };
        match (state, self.row.submission) {
            (State::Draft, 0) => expected.whatever(self.at("")),
            (state, submission) => expected.members(self.at(""), json!({"state": state, "submission": submission})),
        }
        let reviewed = submissions.iter().rev().find(|(_, _, row, _)| row.review_version > 0);
        match reviewed
            .and_then(|(_, _, row, _)| row.review.as_deref())
            .map(serde_json::from_str)
        {
            Some(Ok(review)) => expected.document(self.at("/review"), review),
            Some(Err(_)) => expected.whatever(self.at("/review")),
            None => {}
        }
        let documents: Vec<Option<SubmissionDocument>> = submissions
            .iter()
            .map(|submission| self.submission(submission))
            .collect();
        let last = submissions.last().map_or(0, |(_, _, row, _)| row.number);
        let became = submissions
            .last()
            .map(|(_, _, row, _)| row.state.parse::<SubmissionState>());
        let fits = match (state, &became) {
            (State::Draft, None) => true,
            (state, Some(Ok(became))) => Transition::leaves(state, *became),
            _ => false,
        };
        if last != self.row.submission || !fits {
            let text = Text::new(
                format!("状态“{}”（第{}次提交）与提交件不符。", state.zh(), self.row.submission),
                format!(
                    "{state} with submission {} does not fit its submissions",
                    self.row.submission
                ),
            );
            self.findings.add(Kind::State, self.at(""), text);
        }
        match (submissions.last(), documents.last()) {
            (Some(submission), Some(Some(document))) if state.counts() => {
                if !filed.is_of(document) {
                    let text = Text::fixed("填报内容与所提交的不一致。", "what is filed is not what was submitted");
                    self.findings.add(Kind::NotAsSubmitted, self.at(""), text);
                }
                self.stands(state, &submission.2, document);
            }
            _ if state.counts() => {}
            _ => self.compare_standing(None),
        }
    }

    /// Reads a submission, and works its scores out again.
    fn submission(&self, (_, _, row, text): &Submission) -> Option<SubmissionDocument> {
        let place = format!("/submissions/{}", row.number);
        let document: SubmissionDocument = match parse(text) {
            Ok(document) => document,
            Err(error) => {
                self.unreadable(&place, &error);
                return None;
            }
        };
        let same = document.unit == self.unit
            && document.year == self.year
            && document.number == row.number
            && document.submitted_at.as_ref() == Some(&row.submitted_at)
            && document.submitted_by.as_ref() == Some(&row.submitted_by)
            && document.scheme.id == row.scheme_id
            && document.scheme.digest == row.scheme_digest;
        if !same {
            let text = Text::fixed(
                "提交件与其登记信息不一致。",
                "the document is not of the submission that it is stored for",
            );
            self.findings.add(Kind::NotAsSubmitted, self.at(&place), text);
        }
        let sheet = YearSheet::new(
            document.base_data.clone().unwrap_or_default(),
            document.prior_base_data.as_ref(),
        );
        let assessments = document.assessments.clone().unwrap_or_default();
        self.score(
            &place,
            &document.scheme,
            &Case::of_year(&sheet, &assessments),
            &Tally::from(&document.score),
        );
        for fund in &document.special_funds {
            let at = format!("{place}#{}", fund.id);
            self.score(
                &at,
                &fund.scheme,
                &Case::of_fund(&fund.table),
                &Tally::from(&fund.score),
            );
        }
        Some(document)
    }

    fn score(&self, place: &str, frozen: &FrozenScheme, case: &Case<'_>, stored: &Tally) {
        let Some(scheme) = self.schemes.get(&frozen.digest) else {
            let text = Text::new(
                format!("没有其评分标准（摘要{}）。", frozen.digest),
                format!("its scheme {} is not kept", frozen.digest),
            );
            return self.findings.add(Kind::Orphan, self.at(place), text);
        };
        self.findings.counted(1);
        let again = Tally::from(&scoring::score(scheme, case));
        if again != *stored {
            let line = again
                .lines
                .iter()
                .zip(&stored.lines)
                .find(|(again, stored)| again != stored);
            let which = line.map_or_else(String::new, |(line, _)| format!(" ({})", line.code));
            let total = |tally: &Tally| tally.total.map_or_else(|| "—".to_owned(), |total| total.to_string());
            let text = Text::new(
                format!("所存得分{}，重新计算为{}{which}。", total(stored), total(&again)),
                format!(
                    "{} is stored, and {} follows from what was submitted{which}",
                    total(stored),
                    total(&again)
                ),
            );
            self.findings.add(Kind::Score, self.at(place), text);
        }
    }

    fn stands(
        &self,
        state: State,
        row: &crate::evaluations::submission_store::SubmissionRow,
        document: &SubmissionDocument,
    ) {
        let place = format!("/submissions/{}", row.number);
        let review: Review = match row.review.as_deref().map(parse).transpose() {
            Ok(review) => review.unwrap_or_default(),
            Err(error) => return self.unreadable(&format!("{place}/review"), &error),
        };
        // One that is not kept was told already.
        let Some(scheme) = self.schemes.get(&row.scheme_digest) else {
            return;
        };
        let own = Tally::from(&document.score);
        let subject = Subject {
            unit: &self.unit,
            unit_kind: &document.unit_kind,
            year: self.year,
            state,
            submission: row.number,
            scheme_id: &row.scheme_id,
        };
        self.compare_standing(Some(Standing::of(subject, &own, &review.apply(&own, scheme), scheme)));
    }

    fn compare_standing(&self, wanted: Option<Standing>) {
        let key = (self.row.unit_code.clone(), self.row.year);
        let stored = self.piece.standings.get(&key);
        let parts = self
            .piece
            .parts
            .iter()
            .filter(|part| part.0 == key.1 && part.1 == key.0);
        let mut stored_parts: Vec<PartOfStanding> = parts.cloned().collect();
        let (row, parts) = wanted.map_or((None, Vec::new()), |standing| (Some(standing.row), standing.parts));
        let mut parts: Vec<PartOfStanding> = parts
            .into_iter()
            .map(|part| {
                (
                    part.year,
                    part.unit_code,
                    part.part.to_owned(),
                    part.code,
                    part.unit_kind,
                    part.name,
                    part.weight,
                    part.points,
                )
            })
            .collect();
        stored_parts.sort();
        parts.sort();
        let text = match (stored, &row) {
            (Some(stored), Some(row)) if stored != row => Text::fixed(
                "排名所用的总分、等级或状态与提交件及复核结果不符。",
                "its total, grade or state in rankings does not follow from the submission and its review",
            ),
            (None, Some(_)) => Text::fixed("排名中没有该单位。", "it is not in the rankings"),
            (Some(_), None) => Text::fixed(
                "未提交或已撤回，却在排名中。",
                "it is in the rankings and should not be",
            ),
            _ if stored_parts != parts => Text::fixed(
                "排名所用的分项得分与提交件及复核结果不符。",
                "its points by section or line in rankings do not follow from the submission and its review",
            ),
            _ => return,
        };
        self.findings.add(Kind::Standing, self.at(""), text);
    }
}

/// The parts of a unit's year.
struct Filed {
    base_data: Option<BaseData>,
    assessments: Option<Assessments>,
    claims: Option<Claims>,
    reasons: Option<Reasons>,
    narrative: Option<Narrative>,
}

impl Filed {
    fn is_of(&self, document: &SubmissionDocument) -> bool {
        self.base_data == document.base_data
            && self.assessments == document.assessments
            && self.claims == document.claims
            && self.reasons == document.reasons
            && self.narrative == document.narrative
    }
}
