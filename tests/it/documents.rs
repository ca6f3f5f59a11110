//! The self-evaluation report as a document.

use jixiao::codes::{FiscalYear, UnitCode};
use jixiao::documents::{docx, figures, pdf, template};
use jixiao::evaluations::filing::Filing;
use jixiao::evaluations::store;
use jixiao::evaluations::submissions::{FrozenFund, FrozenScheme, SubmissionDocument};
use jixiao::schemes::library::Library;
use serde_json::json;

use crate::both_engines;
use crate::support::{example, load_example};

both_engines! {
    fn look(app) {
        let bureau = app.bureau();
        load_example(&bureau, "kaiyun-2019");
        let document = app.write(|tx| {
            let library = Library::default();
            let (unit, year) = (UnitCode::try_from("219001".to_owned()).unwrap(), FiscalYear::try_from(2019).unwrap());
            let context = store::context(tx, &unit, year)?.unwrap();
            let compiled = library.in_force(tx, &context.scheme_id.clone().try_into().unwrap(), context.scheme_edition.clone())?;
            let filing = Filing::load(tx, &library, &compiled, (&unit, year), &context)?;
            let scheme = FrozenScheme { id: "hunan-2019".into(), name: compiled.scheme.document.name.to_string(), version: 1, digest: String::new() };
            let findings = filing.findings();
            Ok(SubmissionDocument {
                unit, unit_name: context.unit_name.clone(), unit_kind: "town".into(), year, number: 1, submitted_at: "2020-03-31T01:00:00Z".into(),
                submitted_by: "x".into(), scheme: scheme.clone(), base_data: Some(filing.sheet.into_own()), prior_base_data: filing.prior,
                assessments: Some(filing.assessments), claims: filing.claims, reasons: None, narrative: filing.narrative,
                special_funds: filing.funds.into_iter().map(|fund| FrozenFund { id: fund.id, name: fund.name, scheme: scheme.clone(), table: fund.table, score: fund.score }).collect(),
                score: filing.score, findings,
            })
        });
        let named = figures::of(&document, Some("山财绩〔2020〕176号"));
        let manuscript = template::write(template::BUILT_IN, &named).unwrap();
        let begin = std::time::Instant::now();
        let bytes = pdf::pdf(&manuscript, None).unwrap();
        eprintln!("pdf {} bytes {:?}", bytes.len(), begin.elapsed());
        std::fs::write("/tmp/h2f/out.pdf", bytes).unwrap();
        std::fs::write("/tmp/h2f/out.docx", docx::docx(&manuscript).unwrap()).unwrap();
        let _ = json!({});
    }
}
