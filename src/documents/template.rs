//! The template of a report: text with names in `{{ }}` and conditions and loops in `{% %}` (Jinja), which becomes the markup of
//! a [`Manuscript`].
//!
//! Only what a report needs is let in: names, `if`, `for`, `and`, `or`, `not`, comparisons and the filters below. So every name
//! and filter can be looked at when a template is stored, no value can grow, and what is accepted can be written out later.

use std::io::{self, Write};

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, Stmt, UnaryOpKind};
use minijinja::machinery::{Span, parse};
use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value};

use super::figures::{self, Named};
use super::manuscript::{Manuscript, literal};
use crate::fault::Fault;

/// The template that a county begins with.
pub const BUILT_IN: &str = include_str!("report.jinja");

/// What stands where nothing is filed.
const MISSING: &str = "未填报";

/// How much work writing a report may be, in minijinja's instructions; a large one takes some ten thousand.
const FUEL: u64 = 5_000_000;

/// How long the markup of a report may be, in bytes: some thousand pages.
const LONGEST: usize = 4 << 20;

/// A filter of a template.
struct Filter {
    name: &'static str,
    /// How many arguments it takes.
    arguments: usize,
}

const FILTERS: [Filter; 3] = [
    // An amount with its unit: 1166.07万元.
    Filter {
        name: "wan",
        arguments: 0,
    },
    // A count with what is counted: 171名.
    Filter {
        name: "unit",
        arguments: 1,
    },
    // A number as headings count: 3 is 三.
    Filter {
        name: "chinese",
        arguments: 0,
    },
];

/// Looks at a template before it is stored: its syntax, and that it uses only what there is.
///
/// # Errors
/// Every fault with its line and column; of the syntax, the first.
pub fn check(source: &str) -> Result<(), Vec<Fault>> {
    let mut check = Check {
        source,
        scopes: Vec::new(),
        faults: Vec::new(),
    };
    if let Some(at) = too_long(source) {
        check.refuse(
            at,
            "template_too_long",
            &format!("{{{{ }}}}或{{% %}}内最多{LONGEST_TAG}个字节，整个模板的elif最多{MOST_ELIF}个"),
            &format!("there are at most {LONGEST_TAG} bytes between braces, and {MOST_ELIF} elif in all"),
        );
        return Err(check.faults);
    }
    match parse(source, "report", Default::default()) {
        Ok(template) => check.statement(&template, &figures::names()),
        Err(error) => {
            let at = error.range().map_or(0, |range| range.start);
            let reason = error.detail().unwrap_or("syntax error").to_owned();
            check.refuse(
                at,
                "template_syntax",
                "模板语法有误",
                &format!("the syntax is wrong: {reason}"),
            );
        }
    }
    match check.faults.is_empty() {
        true => Ok(()),
        false => Err(check.faults),
    }
}

/// How long what stands in braces may be, in bytes, and how many `elif` there may be: minijinja reads long chains of them by
/// calling itself, and does not count how deep.
const LONGEST_TAG: usize = 500;
const MOST_ELIF: usize = 50;

/// Where a template goes beyond that.
fn too_long(source: &str) -> Option<usize> {
    if let Some((at, _)) = source.match_indices("elif").nth(MOST_ELIF) {
        return Some(at);
    }
    let mut at = 0;
    while let Some(found) = source.get(at..)?.find('{') {
        let begin = at + found;
        let end = match source.as_bytes().get(begin + 1) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            Some(b'#') => {
                at = begin + source[begin..].find("#}")? + 2;
                continue;
            }
            _ => {
                at = begin + 1;
                continue;
            }
        };
        // What stands in quotes ends nothing.
        let mut quote = None;
        let mut escaped = false;
        let length = source[begin..].char_indices().skip(2).find_map(|(offset, c)| {
            match quote {
                _ if escaped => escaped = false,
                Some(_) if c == '\\' => escaped = true,
                Some(open) if c == open => quote = None,
                None if matches!(c, '"' | '\'') => quote = Some(c),
                None if source[begin + offset..].starts_with(end) => return Some(offset + 2),
                _ => {}
            }
            (offset > LONGEST_TAG).then_some(offset)
        });
        match length {
            Some(length) if length <= LONGEST_TAG => at = begin + length,
            Some(_) => return Some(begin),
            // It does not end, which the parser says better.
            None => return None,
        }
    }
    None
}

/// What a loop says of itself.
fn of_loop() -> Named {
    let names = ["index", "first", "last", "length"];
    Named::Group(names.map(|name| (name, Named::Text(None))).into())
}

