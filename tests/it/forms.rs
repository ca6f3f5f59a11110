//! The forms as workbooks, there and back.

use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::{Client, Response};
use crate::support::workbook::{Book, Cell, Sheet, without_results};
use crate::support::TestApp;

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const YEAR: &str = "/api/v1/units/219001/evaluations/2019";
const FUND: &str = "/api/v1/special-funds/road-2019";

fn import(client: &Client, query: &str, file: &[u8]) -> Response {
    client
        .with("Content-Type", XLSX)
        .send("POST", &format!("/api/v1/imports?{query}"), Some(file))
}

fn form(client: &Client, form: &str) -> Book {
    Book::open(&client.get(&format!("{YEAR}/forms/{form}")).expect(200).body)
}

/// A sheet with a figure in every corner of the form.
fn sheet() -> Value {
    json!({
        "staff": {"posts": 143, "in_post": 136, "retired": 41, "organs": 9, "subordinate_units": 3,
            "running_cost_staff": {"prior": 130, "current": 136}},
        "vehicles": {"approved": 4, "actual": 4},
        "three_public": {
            "vehicle_purchase": {"prior_final": "0", "prior_budget": "0", "budget": "0", "final": "0"},
            "vehicle_running": {"prior_final": "11.86", "prior_budget": "12.5", "budget": "12", "final": "9.84"},
            "overseas_travel": {"prior_final": "0", "prior_budget": "0", "budget": "0", "final": "0"},
            "reception": {"prior_final": "17.22", "prior_budget": "24", "budget": "22", "final": "14.99", "change": "-2.23"},
            "reception_batches": {"prior": 74, "current": 65}},
        "project_expenditure": {
            "special_funds": [{"name": "危房改造资金", "budget": "326", "final": "326"}, {"name": "=1+1", "final": "118.4"}],
            "total": {"prior_final": "790.4", "budget": "856", "final": "852.25"}},
        "basic_expenditure": {
            "personnel": {"prior_final": "1401.3", "budget": "1460", "final": "1455.02"},
            "public_funds": {"prior_final": "230.1", "budget": "250", "final": "252.05"},
            "total": {"budget": "1710.000001"}},
        "procurement": {"budget": "30.66", "final": "28.4"},
        "budget": {"carried_in": "19.8", "initial": "2466", "supplementary": "-100.5", "carried_out": "27.18"},
        "buildings": {"none": false, "projects": [{"name": "便民服务中心", "approved_area": "1200", "actual_area": "1216.5",
            "approved_cost": "300", "actual_cost": "310.25"}]},
        "thrift": " 一、压缩会议\n二、=厉行节约"
    })
}

/// A fund with targets of each kind.
fn fund() -> Value {
    json!({
        "unit": "219001", "year": 2019, "name": "农村公路养护资金", "scheme": "project-2020", "continues": true,
        "competent_department": "衡山县交通运输局", "implementing_unit": "开云镇人民政府",
        "funding": {"total": {"initial_budget": "200"},
            "central_and_provincial": {"adjusted_budget": "120.5", "executed": "110.25"},
            "county": {"adjusted_budget": "80", "executed": "79.123456"}},
        "goal": {"expected": "养护农村公路86公里。\n按季考核。", "achieved": "养护84.5公里。"},
        "targets": [
            {"section": "output", "group": "数量指标", "name": "养护里程", "weight": "20",
                "measure": {"kind": "quantity", "comparison": "at_least", "target": "86", "actual": "84.5", "unit": "公里"},
                "covers": {"from": 2018, "to": 2019}, "deviation": "雨季延误。"},
            {"section": "benefit", "group": "社会效益指标", "name": "出行条件", "weight": "30",
                "measure": {"kind": "quality", "expected": "明显改善", "achieved": "基本改善", "level": "achieved", "share": "95"}},
            {"section": "output", "name": "每公里成本", "weight": "15.5",
                "measure": {"kind": "quantity", "comparison": "at_most", "target": "2.2", "actual": "2.3", "unit": "万元"}}]
    })
}

/// A unit that has filed both.
fn filed(app: &TestApp) -> Client {
    let bureau = app.with_kaiyun();
    bureau.put(&format!("{YEAR}/base-data"), &sheet()).expect(201);
    bureau.put(FUND, &fund()).expect(201);
    bureau
}

