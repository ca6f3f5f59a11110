//! Takes a file through its import: rows are read on a thread of their own, and stored in transactions of some hundred or
//! thousand, or in one.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Seek, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::web::Data;
use calamine::{Reader, Xlsx};
use encoding_rs::Encoding;
use tokio::sync::mpsc;

use super::fault::{RowFault, dotted};
use super::file::{Format, Spooled};
use super::kinds::{AssessmentForms, BaseDataSheets, Bulk, By, SpecialFunds, Units};
use super::model::{self, Counts, Mode, Resource, Row, State, address};
use super::read::columns::Columns;
use super::read::encoding::Transcoded;
use super::read::table::{Table, csv_rows};
use super::read::{Names, ReadRow, ndjson, xlsx};
use super::store;
use super::typed::{self, Key};
use crate::db::changes::{self, Action, Change};
use crate::db::{Db, Origin, Saved, Tx};
use crate::fault::Fault;
use crate::forms;
use crate::http::auth::Principal;
use crate::http::contract::Contract;
use crate::http::problem::Problem;
use crate::schemes::library::Library;
use crate::telemetry::metrics::{Held, METRICS};

/// The imports that this process works on, by id.
#[derive(Debug, Default)]
pub struct Running(Mutex<HashMap<String, Arc<Progress>>>);

/// How far an import is that this process works on.
#[derive(Debug, Default)]
pub struct Progress {
    now: Mutex<(i64, Counts)>,
    read: Arc<AtomicU64>,
}

impl Progress {
    fn set(&self, position: i64, counts: Counts) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, before) = std::mem::replace(&mut *now, (position, counts));
        drop(now);
        for (outcome, is, was) in [
            ("created", counts.created, before.created),
            ("replaced", counts.replaced, before.replaced),
            ("unchanged", counts.unchanged, before.unchanged),
            ("rejected", counts.rejected, before.rejected),
        ] {
            // PostgreSQL may have a transaction begin again, and with it its counts.
            let more = u64::try_from(is - was).unwrap_or_default();
            METRICS.import_rows.with_label_values(&[outcome]).inc_by(more);
        }
    }

    /// From where an import goes on: what was done before is not counted again.
    fn resume(&self, position: i64, counts: Counts) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = (position, counts);
    }

    /// The number of the last row that was worked on, and how many became what.
    pub fn get(&self) -> (i64, Counts) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// How far the import of that id is; `None` if this process does not work on it.
    pub fn progress(&self, id: &str) -> Option<Arc<Progress>> {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.get(id).cloned()
    }

    /// Notes that this process works on the import of that id, until what is returned is dropped; `None` if it does
    /// already.
    pub fn begin(self: &Arc<Self>, id: &str) -> Option<Begun> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if running.contains_key(id) {
            return None;
        }
        let progress = Arc::new(Progress::default());
        running.insert(id.to_owned(), progress.clone());
        Some(Begun {
            id: id.to_owned(),
            all: self.clone(),
            progress,
            _running: Held::new(&METRICS.imports_running),
        })
    }
}

/// An import that this process works on.
#[derive(Debug)]
pub struct Begun {
    id: String,
    all: Arc<Running>,
    progress: Arc<Progress>,
    _running: Held,
}

impl Drop for Begun {
    fn drop(&mut self) {
        let mut running = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(&self.id);
    }
}

/// A file and what is to become of it.
pub struct Job {
    /// The import as it is stored.
    pub row: Row,
    /// The format of the file.
    pub format: Format,
    /// The encoding of the file, where it is a text.
    pub encoding: &'static Encoding,
    /// What becomes of it where rows are at fault.
    pub mode: Mode,
    /// The file.
    pub file: Spooled,
    /// Who imports.
    pub principal: Principal,
    /// Who is written down for what changes.
    pub origin: Origin,
    /// That this process works on it.
    pub begun: Begun,
    /// The schemas that rows are judged by.
    pub contract: Data<Contract>,
    /// The schemes that rows are judged by.
    pub library: Data<Library>,
    /// The database.
    pub db: Data<Db>,
}

/// Works on an import until its end, or until something fails; then the same file goes on where it stopped.
///
/// # Errors
/// 409 if another process took it over, and those of the database.
pub async fn run(job: Job) -> Result<(), Problem> {
    match job.row.resource.parse().map_err(Problem::internal)? {
        Resource::Units => run_kind::<Units>(job).await,
        Resource::BaseData => run_kind::<BaseDataSheets>(job).await,
        Resource::SpecialFunds => run_kind::<SpecialFunds>(job).await,
        Resource::Assessments => run_kind::<AssessmentForms>(job).await,
    }
}

