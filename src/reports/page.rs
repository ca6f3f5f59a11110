//! What the pages share: their frame, a chart of bars, and how things are said in either language.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use rust_decimal::Decimal;
use sha2::{Digest as _, Sha256};

use crate::evaluations::workflow::State;
use crate::fault::Text;
use crate::http::language::Language;
use crate::scoring::score::{Range, Severity};
use crate::scoring::values::digits;

const STYLE: &str = include_str!("page.css");

/// The `Content-Security-Policy` of the pages: their own style, and nothing else; no script, whatever a text may smuggle in.
pub static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

/// The language that a page is in.
#[derive(Debug, Clone, Copy)]
pub struct Say(pub Language);

impl Say {
    /// One of two wordings.
    pub fn of<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self.0 {
            Language::Chinese => zh,
            Language::English => en,
        }
    }

    /// A sentence.
    pub fn text(self, text: &Text) -> &str {
        self.of(&text.zh, &text.en)
    }

    /// A number of points with its unit.
    pub fn points(self, points: Decimal) -> String {
        match self.0 {
            Language::Chinese => format!("{}分", digits(points)),
            Language::English => format!("{} points", digits(points)),
        }
    }

    /// What is only there in Chinese, such as a name: marked as such on an English page, for who has it read out.
    pub fn chinese(self, text: &str) -> Markup {
        match self.0 {
            Language::Chinese => html! { (text) },
            Language::English => html! { span lang="zh-CN" { (text) } },
        }
    }

    /// Where an evaluation is in its life.
    pub fn state(self, state: State) -> &'static str {
        self.of(
            state.zh(),
            match state {
                State::NotStarted => "Not started",
                State::Draft => "Draft",
                State::Submitted => "Submitted",
                State::Returned => "Returned",
                State::UnderReview => "Under review",
                State::Approved => "Approved",
                State::Published => "Published",
            },
        )
    }

    /// How much a finding matters.
    pub fn severity(self, severity: Severity) -> (&'static str, &'static str) {
        match severity {
            Severity::Error => ("error", self.of("错误", "Error")),
            Severity::Warning => ("warning", self.of("疑点", "Warning")),
            Severity::Notice => ("notice", self.of("提示", "Notice")),
        }
    }
}

/// Points, or the least and the most that they can still be.
pub fn range(points: Option<Decimal>, interval: Range) -> String {
    match points {
        Some(points) => digits(points),
        None => format!("{}～{}", digits(interval.low), digits(interval.high)),
    }
}

/// A number, or a dash where there is none.
pub fn number(number: Option<Decimal>) -> String {
    number.map_or_else(|| "—".to_owned(), digits)
}

/// A percentage, or a dash.
pub fn percent(number: Option<Decimal>) -> String {
    number.map_or_else(|| "—".to_owned(), |number| format!("{}%", digits(number)))
}

/// A whole page.
pub fn page(say: Say, title: &str, nav: &Markup, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang=(say.0.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                nav aria-label=(say.of("其他格式", "Other formats")) { (nav) }
                main { (body) }
                footer {
                    (say.of("本页数据全部由系统根据填报资料生成。", "All figures on this page follow from what was filed."))
                    " Jixiao " (env!("CARGO_PKG_VERSION"))
                }
            }
        }
    }
    .into_string()
}

/// One bar of a chart.
pub struct Bar {
    /// What it is of.
    pub label: String,
    /// Its value in words.
    pub value: String,
    /// How far it is filled, and how far it can still be.
    pub filled: Range,
    /// How long it is in all.
    pub length: Decimal,
}

impl Bar {
    /// A bar that is as long as it is filled.
    pub fn whole(label: impl Into<String>, value: impl Into<String>, filled: Decimal) -> Self {
        Self {
            label: label.into(),
            value: value.into(),
            filled: Range::exactly(filled),
            length: filled,
        }
    }
}