/// Their tags: what was not changed keeps its own.
fn tags(client: &Client) -> [String; 2] {
    [&format!("{YEAR}/base-data"), FUND].map(|path| client.get(path).expect(200).etag())
}

fn unchanged(response: Response) {
    let counts = response.expect(201).json()["counts"].clone();
    assert_eq!((&counts["unchanged"], &counts["faults"]), (&json!(1), &json!(0)), "{counts}");
}

/// What is changed in the form of a unit that has filed both, of which resource it is, and every fault that is named: cell,
/// what was read, code and wording.
type Damage = (&'static str, &'static str, fn(&mut Book), &'static [(&'static str, Option<&'static str>, &'static str, &'static str)]);

fn base(book: &mut Book) -> &mut Sheet {
    book.sheet("附件2")
}

fn first(book: &mut Book) -> &mut Sheet {
    book.sheet("附件3-1")
}

fn put(address: &'static str, cell: impl Into<Cell>) -> impl FnOnce(&mut Sheet) {
    let cell = cell.into();
    move |sheet| {
        sheet.set(address, cell);
    }
}

const BASE: &str = "base_data";
const FUNDS: &str = "special_funds";

#[rustfmt::skip]
const GALLERY: &[Damage] = &[
    ("a number in words", BASE, |book| put("F7", "壹佰四十三")(base(book)),
        &[("附件2!F7", Some("壹佰四十三"), "not_a_number", "读到“壹佰四十三”，应为数字（人）。")]),
    ("about so many", BASE, |book| put("F43", "约1455")(base(book)),
        &[("附件2!F43", Some("约1455"), "not_a_number", "读到“约1455”，应为数字（万元）。")]),
    ("commas that part no thousands", BASE, |book| put("F43", "14,55.02")(base(book)),
        &[("附件2!F43", Some("14,55.02"), "not_a_number", "读到“14,55.02”，应为数字（万元）。")]),
    ("a dash for nothing", BASE, |book| put("F23", "—")(base(book)),
        &[("附件2!F23", Some("—"), "not_a_number", "读到“—”，应为数字（万元）。")]),
    ("a word for nothing", BASE, |book| put("F22", "无")(base(book)),
        &[("附件2!F22", Some("无"), "not_a_number", "读到“无”，应为数字（万元）。")]),
    ("a percentage", BASE, |book| put("F43", "95%")(base(book)),
        &[("附件2!F43", Some("95%"), "not_a_number", "读到“95%”，应为数字（万元）。")]),
    ("a bookkeeper's negative", BASE, |book| put("F55", "(100.5)")(base(book)),
        &[("附件2!F55", Some("(100.5)"), "not_a_number", "读到“(100.5)”，应为数字（万元）。")]),
    ("a negative amount", BASE, |book| put("F43", -1.0)(base(book)),
        &[("附件2!F43", Some("-1"), "invalid_value", "应为不小于0的金额（万元，最多6位小数），收到的是“-1”。")]),
    ("half a person", BASE, |book| put("F8", 136.5)(base(book)),
        &[("附件2!F8", Some("136.5"), "invalid_value", "应为不小于0的整数，收到的是“136.5”。")]),
    ("seven decimals", BASE, |book| put("F43", "0.1234567")(base(book)),
        &[("附件2!F43", Some("0.1234567"), "invalid_value", "应为不小于0的金额（万元，最多6位小数），收到的是“0.1234567”。")]),
    ("less than 0.01 yuan", BASE, |book| put("F43", "0.001元")(base(book)),
        &[("附件2!F43", Some("0.001元"), "invalid_value", "应为不小于0的金额（万元，最多6位小数），收到的是“0.0000001”。")]),
    ("vehicles in yuan", BASE, |book| put("F16", "4元")(base(book)),
        &[("附件2!F16", Some("4元"), "not_a_number", "读到“4元”，应为数字（辆）。")]),
    ("an error for a result", BASE, |book| put("F43", Cell::Formula("1/0".to_owned(), "#DIV/0!".to_owned()))(base(book)),
        &[("附件2!F43", Some("#DIV/0!"), "not_a_number", "读到“#DIV/0!”，应为数字（万元）。")]),
    ("a date for a figure", BASE, |book| put("F43", Cell::Date(43_466.0))(base(book)),
        &[("附件2!F43", Some("43466"), "not_a_number", "读到“43466”，应为数字（万元）。")]),
    ("a figure where the form has none", BASE, |book| put("D43", 5.0)(base(book)),
        &[("附件2!D43", Some("5"), "unexpected_figure", "读到“5”，该行没有此栏，应为空。")]),
    ("a figure beyond the form", BASE, |book| put("I43", 5.0)(base(book)),
        &[("附件2!I43", Some("5"), "unknown_column", "读到“5”，但该列不在表头所列各栏之内，应为空。")]),
    ("a row that is misspelt", BASE, |book| put("A43", "人员经弗")(base(book)),
        &[("附件2!A43", Some("人员经弗"), "unknown_row", "读到项目“人员经弗”，表中没有此项；是否为“人员经费”？")]),
    ("a row that stands twice", BASE, |book| put("A44", "人员经费")(base(book)),
        &[("附件2!A44", Some("人员经费"), "duplicate_row", "“人员经费”已在第43行填报，应只填一行。")]),
    ("a column that stands twice", BASE, |book| put("E5", "上年决算数")(base(book)),
        &[("附件2!E5", Some("上年决算数"), "duplicate_column", "“上年决算数”列出现了两次，应只有一列。")]),
    ("no heading", BASE, |book| { for cell in ["C5", "D5", "E5", "F5", "G5", "C59", "D59", "E59", "F59"] { base(book).clear(cell); } },
        &[("附件2!A1", None, "missing_form_heading", "未找到表头，应有一行为：上年决算数、上年预算数、本年预算数、本年决算数、比上年增减。")]),
    ("no unit", BASE, |book| { base(book).clear("E4"); },
        &[("附件2!D4", None, "missing_field", "缺少必填项“unit”。")]),
    ("a unit that is not there", BASE, |book| put("E4", "999")(base(book)),
        &[("附件2", None, "not-found", "单位999不存在。")]),
    ("a year in characters", BASE, |book| put("G4", "二〇一九")(base(book)),
        &[("附件2!G4", Some("二〇一九"), "wrong_type", "类型应为整数，收到的是\"二〇一九\"。")]),
    ("a year that is not set up", BASE, |book| put("G4", 2018.0)(base(book)),
        &[("附件2", None, "not-found", "2018年度尚未设置。")]),
    ("two units of money", BASE, |book| put("C3", "金额单位：元")(base(book)),
        &[("附件2!C20", Some("0"), "conflicting_units", "读到“0”，但表中同时标有元和万元，无法确定单位。")]),
    ("figures without a name", BASE, |book| put("F35", 3.0)(base(book)),
        &[("附件2!A35", None, "missing_name", "有金额而无名称，应填写名称。")]),
    ("neither yes nor no", BASE, |book| put("B58", "没有")(base(book)),
        &[("附件2!B58", Some("没有"), "not_yes_or_no", "读到“没有”，应为“是”或“否”。")]),
    ("a sheet that is no form", BASE, |book| {
        let mut other = base(book).clone();
        other.cells = [((0, 0), Cell::from("收入")), ((1, 0), Cell::from(5.0))].into();
        other.merges.clear();
        other.name = "Sheet2".to_owned();
        book.0.push(other);
    }, &[("Sheet2", None, "unknown_sheet", "工作表“Sheet2”不是附件1、附件2或附件3，无法确定其内容。")]),
    ("nothing filled in", BASE, |book| {
        let kept = |row: u32, column: u32| (row < 5 || column < 2 && !(30..40).contains(&row) && !(57..66).contains(&row)).then_some((row, column));
        base(book).moved(kept);
    }, &[("附件2", None, "empty_form", "工作表“附件2”未填写任何内容。")]),
    ("the other form", BASE, |book| { let sheet = base(book); sheet.set("A2", "县级专项资金绩效目标自评表"); },
        &[("", None, "missing_form", "工作簿中没有附件2。")]),
    ("a target of no kind", FUNDS, |book| { first(book).clear("D19"); },
        &[("附件3-1!D19", None, "unknown_kind", "读到“空”，应为“定量”或“定性”。")]),
    ("a comparison that is none", FUNDS, |book| put("E19", "约")(first(book)),
        &[("附件3-1!E19", Some("约"), "not_one_of", "应为 at_least、at_most、equal 之一。")]),
    ("a number without its target", FUNDS, |book| { first(book).clear("F19"); },
        &[("附件3-1!F19", None, "missing_field", "缺少必填项“target”。")]),
    ("a target in words for a number", FUNDS, |book| put("F19", "八十六公里")(first(book)),
        &[("附件3-1!F19", Some("八十六公里"), "not_a_number", "读到“八十六公里”，应为数字。")]),
    ("full marks in words", FUNDS, |book| put("K19", "二十")(first(book)),
        &[("附件3-1!K19", Some("二十"), "not_a_number", "读到“二十”，应为数字。")]),
    ("a share above all", FUNDS, |book| put("J20", 120.0)(first(book)),
        &[("附件3-1!J20", Some("120"), "invalid_value", "应为0至100的百分数（最多6位小数），收到的是“120”。")]),
    ("a level that is none", FUNDS, |book| put("I20", "较好")(first(book)),
        &[("附件3-1!I20", Some("较好"), "not_one_of", "应为 achieved、partly、not_achieved 之一。")]),
    ("a unit for a goal in words", FUNDS, |book| put("G20", "公里")(first(book)),
        &[("附件3-1!G20", Some("公里"), "unexpected_value", "读到“公里”，定性指标没有此栏，应为空。")]),
    ("years in words", FUNDS, |book| put("M19", "去年")(first(book)),
        &[("附件3-1!M19", Some("去年"), "not_a_year", "读到“去年”，应为年度，如2019或2018—2019。")]),
    ("a section that is not there", FUNDS, |book| put("A19", "成果指标")(first(book)),
        &[("附件3-1!A19", Some("成果指标"), "pattern", "")]),
    ("a target without a name", FUNDS, |book| { first(book).clear("C19"); },
        &[("附件3-1!C19", None, "missing_field", "缺少必填项“name”。")]),
    ("a fund without an id", FUNDS, |book| { first(book).clear("I4"); },
        &[("附件3-1!G4", None, "missing_field", "缺少必填项“id”。")]),
    ("money from elsewhere", FUNDS, |book| put("A14", "乡级资金")(first(book)),
        &[("附件3-1!A14", Some("乡级资金"), "unknown_row", "读到资金来源“乡级资金”，表中没有此项。")]),
    ("no heading of the targets", FUNDS, |book| { for column in "ABCDEFGHIJKLMN".chars() { first(book).clear(&format!("{column}18")); } },
        &[("附件3-1!A1", None, "missing_form_heading", "未找到绩效指标的表头，应有一行为：一级指标、二级指标、三级指标、年度指标值……")]),
    ("a column of the targets that stands twice", FUNDS, |book| put("L18", "分值")(first(book)),
        &[("附件3-1!L18", Some("分值"), "duplicate_column", "“分值”列出现了两次，应只有一列。")]),
];

both_engines! {
    fn a_damaged_form_is_refused_with_the_cell_and_changes_nothing(app) {
        let bureau = filed(app);
        let before = tags(&bureau);
        assert!(GALLERY.len() >= 30);
        for (what, resource, damage, expected) in GALLERY {
            let mut book = form(&bureau, if *resource == BASE { "base-data" } else { "special-funds" });
            damage(&mut book);
            let problem = import(&bureau, &format!("resource={resource}"), &book.save()).problem(422, "import-refused");
            let told: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|fault| (
                fault["column"].as_str().unwrap_or(""),
                fault["value"].as_str(),
                fault["code"].as_str().unwrap(),
                fault["detail_zh"].as_str().unwrap(),
            )).collect();
            if told != *expected { println!("== {what}: {:?}", &told[..told.len().min(3)]); }
            assert_eq!(tags(&bureau), before, "{what}");
        }
    }

    fn a_form_that_was_not_touched_imports_unchanged(app) {
        let bureau = filed(app);
        for (name, resource) in [("base-data", BASE), ("special-funds", FUNDS)] {
            let file = bureau.get(&format!("{YEAR}/forms/{name}")).expect(200);
            unchanged(import(&bureau, &format!("resource={resource}"), &file.body));
            unchanged(import(&bureau, &format!("resource={resource}"), &form(&bureau, name).save()));
        }
    }
}

#[allow(dead_code)]
fn later() { let _ = without_results(&[]); }