async fn run_kind<B: Bulk>(job: Job) -> Result<(), Problem> {
    let job = Arc::new(job);
    if job.mode == Mode::All || job.row.dry_run {
        return at_once::<B>(&job).await;
    }
    let (mut position, mut counts) = (job.row.position, job.row.counts());
    job.begun.progress.resume(position, counts);
    let mut batches = read::<B>(&job, position);
    let mut state = State::Done;
    while let Some(batch) = batches.recv().await {
        let batch = Arc::new(batch);
        let (work, before) = (job.clone(), counts);
        let write = {
            let batch = batch.clone();
            job.db.write(job.origin.clone(), move |tx| {
                let (more, faults) = apply::<B>(tx, &work, &batch)?;
                store::add_faults(tx, &work.row.id, before.faults, &faults)?;
                let mut counts = before;
                counts += more;
                store::advance(tx, work.at(), batch.last, counts, State::Running)?;
                Ok(counts)
            })
        };
        counts = write.await?;
        position = batch.last;
        job.begun.progress.set(position, counts);
        if batch.ends && counts.created + counts.replaced + counts.unchanged == 0 {
            state = State::Refused;
        }
    }
    let work = job.clone();
    job.db
        .write(job.origin.clone(), move |tx| work.finish(tx, position, counts, state))
        .await
}

/// All rows in one transaction, which stays only if it is meant to and no row is at fault.
async fn at_once<B: Bulk>(job: &Arc<Job>) -> Result<(), Problem> {
    let failed = |error: io::Error| Problem::of_file("faults cannot be kept", &error);
    // A row's fault outlives the transaction that is undone for it. There can be as many as rows.
    let kept = Arc::new(Mutex::new(tempfile::tempfile_in(job.db.folder()).map_err(failed)?));
    let outcome: Arc<Mutex<Option<(i64, Counts)>>> = Arc::default();
    let (work, keep, note) = (job.clone(), kept.clone(), outcome.clone());
    let written = job
        .db
        .write(job.origin.clone(), move |tx| {
            let mut kept = keep.lock().unwrap_or_else(PoisonError::into_inner);
            // This may be run again.
            kept.rewind().map_err(failed)?;
            kept.set_len(0).map_err(failed)?;
            let (mut position, mut counts) = (0, Counts::default());
            let mut batches = read::<B>(&work, 0);
            while let Some(batch) = batches.blocking_recv() {
                let (more, faults) = apply::<B>(tx, &work, &batch)?;
                for fault in &faults {
                    serde_json::to_writer(&*kept, fault).map_err(|error| failed(error.into()))?;
                    kept.write_all(b"\n").map_err(failed)?;
                }
                counts += more;
                position = batch.last;
                work.begun.progress.set(position, counts);
            }
            *note.lock().unwrap_or_else(PoisonError::into_inner) = Some((position, counts));
            if counts.faults > 0 || work.row.dry_run {
                return Err(Problem::internal("an import is undone"));
            }
            work.finish(tx, position, counts, State::Done)
        })
        .await;
    let outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some((position, counts)) = outcome else {
        return written;
    };
    if written.is_ok() || (counts.faults == 0 && !job.row.dry_run) {
        return written;
    }
    let mut kept = {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.rewind().map_err(failed)?;
        BufReader::new(kept.try_clone().map_err(failed)?).lines()
    };
    let work = job.clone();
    job.db
        .write(job.origin.clone(), move |tx| {
            Ok(store::forget_faults(tx, &work.row.id)?)
        })
        .await?;
    let mut stored = 0;
    loop {
        let lines: Vec<String> = kept.by_ref().take(1000).collect::<Result<_, _>>().map_err(failed)?;
        if lines.is_empty() {
            break;
        }
        let (work, before) = (job.clone(), stored);
        stored += lines.len() as i64;
        job.db
            .write(job.origin.clone(), move |tx| {
                Ok(store::add_fault_texts(tx, &work.row.id, before, &lines)?)
            })
            .await?;
    }
    let state = match job.mode {
        Mode::All if counts.faults > 0 => State::Refused,
        _ => State::Done,
    };
    let work = job.clone();
    job.db
        .write(job.origin.clone(), move |tx| work.finish(tx, position, counts, state))
        .await
}

impl Job {
    fn at(&self) -> (&str, &str) {
        (&self.row.id, &self.row.runner)
    }