struct Check<'a> {
    source: &'a str,
    /// The names of loops, the innermost last.
    scopes: Vec<(&'a str, Named)>,
    faults: Vec<Fault>,
}

impl<'a> Check<'a> {
    fn refuse(&mut self, offset: usize, code: &'static str, zh: &str, en: &str) {
        let before = self.source.get(..offset).unwrap_or(self.source);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        self.faults.push(Fault::new(
            "/template",
            code,
            format!("第{line}行第{column}列：{zh}。"),
            format!("line {line}, column {column}: {en}"),
        ));
    }

    fn unfit(&mut self, span: Span) {
        self.refuse(
            span.start_offset as usize,
            "template_unsupported",
            "模板只能使用变量、if、for、and、or、not、比较和规定的过滤器",
            "a template can use names, if, for, and, or, not, comparisons and the filters that there are",
        );
    }

    fn statements(&mut self, statements: &[Stmt<'a>], names: &Named) {
        for statement in statements {
            self.statement(statement, names);
        }
    }

    fn statement(&mut self, statement: &Stmt<'a>, names: &Named) {
        match statement {
            Stmt::Template(template) => self.statements(&template.children, names),
            Stmt::EmitRaw(_) => {}
            Stmt::EmitExpr(emit) => {
                let found = self.expression(&emit.expr, names);
                self.expect_text(found, emit.expr.span());
            }
            Stmt::IfCond(condition) => {
                self.expression(&condition.expr, names);
                self.statements(&condition.true_body, names);
                self.statements(&condition.false_body, names);
            }
            Stmt::ForLoop(each) => {
                let items = self.expression(&each.iter, names);
                let (Expr::Var(name), false) = (&each.target, each.recursive) else {
                    return self.unfit(each.span());
                };
                let item = match items {
                    Some(Named::List(items)) => items.into_iter().next(),
                    Some(_) => {
                        let span = each.iter.span();
                        self.refuse(
                            span.start_offset as usize,
                            "template_unsupported",
                            "for只能用于列表",
                            "for takes a list",
                        );
                        None
                    }
                    None => None,
                };
                // What the loop goes over is not known: neither is what is in it, and one fault is enough.
                let Some(item) = item else { return };
                let outside = self.scopes.len();
                self.scopes.extend([(name.id, item), ("loop", of_loop())]);
                if let Some(filter) = &each.filter_expr {
                    self.expression(filter, names);
                }
                self.statements(&each.body, names);
                self.scopes.truncate(outside);
                self.statements(&each.else_body, names);
            }
            Stmt::WithBlock(block) => self.unfit(block.span()),
            Stmt::Set(set) => self.unfit(set.span()),
            Stmt::SetBlock(set) => self.unfit(set.span()),
            Stmt::AutoEscape(block) => self.unfit(block.span()),
            Stmt::FilterBlock(block) => self.unfit(block.span()),
            Stmt::Do(block) => self.unfit(block.span()),
        }
    }

    /// What an expression names; `None` after a fault.
    fn expression(&mut self, expression: &Expr<'a>, names: &Named) -> Option<Named> {
        const WORDS: Named = Named::Text(None);
        match expression {
            Expr::Const(_) => Some(WORDS),
            Expr::Var(name) => {
                let local = self.scopes.iter().rev().find(|(known, _)| *known == name.id);
                let found = match (local, names) {
                    (Some((_, found)), _) => Some(found.clone()),
                    (None, Named::Group(group)) => group.get(name.id).cloned(),
                    _ => None,
                };
                self.known(found, name.id, name.span())
            }
            Expr::GetAttr(part) => {
                let found = match self.expression(&part.expr, names)? {
                    Named::Group(mut group) => group.remove(part.name),
                    _ => None,
                };
                self.known(found, part.name, part.span())
            }
            Expr::Filter(filter) => {
                let span = filter.span();
                let found = filter.expr.as_ref().and_then(|of| self.expression(of, names));
                let known = FILTERS.iter().find(|known| known.name == filter.name);
                match known {
                    None => {
                        let zh = format!("没有名为“{}”的过滤器", filter.name);
                        self.refuse(
                            span.start_offset as usize,
                            "unknown_filter",
                            &zh,
                            &format!("there is no filter \"{}\"", filter.name),
                        );
                        return None;
                    }
                    Some(known) if known.arguments != filter.args.len() => self.unfit(span),
                    Some(_) => {}
                }
                for argument in &filter.args {
                    match argument {
                        CallArg::Pos(Expr::Const(text)) if text.value.kind() == ValueKind::String => {}
                        _ => self.unfit(span),
                    }
                }
                self.expect_text(found, span);
                Some(WORDS)
            }
            Expr::UnaryOp(not) if matches!(not.op, UnaryOpKind::Not) => {
                self.expression(&not.expr, names);
                Some(WORDS)
            }
            Expr::BinOp(both) if matches!(both.op, BinOpKind::ScAnd | BinOpKind::ScOr) => {
                self.expression(&both.left, names);
                self.expression(&both.right, names);
                Some(WORDS)
            }
            Expr::BinOp(both)
                if matches!(
                    both.op,
                    BinOpKind::Eq | BinOpKind::Ne | BinOpKind::Lt | BinOpKind::Lte | BinOpKind::Gt | BinOpKind::Gte
                ) =>
            {
                self.expression(&both.left, names);
                self.expression(&both.right, names);
                Some(WORDS)
            }
            Expr::Compare(compare) => {
                self.expression(&compare.expr, names);
                for other in &compare.ops {
                    self.expression(&other.expr, names);
                }
                Some(WORDS)
            }
            Expr::IfExpr(choice) => {
                self.expression(&choice.test_expr, names);
                self.expression(&choice.true_expr, names);
                if let Some(other) = &choice.false_expr {
                    self.expression(other, names);
                }
                Some(WORDS)
            }
            other => {
                self.unfit(other.span());
                None
            }
        }
    }

    fn known(&mut self, found: Option<Named>, name: &str, span: Span) -> Option<Named> {
        if found.is_none() {
            let zh = format!("没有名为“{name}”的变量");
            self.refuse(
                span.start_offset as usize,
                "unknown_name",
                &zh,
                &format!("there is no name \"{name}\" here"),
            );
        }
        found
    }

    /// What is written out must be a text: a group or a list would be written as no reader expects.
    fn expect_text(&mut self, found: Option<Named>, span: Span) {
        if matches!(found, Some(Named::Group(_) | Named::List(_))) {
            let zh = "此处应为一项文字或数值，而不是一组";
            self.refuse(
                span.start_offset as usize,
                "template_unsupported",
                zh,
                "this names several things, not a text",
            );
        }
    }
}

/// Writes a document by a template.
///
/// # Errors
/// The reason, where a report would be too long, or the template is of another version of this program.
pub fn write(source: &str, named: &Named) -> Result<Manuscript, String> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_formatter(put);
    environment.add_filter("wan", |value: &Value| with(value, "万元"));
    environment.add_filter("unit", |value: &Value, unit: &str| with(value, unit));
    environment.add_filter("chinese", |value: &Value| chinese(value));
    let mut markup = Bounded(Vec::new());
    environment
        .template_from_str(source)
        .and_then(|template| template.render_captured_to(Value::from(named), &mut markup).map(drop))
        .map_err(|error| error.to_string())?;
    Ok(Manuscript::read(&String::from_utf8_lossy(&markup.0)))
}

