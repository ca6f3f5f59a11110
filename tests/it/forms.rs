//! The forms as workbooks, there and back.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::both_engines;
use crate::support::TestApp;
use crate::support::client::{Client, Response};
use crate::support::workbook::{Book, Cell, Sheet, without_results};

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
    assert_eq!(
        (&counts["unchanged"], &counts["faults"]),
        (&json!(1), &json!(0)),
        "{counts}"
    );
}

/// What offices do to a form.
type Change = (&'static str, fn(&mut Sheet));

/// What is changed in the form of a unit that has filed both, of which resource it is, and every fault that is named: cell,
/// what was read, code and wording.
type Damage = (
    &'static str,
    &'static str,
    fn(&mut Book),
    &'static [(&'static str, Option<&'static str>, &'static str, &'static str)],
);

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
        let kept = |row: u32, column: u32| (row < 5 || column < 2 && !(30..40).contains(&row) && !(57..67).contains(&row)).then_some((row, column));
        base(book).moved(kept);
    }, &[("附件2", None, "empty_form", "工作表“附件2”未填写任何内容。")]),
    ("the other form", BASE, |book| { let sheet = base(book); sheet.set("A2", "县级专项资金绩效目标自评表"); },
        &[("", None, "missing_form", "工作簿中没有附件2。")]),
    ("a target of no kind", FUNDS, |book| { first(book).clear("D19"); },
        &[("附件3-1!D19", None, "unknown_kind", "读到“空”，应为“定量”或“定性”。")]),
    ("a comparison that is none", FUNDS, |book| put("E19", "约")(first(book)),
        &[("附件3-1!E19", Some("约"), "not_in_list", "读到“约”，应为≥、≤、=之一。")]),
    ("a number without its target", FUNDS, |book| { first(book).clear("F19"); },
        &[("附件3-1!F19", None, "missing_field", "缺少必填项“target”。")]),
    ("a target in words for a number", FUNDS, |book| put("F19", "八十六公里")(first(book)),
        &[("附件3-1!F19", Some("八十六公里"), "not_a_number", "读到“八十六公里”，应为数字。")]),
    ("percent of kilometres", FUNDS, |book| put("H19", Cell::Percent(0.95))(first(book)),
        &[("附件3-1!H19", Some("95%"), "not_a_number", "读到“95%”，应为数字，不要带百分号或百分比格式（百分数请填单位%）。")]),
    ("money in percent", BASE, |book| put("F43", Cell::Percent(0.95))(base(book)),
        &[("附件2!F43", Some("95%"), "not_a_number", "读到“95%”，应为数字（万元）。")]),
    ("full marks in words", FUNDS, |book| put("K19", "二十")(first(book)),
        &[("附件3-1!K19", Some("二十"), "not_a_number", "读到“二十”，应为数字。")]),
    ("a share above all", FUNDS, |book| put("J20", 120.0)(first(book)),
        &[("附件3-1!J20", Some("120"), "invalid_value", "应为0至100的百分数（最多6位小数），收到的是“120”。")]),
    ("a level that is none", FUNDS, |book| put("I20", "较好")(first(book)),
        &[("附件3-1!I20", Some("较好"), "not_in_list", "读到“较好”，应为达成预期指标、部分达成预期指标并具有一定效果、未达成预期指标且效果较差之一。")]),
    ("a unit for a goal in words", FUNDS, |book| put("G20", "公里")(first(book)),
        &[("附件3-1!G20", Some("公里"), "unexpected_value", "读到“公里”，定性指标没有此栏，应为空。")]),
    ("years in words", FUNDS, |book| put("M19", "去年")(first(book)),
        &[("附件3-1!M19", Some("去年"), "not_a_year", "读到“去年”，应为年度，如2019或2018—2019。")]),
    ("a section that is not there", FUNDS, |book| put("A19", "成果指标")(first(book)),
        &[("附件3-1!A19", Some("成果指标"), "not_in_list", "读到“成果指标”，应为产出指标、效益指标、满意度指标之一。")]),
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
            let answer = import(&bureau, &format!("resource={resource}"), &book.save());
            assert_eq!(answer.status, 422, "{what}");
            let problem = answer.problem(422, "import-refused");
            let told: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|fault| (
                fault["column"].as_str().unwrap_or(""),
                fault["value"].as_str(),
                fault["code"].as_str().unwrap(),
                fault["detail_zh"].as_str().unwrap(),
            )).collect();
            assert_eq!(told, *expected, "{what}");
            assert_eq!(tags(&bureau), before, "{what}");
        }
    }

    fn a_formula_that_was_never_worked_out_is_no_figure(app) {
        let bureau = filed(app);
        let mut book = form(&bureau, "base-data");
        book.sheet("附件2").set("F43", Cell::Formula("1400+55.02".to_owned(), "1455.02".to_owned()));
        unchanged(import(&bureau, "resource=base_data", &book.save()));
        let problem = import(&bureau, "resource=base_data", &without_results(&book.save())).problem(422, "import-refused");
        let fault = &problem["errors"][0];
        assert_eq!((&fault["column"], &fault["row"], &fault["code"]), (&json!("附件2!F43"), &json!(43), &json!("formula_without_result")));
        assert_eq!(fault["detail_zh"], "公式“1400+55.02”没有计算结果，应为数字。");
        assert_eq!(problem["errors"].as_array().unwrap().len(), 1);
    }

    fn a_formula_of_the_units_own_is_read_and_the_forms_own_is_not(app) {
        let bureau = filed(app);
        let formula = |text: &str, result: &str| Cell::Formula(text.to_owned(), result.to_owned());
        let mut book = form(&bureau, "base-data");
        // What the form itself comes with, written as an office would, states nothing.
        base(&mut book).set("F42", formula("SUM($F$43:$F$44)", "1")).set("G43", formula("F43-C43", "1"));
        unchanged(import(&bureau, "resource=base_data", &book.save()));
        base(&mut book)
            .set("C42", formula("C43+C44", "1631.4"))
            .set("F42", formula("SUM(F43:F44)+12.5", "1719.57"))
            .set("E19", formula("SUM(E20:E22)", "12"))
            .set("G43", formula("F43-C43+1", "54.72"));
        let counts = import(&bureau, "resource=base_data", &book.save()).expect(201).json()["counts"].clone();
        assert_eq!(counts["replaced"], 1, "{counts}");
        let stored = bureau.get(&format!("{YEAR}/base-data")).expect(200).json();
        let basic = &stored["basic_expenditure"];
        assert_eq!(basic["total"], json!({"prior_final": "1631.4", "budget": "1710.000001", "final": "1719.57"}));
        assert_eq!(basic["personnel"]["change"], "54.72");
        assert_eq!(stored["three_public"]["total"], json!({"budget": "12"}), "{stored}");
        let mut book = form(&bureau, "special-funds");
        first(&mut book).set("G9", formula("SUM(G12:G15)", "1")).set("J9", formula("SUM(J12:J15)", "2"));
        unchanged(import(&bureau, "resource=special_funds", &book.save()));
        first(&mut book).set("G9", formula("G12+G14+1", "201.5")).set("J9", formula("SUM(J12:J14)", "189.373456"));
        let counts = import(&bureau, "resource=special_funds", &book.save()).expect(201).json()["counts"].clone();
        assert_eq!(counts["replaced"], 1, "{counts}");
        let total = bureau.get(FUND).expect(200).json()["funding"]["total"].clone();
        assert_eq!(total, json!({"initial_budget": "200", "adjusted_budget": "201.5", "executed": "189.373456"}));
    }

    fn percent_are_read_as_a_cell_shows_them(app) {
        let bureau = filed(app);
        let mut book = form(&bureau, "special-funds");
        first(&mut book)
            .set("F19", Cell::Percent(0.9))
            .set("G19", "％")
            .set("H19", Cell::Percent(0.955))
            .set("J20", Cell::Percent(0.8));
        import(&bureau, "resource=special_funds", &book.save()).expect(201);
        let read = |path: &str| bureau.get(FUND).expect(200).json().pointer(path).cloned();
        assert_eq!(read("/targets/0/measure/target"), Some(json!("90")));
        assert_eq!(read("/targets/0/measure/actual"), Some(json!("95.5")));
        assert_eq!(read("/targets/1/measure/share"), Some(json!("80")));
        // What is shown as 0.5 is half a percent.
        first(&mut book)
            .set("F19", 0.5)
            .set("H19", "0.4%").set("I20", "未达成预期指标且效果较差").set("J20", 0.5);
        import(&bureau, "resource=special_funds", &book.save()).expect(201);
        assert_eq!(read("/targets/0/measure/target"), Some(json!("0.5")));
        assert_eq!(read("/targets/0/measure/actual"), Some(json!("0.4")));
        assert_eq!(read("/targets/1/measure/share"), Some(json!("0.5")));
        let file = bureau.get(&format!("{YEAR}/forms/special-funds")).expect(200).body;
        unchanged(import(&bureau, "resource=special_funds", &file));
    }

    fn a_form_that_is_blown_up_is_refused(app) {
        let bureau = filed(app);
        let mut book = form(&bureau, "base-data");
        let page = base(&mut book);
        for column in 10..1_010 {
            page.cells.insert((4, column), "上年决算数".into());
        }
        for row in 100..120 {
            page.cells.insert((row, 0), "人员经费".into());
            for column in 2_000..2_500 {
                page.cells.insert((row, column), 5.0.into());
            }
        }
        page.merges.extend((200..2_200).map(|row| ((row, 0), (row, 9))));
        let problem = import(&bureau, "resource=base_data", &book.save()).problem(422, "import-refused");
        assert_eq!(problem["errors"][0]["code"], "duplicate_column");
        // More spread than any form.
        let mut book = form(&bureau, "base-data");
        let page = base(&mut book);
        page.set("A80", "注").cells.insert((4_000, 100), "注".into());
        page.merges.push(((79, 0), (4_000, 99)));
        let problem = import(&bureau, "resource=base_data", &book.save()).problem(422, "import-refused");
        assert_eq!(problem["errors"][0]["code"], "sheet_too_large");
        // More sheets than are read.
        let mut book = form(&bureau, "base-data");
        let more = (0..500).map(|n| Sheet { name: format!("{n}"), cells: [].into(), merges: Vec::new() });
        book.0.extend(more.collect::<Vec<_>>());
        let count = book.0.len();
        let problem = import(&bureau, "resource=base_data", &book.save()).problem(422, "import-refused");
        let fault = &problem["errors"][0];
        assert_eq!(fault["code"], "too_many_sheets");
        assert_eq!(fault["detail_zh"], format!("工作簿有{count}张工作表，最多可读取500张，请分成几个文件导入。"));
    }

    fn a_workbook_that_is_cut_off_is_refused(app) {
        let bureau = filed(app);
        let file = form(&bureau, "base-data").save();
        let problem = import(&bureau, "resource=base_data", &file[..file.len() / 2]).problem(422, "import-refused");
        assert_eq!(problem["errors"][0]["code"], "unreadable");
    }

    fn a_form_that_was_not_touched_imports_unchanged(app) {
        let bureau = filed(app);
        for (name, resource) in [("base-data", BASE), ("special-funds", FUNDS)] {
            let file = bureau.get(&format!("{YEAR}/forms/{name}")).expect(200);
            unchanged(import(&bureau, &format!("resource={resource}"), &file.body));
            unchanged(import(&bureau, &format!("resource={resource}"), &form(&bureau, name).save()));
        }
    }

    fn an_empty_form_filled_in_cell_by_cell_files_the_same_as_a_put(app) {
        let bureau = app.with_kaiyun();
        let mut book = form(&bureau, "base-data");
        let page = base(&mut book);
        for (address, cell) in [
            ("F7", Cell::from(143.0)), ("F8", 136.0.into()), ("F9", 41.0.into()), ("F10", 9.0.into()), ("F11", 3.0.into()),
            ("C14", 130.0.into()), ("F14", 136.0.into()), ("F16", 4.0.into()), ("F17", 4.0.into()),
            ("C20", 0.0.into()), ("D20", 0.0.into()), ("E20", 0.0.into()), ("F20", 0.0.into()),
            ("C21", 11.86.into()), ("D21", 12.5.into()), ("E21", 12.0.into()), ("F21", 9.84.into()),
            ("C22", 0.0.into()), ("D22", 0.0.into()), ("E22", 0.0.into()), ("F22", 0.0.into()),
            ("C23", 17.22.into()), ("D23", 24.0.into()), ("E23", 22.0.into()), ("F23", 14.99.into()), ("G23", (-2.23).into()),
            ("C24", 74.0.into()), ("F24", 65.0.into()),
            ("C27", 790.4.into()), ("E27", 856.0.into()), ("F27", 852.25.into()),
            ("A31", "危房改造资金".into()), ("E31", 326.0.into()), ("F31", 326.0.into()), ("A33", "=1+1".into()), ("F33", 118.4.into()),
            // Ten rows for funds.
            ("E42", 1710.000001.into()),
            ("C43", 1401.3.into()), ("E43", 1460.0.into()), ("F43", 1455.02.into()),
            ("C44", 230.1.into()), ("E44", 250.0.into()), ("F44", 252.05.into()),
            ("E51", 30.66.into()), ("F51", 28.4.into()),
            ("F53", 19.8.into()), ("F54", 2466.0.into()), ("F55", (-100.5).into()), ("F56", 27.18.into()),
            ("B58", "否".into()),
            ("A60", "便民服务中心".into()), ("C60", 1200.0.into()), ("D60", 1216.5.into()), ("E60", 300.0.into()), ("F60", 310.25.into()),
            ("B66", " 一、压缩会议\n二、=厉行节约".into()),
        ] {
            page.set(address, cell);
        }
        let counts = import(&bureau, "resource=base_data", &book.save()).expect(201).json()["counts"].clone();
        assert_eq!(counts["created"], 1, "{counts}");
        pretty_assertions::assert_eq!(bureau.get(&format!("{YEAR}/base-data")).expect(200).json(), sheet());
        // And a trial changes nothing.
        let before = bureau.get(&format!("{YEAR}/base-data")).etag();
        base(&mut book).set("F7", 150.0);
        let trial = import(&bureau, "resource=base_data&dry_run=true", &book.save()).expect(201).json();
        assert_eq!(trial["counts"]["replaced"], 1);
        assert_eq!(bureau.get(&format!("{YEAR}/base-data")).etag(), before);
    }

    fn an_empty_form_of_a_fund_filled_in_and_copied_files_two_funds(app) {
        let bureau = app.with_kaiyun();
        let mut book = form(&bureau, "special-funds");
        let page = first(&mut book);
        for (address, cell) in [
            ("B4", Cell::from("农村公路养护资金")), ("I4", "road-2019".into()),
            ("B5", "衡山县交通运输局".into()), ("I5", "开云镇人民政府".into()), ("B7", "是".into()),
            ("D9", 200.0.into()), ("G12", 120.5.into()), ("J12", 110.25.into()), ("G14", 80.0.into()), ("J14", "79.123456".into()),
            ("C16", "养护农村公路86公里。\n按季考核。".into()), ("C17", "养护84.5公里。".into()),
            ("A19", "产出指标".into()), ("B19", "数量指标".into()), ("C19", "养护里程".into()), ("D19", "定量".into()), ("E19", "≥".into()),
            ("F19", 86.0.into()), ("G19", "公里".into()), ("H19", 84.5.into()), ("K19", 20.0.into()), ("M19", "2018—2019".into()),
            ("N19", "雨季延误。".into()),
            ("A20", "效益指标".into()), ("B20", "社会效益指标".into()), ("C20", "出行条件".into()), ("D20", "定性".into()),
            ("F20", "明显改善".into()), ("H20", "基本改善".into()), ("I20", "达成预期指标".into()), ("J20", 95.0.into()), ("K20", 30.0.into()),
            // An empty row between, and a target that says its comparison and unit in the cell.
            ("A22", "产出指标".into()), ("C22", "每公里成本".into()), ("D22", "定量".into()), ("F22", "≤ 2.2 万元".into()),
            ("G22", "万元".into()), ("H22", "2.3万元".into()), ("K22", "１５．５".into()),
        ] {
            page.set(address, cell);
        }
        let mut copy = page.clone();
        copy.name = "第二个".to_owned();
        copy.set("B4", "危房改造资金").set("I4", "housing-2019");
        book.0.push(copy);
        let counts = import(&bureau, "resource=special_funds", &book.save()).expect(201).json()["counts"].clone();
        assert_eq!(counts["created"], 2, "{counts}");
        let mut stored = bureau.get(FUND).expect(200).json();
        let expected = fund();
        stored.as_object_mut().unwrap().retain(|name, _| expected.get(name).is_some());
        pretty_assertions::assert_eq!(stored, expected);
        assert_eq!(bureau.get("/api/v1/special-funds/housing-2019").expect(200).json()["name"], "危房改造资金");
    }

    fn what_offices_do_to_a_form_does_not_change_what_it_says(app) {
        let bureau = filed(app);
        let changes: [Change; 9] = [
            ("empty rows and columns put in", |page| page.moved(|row, column| Some((row * 2 + 3, column + 2)))),
            ("columns in another order", |page| page.moved(|row, column| Some((row, match column { 2 if row > 3 => 5, 5 if row > 3 => 2, other => other })))),
            ("no title and no marks", |page| page.moved(|row, column| (row > 2).then_some((row, column)))),
            ("figures as texts", |page| {
                page.set("F43", " 1,455.02 ").set("E43", "１，４６０").set("C43", "1 401.3 万元").set("F7", "143人").set("F55", "-100.50");
            }),
            ("yuan that are marked", |page| {
                page.set("F43", "14550200元").set("E43", "￥14,600,000.00元");
            }),
            ("a whole column in yuan", |page| {
                // The unit column said 万元 of every row.
                let rows: Vec<_> = page.cells.keys().filter(|(row, column)| *column == 1 && *row > 4).copied().collect();
                for at in rows {
                    if page.cells[&at] == Cell::from("万元") {
                        page.cells.insert(at, Cell::from("元"));
                    }
                }
                page.set("C3", "金额单位：元").set("E59", "批准投资概算（元）").set("F59", "实际投资（元）");
                for ((row, column), cell) in &mut page.cells {
                    let money = (18..=22).contains(row) || (26..56).contains(row) || *row == 59 && *column > 3;
                    if let (true, Cell::Number(number)) = (money && *column > 1, cell) {
                        let yuan = Decimal::from_str_exact(&number.to_string()).unwrap() * Decimal::from(10_000);
                        *number = yuan.to_string().parse().unwrap();
                    }
                }
            }),
            ("rows dressed up", |page| {
                page.set("A43", "其中：1、人员经费（万元）").set("A7", "（一）编 制 数：").set("A24", "公务接待批次").set("A8", "2019年末实际在职人数");
            }),
            ("years for this year and last", |page| {
                page.set("C5", "2018年决算数").set("D5", "2018年度预算数").set("E5", "2019年预算数").set("F5", "2019年\n决算数（万元）").set("G5", "比 上 年 增 减");
                page.clear("G4").set("F4", "年度：2019年");
            }),
            ("merged cells, and notes", |page| {
                page.clear("F7").set("C7", 143.0);
                page.merges.push(((6, 2), (6, 6)));
                page.set("A80", "说明：以上数据以决算报表为准").set("H5", "备注").set("H43", "含临聘人员 3 人");
            }),
        ];
        for (what, change) in changes {
            let mut book = form(&bureau, "base-data");
            change(base(&mut book));
            let answer = import(&bureau, "resource=base_data", &book.save());
            assert_eq!(answer.status, 201, "{what}: {}", answer.text());
            assert_eq!(answer.json()["counts"]["unchanged"], 1, "{what}: {}", bureau.get(&format!("{YEAR}/base-data")).text());
        }
    }

    fn a_form_holds_what_is_filed_or_last_years_columns_or_nothing(app) {
        let bureau = app.with_kaiyun();
        bureau.put("/api/v1/fiscal-years/2018", &json!({"scheme": "hunan-2019"})).expect(201);
        let prior = json!({"three_public": {"reception": {"budget": "24", "final": "17.22"}}, "staff": {"posts": 140}});
        bureau.put("/api/v1/units/219001/evaluations/2018/base-data", &prior).expect(201);
        let mut book = form(&bureau, "base-data");
        let page = base(&mut book);
        assert_eq!((page.number("C23"), page.number("D23"), page.get("F23"), page.get("F7")), (17.22, 24.0, None, None));
        assert_eq!((page.text("E4"), page.number("G4")), ("219001", 2019.0));
        assert_eq!(base(&mut form(&bureau, "base-data?prefill=false")).get("C23"), None);
        bureau.put(&format!("{YEAR}/base-data"), &sheet()).expect(201);
        bureau.put(FUND, &fund()).expect(201);
        let mut book = form(&bureau, "base-data");
        let page = base(&mut book);
        assert_eq!((page.number("F43"), page.number("F55"), page.text("A32")), (1455.02, -100.5, "=1+1"));
        assert_eq!(first(&mut form(&bureau, "special-funds")).text("I4"), "road-2019");
        assert_eq!(first(&mut form(&bureau, "special-funds?prefill=false")).get("I4"), None);
        let answer = bureau.get(&format!("{YEAR}/forms/base-data")).expect(200);
        assert_eq!(answer.header("Content-Type"), Some(XLSX));
        let name = answer.header("Content-Disposition").unwrap();
        assert!(name.contains("filename=\"base-data-219001-2019.xlsx\"") && name.contains("filename*=UTF-8''%E8%A1%A1%E5%B1%B1"), "{name}");
        bureau.with("If-None-Match", &answer.etag()).get(&format!("{YEAR}/forms/base-data")).expect(304);
        bureau.get(&format!("{YEAR}/forms/scores")).problem(400, "invalid-parameter");
        bureau.get(&format!("{YEAR}/forms/base-data?prefill=perhaps")).problem(400, "invalid-parameter");
        bureau.get("/api/v1/units/404/evaluations/2019/forms/base-data").problem(404, "not-found");
    }

    fn the_workbook_of_a_report_holds_every_figure_and_imports_unchanged(app) {
        let bureau = filed(app);
        let answer = bureau.get(&format!("{YEAR}/report?format=xlsx")).expect(200);
        assert_eq!(answer.header("Content-Type"), Some(XLSX));
        assert_eq!(answer.header("Content-Encoding").unwrap_or("identity"), "identity");
        for resource in [BASE, FUNDS] {
            unchanged(import(&bureau, &format!("resource={resource}"), &answer.body));
        }
        // Every figure of both documents stands in a cell as it was filed.
        let mut book = Book::open(&answer.body);
        let mut cells = |name: &str| -> Vec<String> {
            let cells = book.sheet(name).cells.values();
            cells.map(|cell| match cell {
                Cell::Number(number) => number.to_string(),
                Cell::Formula(_, result) => result.clone(),
                Cell::Text(text) => text.clone(),
                Cell::Date(number) | Cell::Percent(number) => number.to_string(),
            }).collect()
        };
        for (name, document) in [("附件2", sheet()), ("附件3-1", fund())] {
            let cells = cells(name);
            each_figure(&document, &mut |figure| assert!(cells.contains(&figure), "{name}: {figure}"));
        }
        let score = bureau.get(&format!("{YEAR}/score")).expect(200).json();
        let cells = cells("附件1");
        for line in score["lines"].as_array().unwrap() {
            if let Some(points) = line["points"].as_str() {
                assert!(cells.contains(&points.to_owned()), "{line}");
            }
        }
    }

    fn what_was_submitted_is_printed_as_it_was_then(app) {
        let bureau = crate::support::with_ready(app);
        let report = || Book::open(&bureau.get(&format!("{YEAR}/report?format=xlsx")).expect(200).body);
        bureau.post(&format!("{YEAR}/submit"), &json!({})).expect(200);
        let before = bureau.get(&format!("{YEAR}/report?format=xlsx")).expect(200);
        // 100 of 100 posts; the points by a formula over the ratio, also after the submission was read back.
        let page = report();
        let formulas: Vec<_> = page.0[0].cells.values().filter(|cell| matches!(cell, Cell::Formula(..))).collect();
        assert!(formulas.contains(&&Cell::Formula("'附件2'!F8".to_owned(), "100".to_owned())), "{formulas:?}");
        assert!(formulas.iter().any(|cell| matches!(cell, Cell::Formula(text, points) if text.contains("INT(") && points == "60")));
        bureau.patch("/api/v1/units/219001", &json!({"name": "更名"})).expect(200);
        let after = bureau.get(&format!("{YEAR}/report?format=xlsx")).expect(200);
        assert!(before.body == after.body, "the name is that of the submission");
    }

    fn the_forms_of_all_units_come_as_an_archive_of_what_may_be_read(app) {
        let bureau = app.with_units(&[("219", None), ("219001", Some("219")), ("300", None)]);
        bureau.put("/api/v1/fiscal-years/2019", &json!({"scheme": "hunan-2019"})).expect(201);
        bureau.put("/api/v1/fiscal-years/2020", &json!({"scheme": "hunan-2019"})).expect(201);
        bureau.patch("/api/v1/units/300", &json!({"name": "甲/乙:局"})).expect(200);
        // More than are read at once.
        let many: Vec<String> = (0..25).map(|n| format!("4{n:02}")).collect();
        for code in &many {
            bureau.put(&format!("/api/v1/units/{code}"), &json!({"name": "某局", "kind": "department"})).expect(201);
        }
        for code in many.iter().map(String::as_str).chain(["219001", "300"]) {
            let filed = json!({"staff": {"posts": 171, "in_post": 104}});
            bureau.put(&format!("/api/v1/units/{code}/evaluations/2019/base-data"), &filed).expect(201);
        }
        bureau.put(FUND, &fund()).expect(201);
        let open = |client: &Client, query: &str| -> Vec<(String, Vec<u8>)> {
            let answer = client.get(&format!("/api/v1/fiscal-years/2019/forms{query}")).expect(200);
            assert_eq!(answer.header("Content-Type"), Some("application/zip"));
            let mut archive = zip::ZipArchive::new(std::io::Cursor::new(answer.body)).unwrap();
            (0..archive.len()).map(|n| {
                let mut file = archive.by_index(n).unwrap();
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
                (file.name().unwrap().into_owned(), bytes)
            }).collect()
        };
        let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let all = open(&bureau, "");
        assert_eq!(all.len(), 27);
        assert_eq!(names(&all[..2]), ["219001单位2190012019年度绩效自评表.xlsx", "300甲_乙_局2019年度绩效自评表.xlsx"]);
        // Each is the workbook that the unit's own report gives.
        assert!(all[0].1 == bureau.get(&format!("{YEAR}/report?format=xlsx")).expect(200).body);
        assert_eq!(names(&open(&app.unit(&["219"]), "")), names(&all[..1]));
        assert_eq!(names(&open(&bureau, "?unit=300")), names(&all[1..2]));
        bureau.get("/api/v1/fiscal-years/2019/forms?unit=999").problem(404, "not-found");
        app.unit(&["219"]).get("/api/v1/fiscal-years/2019/forms?unit=300").problem(403, "forbidden");
        assert!(open(&bureau, "") == all, "the same bytes for the same data");
        bureau.get("/api/v1/fiscal-years/2018/forms").problem(404, "not-found");
        bureau.get("/api/v1/fiscal-years/2019/forms?unit=x").problem(400, "invalid-parameter");
        let empty = bureau.get("/api/v1/fiscal-years/2020/forms").expect(200).body;
        assert_eq!(zip::ZipArchive::new(std::io::Cursor::new(empty)).unwrap().len(), 0);
    }
}

/// Hands every figure of a document to `see`: numbers, and texts that are digits.
fn each_figure(document: &Value, see: &mut dyn FnMut(String)) {
    match document {
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| *name != "covers" && *name != "unit")
            .for_each(|(_, value)| each_figure(value, see)),
        Value::Array(items) => items.iter().for_each(|value| each_figure(value, see)),
        Value::Number(number) => see(number.to_string()),
        Value::String(text) if text.parse::<f64>().is_ok() => see(text.clone()),
        _ => {}
    }
}