/// The height of a bar with its label, in pixels.
const ROW: usize = 40;
/// The most characters of a label, as many as a phone has room for.
const LABEL: usize = 14;

/// A chart of bars below each other, as wide as the page: lengths are shares of it, texts keep their size. It says in words
/// what it shows.
pub fn bars(say: Say, id: &str, class: &str, title: &str, bars: &[Bar]) -> Markup {
    let longest = bars
        .iter()
        .map(|bar| bar.length.max(bar.filled.high))
        .max()
        .unwrap_or_default();
    let share = |length: Decimal| {
        let share = (length * Decimal::ONE_HUNDRED).checked_div(longest).unwrap_or_default();
        format!(
            "{}%",
            share.clamp(Decimal::ZERO, Decimal::ONE_HUNDRED).round_dp(2).normalize()
        )
    };
    let words: Vec<String> = bars.iter().map(|bar| format!("{} {}", bar.label, bar.value)).collect();
    html! {
        figure {
            svg class=(class) role="img" aria-labelledby=(format!("{id}-title {id}-words")) width="100%" height=(bars.len() * ROW) {
                title id=(format!("{id}-title")) { (title) }
                desc id=(format!("{id}-words")) { (words.join(say.of("；", "; "))) }
                @for (n, bar) in bars.iter().enumerate() {
                    text x="0" y=(n * ROW + 15) { (shortened(&bar.label)) }
                    text x="100%" y=(n * ROW + 15) text-anchor="end" { (bar.value) }
                    rect class="track" x="0" y=(n * ROW + 21) width=(share(bar.length)) height="9" {}
                    rect class="open" x="0" y=(n * ROW + 21) width=(share(bar.filled.high)) height="9" {}
                    rect class="fill" x="0" y=(n * ROW + 21) width=(share(bar.filled.low)) height="9" {}
                }
            }
            figcaption { (title) }
        }
    }
}

/// A label that fits: two letters take the room of one Chinese character.
fn shortened(label: &str) -> String {
    let mut room = LABEL * 2;
    let mut short = String::new();
    for c in label.chars() {
        let width = if c.is_ascii() { 1 } else { 2 };
        if room < width {
            short.push('…');
            break;
        }
        room -= width;
        short.push(c);
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_cut_where_a_phone_has_no_more_room() {
        assert_eq!(shortened("政府采购执行率"), "政府采购执行率");
        assert_eq!(
            shortened("一二三四五六七八九十一二三四五"),
            "一二三四五六七八九十一二三四…"
        );
        assert_eq!(
            shortened("Rate of posts that are filled in"),
            "Rate of posts that are fille…"
        );
    }

    #[test]
    fn lengths_are_shares_of_the_longest_bar_and_texts_are_escaped() {
        let chart = bars(
            Say(Language::Chinese),
            "a",
            "",
            "<图>",
            &[
                Bar {
                    label: "<甲>".to_owned(),
                    value: "3/8".to_owned(),
                    filled: Range::exactly(3.into()),
                    length: 8.into(),
                },
                Bar {
                    label: "乙".to_owned(),
                    value: "0～2".to_owned(),
                    filled: Range {
                        low: 0.into(),
                        high: 2.into(),
                    },
                    length: 2.into(),
                },
            ],
        )
        .into_string();
        // 3 of 8 is 37.5%, 2 of 8 is 25%.
        for part in [
            "width=\"37.5%\"",
            "width=\"25%\"",
            "width=\"0%\"",
            "&lt;甲&gt; 3/8；乙 0～2",
            "&lt;图&gt;",
        ] {
            assert!(chart.contains(part), "{part}: {chart}");
        }
        assert!(!chart.contains("<甲>"));
        // Nothing to measure by.
        assert!(
            bars(
                Say(Language::English),
                "a",
                "",
                "",
                &[Bar::whole("甲", "0", Decimal::ZERO)]
            )
            .into_string()
            .contains("width=\"0%\"")
        );
    }
}