/// Writes a value, which is never markup; of what is missing, that it is.
fn put(output: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let text = match value.as_str() {
        Some(text) => literal(text),
        None if value.is_none() => MISSING.to_owned(),
        None => value.to_string(),
    };
    output
        .write_str(&text)
        .map_err(|_| Error::new(ErrorKind::WriteFailure, "the report is too long"))
}

fn with(value: &Value, unit: &str) -> String {
    match value.as_str() {
        Some(text) => format!("{text}{unit}"),
        None if value.is_none() => MISSING.to_owned(),
        None => format!("{value}{unit}"),
    }
}

/// A number below a hundred as headings count: 一, 十一, 二十; others in digits.
fn chinese(value: &Value) -> String {
    const DIGITS: [&str; 10] = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    let text = value.to_string();
    match text.parse::<usize>() {
        Ok(number @ 1..=99) => {
            let (tens, ones) = (number / 10, number % 10);
            let tens = match tens {
                0 => String::new(),
                1 => "十".to_owned(),
                _ => format!("{}十", DIGITS[tens]),
            };
            format!("{tens}{}", DIGITS[ones])
        }
        _ => text,
    }
}

/// A text that does not grow without bound.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST {
            return Err(io::Error::other("the report is too long"));
        }
        self.0.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The faults of a template: code and the place that the message names.
    fn faults(source: &str) -> Vec<(&'static str, String)> {
        let faults = check(source).err().unwrap_or_default();
        let place = |text: &str| {
            text.split_once('：')
                .map(|(place, _)| place.to_owned())
                .unwrap_or_default()
        };
        faults.iter().map(|fault| (fault.code, place(&fault.text.zh))).collect()
    }

    #[test]
    fn the_built_in_template_is_a_right_one() {
        assert_eq!(check(BUILT_IN), Ok(()));
    }

    #[test]
    fn chains_without_an_end_are_refused_before_they_are_read() {
        for chain in [
            format!("{{{{ year{} }}}}", " | wan".repeat(9000)),
            format!("{{{{ \"}}}}\"{} }}}}", " | wan".repeat(9000)),
            format!("{{% if {}year %}}{{% endif %}}", "not ".repeat(9000)),
            format!(
                "{{% raw %}}{{{{ \" {{% endraw %}}{{{{ year{} }}}}",
                " | wan".repeat(9000)
            ),
        ] {
            assert_eq!(
                faults(&format!("一\n{chain}"))[0].0,
                "template_too_long",
                "{}",
                &chain[..40]
            );
        }
        let branches = format!("{{% if year %}}{}{{% endif %}}", "{% elif year %}".repeat(51));
        assert_eq!(faults(&branches)[0].0, "template_too_long");
        let few = format!(
            "{{% if year %}}{}{{% endif %}}{{# {{{{ #}}",
            "{% elif year %}".repeat(50)
        );
        assert_eq!(faults(&few), []);
        assert_eq!(faults(&"{{ year }}|".repeat(1000)), []);
    }

    #[test]
    fn every_unknown_name_and_filter_is_named_with_its_line_and_column() {
        assert_eq!(
            faults("单位：{{ unit.nmae }}\n{{ staff.posts }} {{ stafff.posts }}"),
            [
                ("unknown_name", "第1行第7列".to_owned()),
                ("unknown_name", "第2行第22列".to_owned()),
            ]
        );
        assert_eq!(
            faults("{% for fund in funds %}\n{{ fund.nam | wan }}{% endfor %}"),
            [("unknown_name", "第2行第4列".to_owned())]
        );
        assert_eq!(
            faults("{{ staff.posts | yuan }}"),
            [("unknown_filter", "第1行第18列".to_owned())]
        );
        assert_eq!(faults("{{ loop.index }}").len(), 1, "outside of a loop there is none");
        // Also where no report would come by.
        assert_eq!(faults("{% if not year %}{{ yaer }}{% endif %}").len(), 1);
    }

    #[test]
    fn what_is_no_template_is_refused_where_it_ends_to_be_one() {
        assert_eq!(
            faults("一\n{% if year %}"),
            [("template_syntax", "第2行第12列".to_owned())]
        );
    }

    #[test]
    fn nothing_that_could_grow_or_fail_is_let_in() {
        for source in [
            "{% set a = year %}",
            "{{ year ~ year }}",
            "{{ year * 9 }}",
            "{{ range(9) }}",
            "{{ [year] }}",
            "{{ funds[0] }}",
            "{% with a = year %}{% endwith %}",
            "{{ year | unit(year) }}",
            "{{ year | unit }}",
            "{{ year is defined }}",
            "{{ unit }}",
            "{% for a in year %}{% endfor %}",
            "{{ unit | wan }}",
        ] {
            assert_eq!(faults(source).len(), 1, "{source}");
        }
    }

    fn written(source: &str, entries: &[(&'static str, Named)]) -> Vec<super::super::manuscript::Block> {
        write(source, &Named::Group(entries.iter().cloned().collect()))
            .unwrap()
            .blocks
    }

    #[test]
    fn a_missing_figure_is_said_to_be_missing_and_never_nothing() {
        use super::super::manuscript::Block::Paragraph;
        let (known, missing) = (Named::Text(Some("0".to_owned())), Named::Text(None));
        let entries = [("known", known), ("missing", missing)];
        assert_eq!(
            written(
                "支出{{ known | wan }}，预算{{ missing | wan }}，{{ missing }}{{ missing or '' }}。",
                &entries
            ),
            [Paragraph("支出0万元，预算未填报，未填报。".to_owned())]
        );
        assert_eq!(
            written("{% if known %}有{% endif %}{% if missing %}无{% endif %}", &entries),
            [Paragraph("有".to_owned())]
        );
    }

    #[test]
    fn numbers_of_headings_are_written_in_chinese() {
        let chinese = |number: i64| chinese(&Value::from(number));
        assert_eq!([1, 10, 11, 20, 99].map(chinese), ["一", "十", "十一", "二十", "九十九"]);
        assert_eq!(chinese(100), "100");
    }

    #[test]
    fn a_report_that_would_be_too_long_is_none() {
        let many = Named::List(vec![Named::Text(Some("长".repeat(1000))); 100]);
        let source = "{% for a in many %}{% for b in many %}{{ b }}{% endfor %}{% endfor %}";
        assert!(write(source, &Named::Group([("many", many)].into())).is_err());
    }
}