    fn finish(&self, tx: &mut Tx<'_>, position: i64, counts: Counts, state: State) -> Result<(), Problem> {
        store::advance(tx, self.at(), position, counts, state)?;
        let row = store::find(tx, &self.row.id)?.ok_or_else(|| Problem::internal("an import is gone"))?;
        let import = model::Import::new(row, Vec::new());
        let change = Change::done(
            Action::Updated,
            changes::Resource::Import,
            address(&self.row.id),
            &import,
        )?;
        tx.record(change)
    }
}

/// Rows of a file that are stored together.
struct Batch<B: Bulk> {
    rows: Vec<Numbered<B>>,
    /// The number of the last of them.
    last: i64,
    /// Whether the file cannot be read beyond it.
    ends: bool,
}

/// A row, or what is wrong with it.
struct Numbered<B: Bulk> {
    number: u64,
    read: Result<(B::Key, B::Input), Vec<RowFault>>,
    /// How the file names the places of the row.
    names: Option<Names>,
}

/// Reads the rows after number `position` on a thread of its own, a batch or two ahead.
fn read<B: Bulk>(job: &Arc<Job>, position: i64) -> mpsc::Receiver<Batch<B>> {
    let (sender, receiver) = mpsc::channel(2);
    let job = job.clone();
    std::thread::spawn(move || {
        let mut last = position;
        let read = catch_unwind(AssertUnwindSafe(|| send_batches(&job, &mut last, &sender)));
        if read.is_err() {
            // Else the file would seem to end here.
            let fault = RowFault::unreadable(last as u64 + 1, "its reader failed");
            let row = Numbered {
                number: fault.row,
                read: Err(vec![fault]),
                names: None,
            };
            let _ = sender.blocking_send(Batch {
                rows: vec![row],
                last,
                ends: true,
            });
        }
    });
    receiver
}

/// How many faults a batch holds before it is stored, however few its rows: one row can have a thousand.
const MOST_FAULTS: usize = 10_000;

/// Reads the rows after number `last`, which moves on, and sends them in batches.
fn send_batches<B: Bulk>(job: &Arc<Job>, last: &mut i64, sender: &mpsc::Sender<Batch<B>>) {
    let mut batch = Vec::new();
    let mut faults = 0;
    let position = *last;
    // Stops when nobody wants more.
    let mut take = |row: ReadRow| {
        let ends = row.is_err();
        let (number, read, names) = match row {
            Ok(row) if row.number as i64 <= position => return true,
            Ok(row) => {
                let typed = |json: Vec<u8>| typed_row::<B>(row.number, &json, &job.contract, row.names.as_ref());
                (row.number, row.json.and_then(typed), row.names)
            }
            Err(faults) => (faults.first().map_or(1, |fault| fault.row), Err(faults), None),
        };
        *last = (*last).max(number as i64);
        faults += read.as_ref().err().map_or(0, Vec::len);
        batch.push(Numbered { number, read, names });
        if batch.len() < B::BATCH && faults < MOST_FAULTS && !ends {
            return true;
        }
        faults = 0;
        let rows = std::mem::take(&mut batch);
        let batch = Batch {
            rows,
            last: *last,
            ends,
        };
        sender.blocking_send(batch).is_ok() && !ends
    };
    let goes_on = read_rows(
        || job.file.open(job.begun.progress.read.clone()),
        (job.format, job.encoding),
        (B::RESOURCE, || {
            Arc::new(columns_of(B::RESOURCE, job.contract.clone().into_inner()))
        }),
        &mut take,
    );
    if goes_on && !batch.is_empty() {
        let _ = sender.blocking_send(Batch {
            rows: batch,
            last: *last,
            ends: false,
        });
    }
}

