//! The forms that people sign, opened again: every figure as it was filed or worked out, every formula worked out once more.

use std::collections::HashMap;
use std::io::Cursor;
use std::process::Command;
use std::sync::Arc;

use calamine::{Reader, Xlsx};
use jixiao::codes::UnitCode;
use jixiao::evaluations::submissions::{FrozenFund, FrozenScheme, SubmissionDocument};
use jixiao::forms::{Schemes, read, workbook};
use jixiao::imports::model::Resource;
use jixiao::scoring::builtin::BUILTINS;
use jixiao::scoring::prior::YearSheet;
use jixiao::scoring::scheme::Scheme;
use jixiao::scoring::sheet::BaseData;
use jixiao::scoring::{Case, score};
use serde_json::{Value, json};

use crate::support::example;
use crate::support::workbook::{Book, Cell, without_results};

fn scheme(id: &str) -> Arc<Scheme> {
    let builtin = BUILTINS.iter().find(|builtin| builtin.id == id).unwrap();
    Arc::new(Scheme::compile(builtin.document().unwrap()).unwrap())
}

fn schemes() -> Schemes {
    ["hunan-2019", "project-2020"]
        .map(|id| (id.to_owned(), scheme(id)))
        .into()
}

fn frozen(id: &str) -> FrozenScheme {
    FrozenScheme {
        id: id.to_owned(),
        name: scheme(id).document.name.to_string(),
        version: 1,
        digest: id.to_owned(),
    }
}

/// A unit's year as it is submitted.
fn document(
    sheet: Value,
    prior: Option<Value>,
    assessments: Value,
    funds: &[(&str, &str, Value)],
) -> SubmissionDocument {
    let base_data: BaseData = serde_json::from_value(sheet).unwrap();
    let prior: Option<BaseData> = prior.map(|prior| serde_json::from_value(prior).unwrap());
    let assessments = serde_json::from_value(assessments).unwrap();
    let sheet = YearSheet::new(base_data.clone(), prior.as_ref());
    let fund = |(id, name, table): &(&str, &str, Value)| {
        let table = serde_json::from_value(table.clone()).unwrap();
        FrozenFund {
            id: (*id).to_owned(),
            name: (*name).to_owned(),
            continues: Some(true),
            scheme: frozen("project-2020"),
            score: score(&scheme("project-2020"), &Case::of_fund(&table)),
            table,
        }
    };
    SubmissionDocument {
        unit: UnitCode::try_from("219001".to_owned()).unwrap(),
        unit_name: "衡山县开云镇人民政府".to_owned(),
        unit_kind: "town".to_owned(),
        year: 2019.try_into().unwrap(),
        number: 1,
        submitted_at: None,
        submitted_by: None,
        scheme: frozen("hunan-2019"),
        score: score(&scheme("hunan-2019"), &Case::of_year(&sheet, &assessments)),
        base_data: Some(base_data),
        prior_base_data: prior,
        assessments: Some(assessments),
        claims: None,
        reasons: None,
        narrative: None,
        special_funds: funds.iter().map(fund).collect(),
        findings: Vec::new(),
    }
}

/// The unit of the seed report: its report gives few figures.
fn seed() -> SubmissionDocument {
    let fund = |name: &str| {
        let mut fund = example(&format!("kaiyun-2019/fund-{name}.json"));
        for key in ["unit", "year", "name"] {
            fund.as_object_mut().unwrap().remove(key);
        }
        fund
    };
    document(
        example("kaiyun-2019/base-data.json"),
        None,
        json!({}),
        &[
            ("community", "社区运行经费", fund("community-running")),
            ("housing", "危房改造资金", fund("dilapidated-housing")),
        ],
    )
}