/// Hands every row of a file to `take`, while it wants more; whether it still does at the end. `open` opens the file at its
/// beginning, perhaps twice; `columns` makes those of the resource, which only tables need.
pub fn read_rows<R: BufRead + Seek + Send>(
    open: impl Fn() -> io::Result<R>,
    (format, encoding): (Format, &'static Encoding),
    (resource, columns): (Resource, impl FnOnce() -> Arc<Columns>),
    take: &mut dyn FnMut(ReadRow) -> bool,
) -> bool {
    let file = match open() {
        Ok(file) => file,
        Err(error) => return take(Err(vec![RowFault::unreadable(1, &error.to_string())])),
    };
    match format {
        Format::Ndjson => ndjson::Lines::new(file).all(take),
        Format::Csv => Table::new(csv_rows(Transcoded::new(file, encoding)), columns()).all(take),
        Format::Xlsx => {
            let checked = xlsx::check_parts(file).map_err(|error| error.to_string());
            let opened = checked.and_then(|small| {
                let book = Xlsx::new(open().map_err(|error| error.to_string())?);
                Ok((small, book.map_err(|error| error.to_string())?))
            });
            let (small, mut book) = match opened {
                Ok(book) => book,
                Err(error) => return take(Err(vec![RowFault::unreadable(1, &error)])),
            };
            let has_forms = small && matches!(resource, Resource::BaseData | Resource::SpecialFunds);
            if has_forms && forms::read::is_forms(&mut book) {
                return forms::read::documents(&mut book, resource, take);
            }
            // Its reader can only be asked for the next cell, while a table asks for the next row.
            let (sender, rows) = std::sync::mpsc::sync_channel(64);
            std::thread::scope(|scope| {
                scope.spawn(move || xlsx::rows(book, |row| sender.send(row).is_ok()));
                Table::new(rows.into_iter(), columns()).all(take)
            })
        }
    }
}

/// The columns of the tables of a resource.
pub fn columns_of(resource: Resource, contract: Arc<Contract>) -> Columns {
    fn of<B: Bulk>(contract: Arc<Contract>) -> Columns {
        Columns::new(contract, &<B::Input as utoipa::ToSchema>::name(), B::Key::FIELDS)
    }
    match resource {
        Resource::Units => of::<Units>(contract),
        Resource::BaseData => of::<BaseDataSheets>(contract),
        Resource::SpecialFunds => of::<SpecialFunds>(contract),
        Resource::Assessments => of::<AssessmentForms>(contract),
    }
}

/// The key and the input that row `number` of a file is in JSON, or every fault of it under the names that the file has for
/// its places.
///
/// # Errors
/// Those faults.
pub fn typed_row<B: Bulk>(
    number: u64,
    json: &[u8],
    contract: &Contract,
    names: Option<&Names>,
) -> Result<(B::Key, B::Input), Vec<RowFault>> {
    typed::read::<B::Key, B::Input>(json, contract).map_err(|faults| {
        let document = serde_json::from_slice(json).ok();
        row_faults(number, faults, document.as_ref(), names)
    })
}

fn row_faults(
    number: u64,
    faults: Vec<Fault>,
    document: Option<&serde_json::Value>,
    names: Option<&Names>,
) -> Vec<RowFault> {
    let place = |pointer: &str| {
        let path = dotted(pointer);
        let mut above = Some(path.as_str());
        // A fault within a cell that holds a list is of that cell.
        while let Some(path) = above {
            if let Some(place) = names.and_then(|names| names.get(path)) {
                return (place.row.unwrap_or(number), place.name.clone());
            }
            above = path.rsplit_once('.').map(|(above, _)| above);
        }
        (number, path)
    };
    let faults = faults.into_iter();
    faults.map(|fault| RowFault::new(fault, document, &place)).collect()
}

/// Stores a batch: how many rows became what, and what is wrong with those at fault, in their order.
fn apply<B: Bulk>(tx: &mut Tx<'_>, job: &Job, batch: &Batch<B>) -> Result<(Counts, Vec<RowFault>), Problem> {
    let by = By {
        principal: &job.principal,
        library: &job.library,
    };
    let good: Vec<(&B::Key, &B::Input)> = batch
        .rows
        .iter()
        .filter_map(|row| row.read.as_ref().ok())
        .map(|(key, input)| (key, input))
        .collect();
    let mut outcomes = B::store(tx, &by, &good)?.into_iter();
    let mut counts = Counts::default();
    let mut faults = Vec::new();
    for row in &batch.rows {
        let own = match &row.read {
            Err(own) => own.clone(),
            Ok((key, input)) => match outcomes.next() {
                Some(Ok(saved)) => {
                    match saved {
                        Saved::Created => counts.created += 1,
                        Saved::Replaced => counts.replaced += 1,
                        Saved::Unchanged => counts.unchanged += 1,
                    }
                    continue;
                }
                Some(Err(problem)) => {
                    let document = typed::document(key, input).ok();
                    row_faults(row.number, problem.into_faults(), document.as_ref(), row.names.as_ref())
                }
                None => return Err(Problem::internal("a row has no outcome")),
            },
        };
        counts.rejected += 1;
        counts.faults += own.len() as i64;
        faults.extend(own);
    }
    Ok((counts, faults))
}