/// A unit of which all is known; some of it from the year before.
fn complete() -> SubmissionDocument {
    let sheet = json!({
        "staff": {"posts": 100, "in_post": 113},
        "vehicles": {"approved": 4, "actual": 4},
        "three_public": {
            "vehicle_purchase": {"budget": "0", "final": "0"},
            "vehicle_running": {"budget": "12", "final": "9.84"},
            "overseas_travel": {"budget": "0", "final": "0"},
            "reception": {"budget": "22", "final": "25.5"}},
        "project_expenditure": {"special_funds": [{"name": "农村公路养护资金", "budget": "200.5", "final": "189.37"}]},
        "basic_expenditure": {"personnel": {"budget": "1460", "final": "1455.02"}, "public_funds": {"budget": "250", "final": "252.05"}},
        "procurement": {"budget": "30.66", "final": "28.4"},
        "budget": {"carried_in": "19.8", "initial": "2466", "supplementary": "100.5", "carried_out": "181.05"},
        "buildings": {"projects": [
            {"name": "便民服务中心", "approved_area": "1200", "actual_area": "1300", "approved_cost": "300", "actual_cost": "299"},
            {"name": "\"T\"楼", "approved_area": "100", "actual_area": "100.5", "approved_cost": "50.5", "actual_cost": "51"}]}
    });
    let prior = json!({
        "three_public": {
            "vehicle_purchase": {"budget": "0", "final": "0"}, "vehicle_running": {"budget": "12.5", "final": "11.86"},
            "overseas_travel": {"budget": "0", "final": "0"}, "reception": {"budget": "20", "final": "17.22"}},
        "basic_expenditure": {"personnel": {"final": "1401.3"}, "public_funds": {"final": "230.1"}},
        "project_expenditure": {"special_funds": [{"name": "农村公路养护资金", "final": "150"}]}
    });
    let yes = |codes: &[&str]| -> Value { codes.iter().map(|code| ((*code).to_owned(), json!(true))).collect() };
    let assessments = json!({"indicators": {
        "management_system": {"checks": yes(&["finance_rules", "thrift_rules", "lawful_and_complete", "carried_out"])},
        "fund_compliance": {"incidents": 1},
        "disclosure": {"checks": yes(&["content", "deadline", "data_true", "data_complete", "data_accurate"])},
        "key_work": {"achieved": "93.31", "possible": "100"},
        "economic_benefit": {"points": "4.5", "reason": "税收目标完成97%"},
        "social_benefit": {"points": "5", "reason": "目标均已完成"},
        "admin_efficiency": {"rating": "good"},
        "satisfaction": {"achieved": "184", "possible": "200"}
    }});
    let target = |section: &str, name: &str, weight: &str, measure: Value| json!({"section": section, "name": name, "weight": weight, "measure": measure});
    let number = |comparison: &str, target: &str, actual: &str| json!({"kind": "quantity", "comparison": comparison, "target": target, "actual": actual});
    document(
        sheet,
        Some(prior),
        assessments,
        &[(
            "road-2019",
            "农村公路养护资金",
            json!({
                "competent_department": "衡山县交通运输局",
                "funding": {"central_and_provincial": {"adjusted_budget": "120.5", "executed": "110.25"},
                    "county": {"adjusted_budget": "80", "executed": "79.123456"}},
                "goal": {"expected": "=养护", "achieved": "养护84.5公里。"},
                "targets": [
                    target("output", "养护里程", "20", number("at_least", "86", "84.5")),
                    target("output", "每公里养护成本", "15", number("at_most", "2.2", "2.3")),
                    target("benefit", "出行条件改善", "30",
                        json!({"kind": "quality", "expected": "明显改善", "level": "achieved", "share": "95"})),
                    target("output", "按期完成率", "15", number("equal", "100", "99.5")),
                    target("satisfaction", "群众满意度", "10", number("at_least", "90", "96.5")),
                ]
            }),
        )],
    )
}

fn print(document: &SubmissionDocument) -> Vec<u8> {
    workbook(document, &schemes()).unwrap()
}

#[track_caller]
fn figure(cell: Option<&Cell>) -> f64 {
    match cell {
        Some(Cell::Number(number)) => *number,
        Some(Cell::Formula(_, result)) => result.parse().unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Reads a form of a kind again, as an import does.
fn read_back(book: &[u8], resource: Resource) -> Vec<Value> {
    let mut book = Xlsx::new(Cursor::new(book)).unwrap();
    assert!(read::is_forms(&mut book));
    let mut found = Vec::new();
    read::documents(&mut book, resource, &mut |row| {
        found.push(serde_json::from_slice(&row.unwrap().json.unwrap()).unwrap());
        true
    });
    found
}

#[test]
fn what_is_printed_is_read_as_it_was_filed() {
    for document in [seed(), complete()] {
        let book = print(&document);
        let mut sheet = serde_json::to_value(&document.base_data).unwrap();
        sheet["unit"] = json!("219001");
        sheet["year"] = json!(2019);
        pretty_assertions::assert_eq!(read_back(&book, Resource::BaseData), [sheet]);
        let funds = document.special_funds.iter().map(|fund| {
            let mut table = serde_json::to_value(&fund.table).unwrap();
            for (key, value) in [
                ("unit", json!("219001")),
                ("year", json!(2019)),
                ("id", json!(fund.id)),
                ("name", json!(fund.name)),
                ("scheme", json!("project-2020")),
                ("continues", json!(true)),
            ] {
                table[key] = value;
            }
            table
        });
        pretty_assertions::assert_eq!(read_back(&book, Resource::SpecialFunds), funds.collect::<Vec<_>>());
    }
}

/// Each line of 附件1 by its name: its points, `None` where they are open.
fn printed_points(book: &mut Book) -> HashMap<String, Option<f64>> {
    let sheet = book.sheet("附件1");
    let names = sheet.cells.iter().filter(|((row, column), _)| *row > 3 && *column == 2);
    names
        .filter_map(|((row, _), name)| {
            let Cell::Text(name) = name else { return None };
            let points = match sheet.cells.get(&(*row, 8)) {
                Some(Cell::Text(open)) => {
                    assert_eq!(open, "待补");
                    None
                }
                points => Some(figure(points)),
            };
            Some((name.clone(), points))
        })
        .collect()
}

#[test]
fn every_line_has_the_points_of_the_score_and_an_open_one_none() {
    for document in [seed(), complete()] {
        let mut book = Book::open(&print(&document));
        let printed = printed_points(&mut book);
        assert_eq!(printed.len(), document.score.lines.len());
        for line in &document.score.lines {
            let points = line.points.map(|points| points.to_string().parse::<f64>().unwrap());
            assert_eq!(printed[line.name.as_str()], points, "{}", line.name);
        }
    }
}

#[test]
fn the_points_of_the_complete_unit_are_those_worked_out_by_hand() {
    let mut book = Book::open(&print(&complete()));
    let printed = printed_points(&mut book);
    for (name, points) in [
        // 113%: thirteen points above, half a point each, more than the line has.
        ("在职人员控制率", 0.0),
        // (34 − 32.5) / 32.5 = 4.6%: four points above.
        ("三公经费变动率", 3.0),
        // 181.05 of 2586.3 left, 93%: one whole step of five below.
        ("预算完成率", 3.0),
        // 100.5 / 2466 = 4.1%.
        ("预算控制率", 4.0),
        // 1400.5 / 1300 = 107.7%: one step; 350 / 350.5: none.
        ("新建楼堂馆所面积控制率", 3.0),
        ("新建楼堂馆所投资概算控制率", 5.0),
        ("公用经费控制率", 8.0),
        // 35.34 / 34 = 103.9%: three points above.
        ("三公经费控制率", 4.0),
        // 92.6%: one step of five.
        ("政府采购执行率", 4.0),
        ("资金使用合规性", 5.0),
        // 93.31% of 8 is 7.4648.
        ("重点工作实际完成率", 7.46),
        ("社会公众或服务对象满意度", 6.0),
    ] {
        assert_eq!(printed[name], Some(points), "{name}");
    }
    let fund = book.sheet("附件3-1");
    // 189.373456 of 200.5; 84.5/86 of 20; 2.2/2.3 of 15; 95% of 30; 99.5% of 15; all of 10.
    for (address, value) in [
        ("D9", None),
        ("G9", Some(200.5)),
        ("J9", Some(189.373456)),
        ("L19", Some(9.45)),
        ("L20", Some(19.65)),
        ("L21", Some(14.35)),
        ("L22", Some(28.5)),
        ("L23", Some(14.93)),
        ("L24", Some(10.0)),
        ("L25", Some(96.88)),
    ] {
        assert_eq!(fund.get(address).map(|cell| figure(Some(cell))), value, "{address}");
    }
    let sheet = book.sheet("附件2");
    // Totals that were left out, and a figure of the year before, are formulas.
    assert_eq!(
        sheet.get("F19"),
        Some(&Cell::Formula("SUM(F20:F23)".to_owned(), "35.34".to_owned()))
    );
    assert_eq!(
        sheet.get("C23"),
        Some(&Cell::Formula("N(17.22)".to_owned(), "17.22".to_owned()))
    );
    assert_eq!(
        sheet.get("G23"),
        Some(&Cell::Formula("F23-C23".to_owned(), "8.28".to_owned()))
    );
}

/// Has LibreOffice work out all formulas; `None`, after saying so, where there is none. In CI that is a failure.
fn recalculated(book: &[u8]) -> Option<Book> {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("forms.xlsx");
    std::fs::write(&from, without_results(book)).unwrap();
    let done = Command::new("soffice")
        .arg(format!(
            "-env:UserInstallation=file://{}/profile",
            folder.path().display()
        ))
        .args(["--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir"])
        .arg(folder.path().join("out"))
        .arg(&from)
        .output();
    match done {
        Ok(done) => {
            assert!(done.status.success(), "{done:?}");
            Some(Book::open(
                &std::fs::read(folder.path().join("out/forms.xlsx")).unwrap(),
            ))
        }
        Err(error) if std::env::var_os("CI").is_none() => {
            eprintln!("skipped: no LibreOffice to work the formulas out ({error})");
            None
        }
        Err(error) => panic!("soffice: {error}"),
    }
}

#[test]
fn a_spreadsheet_works_out_what_we_did() {
    for (document, least) in [(seed(), 10), (complete(), 80)] {
        let file = print(&document);
        let Some(again) = recalculated(&file) else { return };
        let mut compared = 0;
        for (ours, theirs) in Book::open(&file).0.iter().zip(&again.0) {
            for (at, cell) in &ours.cells {
                let Cell::Formula(formula, result) = cell else { continue };
                let place = format!("{}!{at:?} ={formula}", ours.name);
                let found = theirs.cells.get(at);
                match result.parse::<f64>() {
                    Ok(expected) => {
                        let found = figure(found);
                        assert!(
                            (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
                            "{place}: {found}, {expected}"
                        );
                    }
                    Err(_) => assert!(
                        matches!(found, Some(Cell::Formula(_, text)) if text == result),
                        "{place}: {found:?}"
                    ),
                }
                compared += 1;
            }
        }
        assert!(compared >= least, "{compared}");
    }
}
