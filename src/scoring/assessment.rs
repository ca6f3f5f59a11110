//! What people judge (评价打分依据): the inputs of indicators that no figure of the sheet decides, each with its evidence.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use super::scheme::{Indicator, Rule, Scheme};
use super::special_fund::{TargetRow, target_faults};
use super::text::{Code, Words};
use super::values::{Count, Points, Quantity};
use crate::fault::{Fault, LANGUAGES};

/// The assessments of one unit for one year.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assessments {
    /// One assessment per indicator, by the indicator's code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "unique")]
    #[schema(schema_with = by_code::<Assessment>)]
    pub indicators: BTreeMap<Code, Assessment>,
    /// The unit's own targets, for the sections whose rows are the unit's own (as in `project-2020`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 200)]
    pub targets: Vec<TargetRow>,
}

/// What was found for one indicator. Which fields count follows from the indicator's rule.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    /// What was achieved, for a ratio of achieved to possible (考核得分, 满意人数).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub achieved: Option<Quantity>,
    /// What was possible (该部分总分, 调查人数); more than 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub possible: Option<Quantity>,
    /// For a checklist: whether each item is fulfilled, by the item's code. An item left out stays open.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "unique_or_null"
    )]
    #[schema(schema_with = by_code_or_null::<bool>)]
    pub checks: Option<BTreeMap<Code, bool>>,
    /// For incidents: the number of cases found; 0 when there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incidents: Option<Count>,
    /// For a rating: the code of the level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<Code>,
    /// For an assessed indicator: the points given, at most its weight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<Points>,
    /// True when the indicator does not apply to the unit; `reason` says why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_applicable: Option<bool>,
    /// Why these points, or why not applicable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Words>,
    /// Where the evidence lies (佐证材料).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Words>,
}

/// The schema of an optional map by code.
fn by_code_or_null<T: PartialSchema>() -> Object {
    let mut map = by_code::<T>();
    map.schema_type = SchemaType::from_iter([Type::Object, Type::Null]);
    map
}

/// The schema of a map from codes.
pub(super) fn by_code<T: PartialSchema>() -> Object {
    by_key::<Code, T>()
}

/// The schema of a map from keys of a text type.
pub(crate) fn by_key<K: PartialSchema, T: PartialSchema>() -> Object {
    let names = match K::schema() {
        RefOr::T(schema) => Some(schema),
        RefOr::Ref(_) => None::<Schema>,
    };
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::Object))
        .property_names(names)
        .max_properties(Some(MOST_ENTRIES))
        .additional_properties(Some(T::schema()))
        .build()
}

/// How many entries a map by code may have: more than a scheme can have lines, so that what is wrong with each can be told.
const MOST_ENTRIES: usize = 10_000;

/// A map in which no key is given twice: serde's own would keep the last silently.
struct Unique<K, V>(BTreeMap<K, V>);

impl<'de, K: Deserialize<'de> + Ord + fmt::Display, V: Deserialize<'de>> Deserialize<'de> for Unique<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<K, V>(PhantomData<(K, V)>);

        impl<'de, K: Deserialize<'de> + Ord + fmt::Display, V: Deserialize<'de>> Visitor<'de> for Entries<K, V> {
            type Value = BTreeMap<K, V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
                let mut map = BTreeMap::new();
                while let Some((code, value)) = entries.next_entry::<K, V>()? {
                    if map.contains_key(&code) {
                        return Err(de::Error::custom(format!(
                            "代码“{code}”重复出现。{LANGUAGES}\"{code}\" is given more than once"
                        )));
                    }
                    if map.len() == MOST_ENTRIES {
                        return Err(de::Error::custom(format!(
                            "不应超过{MOST_ENTRIES}项。{LANGUAGES}must have at most {MOST_ENTRIES} entries"
                        )));
                    }
                    map.insert(code, value);
                }
                Ok(map)
            }
        }

        deserializer.deserialize_map(Entries(PhantomData)).map(Self)
    }
}

/// Reads a map in which no key is given twice.
pub(crate) fn unique<'de, K: Deserialize<'de> + Ord + fmt::Display, V: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<K, V>, D::Error> {
    Unique::deserialize(deserializer).map(|map| map.0)
}

fn unique_or_null<'de, V: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<BTreeMap<Code, V>>, D::Error> {
    Option::<Unique<Code, V>>::deserialize(deserializer).map(|map| map.map(|map| map.0))
}

impl Assessments {
    /// What in these assessments does not fit the scheme: indicators it does not have, an input its rule does not use,
    /// points above the weight, items and levels it does not name, targets for sections without own rows.
    pub fn faults(&self, scheme: &Scheme) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (code, assessment) in &self.indicators {
            let found = match indicator(scheme, code) {
                None => vec![Fault::new(
                    "",
                    "unknown_indicator",
                    format!("评分标准“{}”没有代码为“{code}”的指标。", scheme.document.name),
                    format!("the scheme \"{}\" has no indicator \"{code}\"", scheme.document.name),
                )],
                Some((indicator, rule)) => assessment.faults(indicator, rule),
            };
            let here = |fault: Fault| fault.under(&format!("/indicators/{code}"));
            faults.extend(found.into_iter().map(here));
        }
        faults.extend(target_faults(&self.targets, scheme));
        faults
    }
}

/// An indicator of a scheme and its rule, by its code.
fn indicator<'a>(scheme: &'a Scheme, code: &Code) -> Option<(&'a Indicator, &'a Rule)> {
    let indicator = scheme
        .document
        .sections
        .iter()
        .flat_map(|section| &section.indicators)
        .find(|indicator| indicator.code == *code)?;
    Some((indicator, indicator.rule.as_ref()?))
}

impl Assessment {
    /// The inputs that are given, by name.
    fn given(&self) -> impl Iterator<Item = &'static str> {
        [
            ("achieved", self.achieved.is_some()),
            ("possible", self.possible.is_some()),
            ("checks", self.checks.is_some()),
            ("incidents", self.incidents.is_some()),
            ("rating", self.rating.is_some()),
            ("points", self.points.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, given)| given.then_some(name))
    }

    /// What is wrong with it, with pointers that begin at it.
    fn faults(&self, indicator: &Indicator, rule: &Rule) -> Vec<Fault> {
        let mut faults = Vec::new();
        let used = inputs_of(indicator, rule);
        for name in self.given().filter(|name| !used.contains(name)) {
            let wanted = match used {
                [] => "由基础数据表计算，无需评定".to_owned(),
                used => format!("应填写{}", used.join("、")),
            };
            let wanted_en = match used {
                [] => "it follows from the base data sheet".to_owned(),
                used => format!("give {}", used.join(" and ")),
            };
            faults.push(Fault::new(
                format!("/{name}"),
                "input_without_use",
                format!(
                    "指标“{}”按“{}”计分，不使用“{name}”：{wanted}。",
                    indicator.name,
                    rule.kind()
                ),
                format!(
                    "\"{}\" is scored by \"{}\", which does not use \"{name}\": {wanted_en}",
                    indicator.code,
                    rule.kind()
                ),
            ));
        }
        let mut fault = |field: &str, code, zh: String, en: String| {
            faults.push(Fault::new(format!("/{field}"), code, zh, en));
        };
        if let Some(possible) = self.possible
            && possible.get() <= rust_decimal::Decimal::ZERO
        {
            fault(
                "possible",
                "out_of_range",
                "总数应大于0。".into(),
                "possible must be more than 0".into(),
            );
        }
        if let (Some(achieved), Some(possible)) = (self.achieved, self.possible)
            && achieved > possible
        {
            fault(
                "achieved",
                "out_of_range",
                format!("实际数{achieved}大于总数{possible}。"),
                format!("achieved ({achieved}) exceeds possible ({possible})"),
            );
        }
        if let Some(achieved) = self.achieved
            && achieved.get() < rust_decimal::Decimal::ZERO
        {
            fault(
                "achieved",
                "out_of_range",
                "实际数不应小于0。".into(),
                "achieved must not be negative".into(),
            );
        }
        if let (Some(points), Some(weight)) = (self.points, indicator.weight)
            && points > weight
        {
            fault(
                "points",
                "out_of_range",
                format!("得分{points}超过该指标满分{weight}分。"),
                format!("{points} points exceed the weight of {weight}"),
            );
        }
        match rule {
            Rule::Checklist(checklist) => {
                for code in self.checks.iter().flat_map(BTreeMap::keys) {
                    if !checklist.items.iter().any(|item| item.code == *code) {
                        let items = checklist.items.iter().map(|item| item.code.as_str());
                        let items = items.collect::<Vec<_>>().join(", ");
                        fault(
                            &format!("checks/{code}"),
                            "unknown_item",
                            format!("没有代码为“{code}”的检查项，应为：{items}。"),
                            format!("there is no item \"{code}\"; the items are {items}"),
                        );
                    }
                }
            }
            Rule::Rating(rating) => {
                if let Some(code) = &self.rating
                    && !rating.levels.iter().any(|level| level.code == *code)
                {
                    let levels = rating
                        .levels
                        .iter()
                        .map(|level| level.code.as_str())
                        .collect::<Vec<_>>()
                        .join(", ");
                    fault(
                        "rating",
                        "unknown_level",
                        format!("没有代码为“{code}”的档次，应为：{levels}。"),
                        format!("there is no level \"{code}\"; the levels are {levels}"),
                    );
                }
            }
            _ => {}
        }
        let explained = self
            .reason
            .as_ref()
            .is_some_and(|reason| !reason.as_str().trim().is_empty());
        if self.not_applicable == Some(true) && !explained {
            fault(
                "reason",
                "missing_field",
                "注明“不适用”的，应说明原因。".into(),
                "say why the indicator does not apply".into(),
            );
        }
        faults
    }
}

/// The fields of an assessment that an indicator uses.
pub fn inputs_of(indicator: &Indicator, rule: &Rule) -> &'static [&'static str] {
    match rule {
        Rule::Deduct(_) | Rule::Bands(_) | Rule::Proportion(_) if indicator.ratio.is_some() => &[],
        Rule::Deduct(_) | Rule::Bands(_) | Rule::Proportion(_) => &["achieved", "possible"],
        Rule::Checklist(_) => &["checks"],
        Rule::Incidents(_) => &["incidents"],
        Rule::Rating(_) => &["rating"],
        Rule::Assessed(_) => &["points"],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::fixtures::{builtin, from, named};
    use super::*;

    fn faults(indicators: Value) -> Vec<Fault> {
        let assessments: Assessments = from(json!({ "indicators": indicators }));
        assessments.faults(&builtin("hunan-2019"))
    }

    #[test]
    fn assessments_that_fit_have_no_faults() {
        let fitting = json!({
            "key_work": {"achieved": "95", "possible": "100"},
            "management_system": {"checks": {"finance_rules": true, "thrift_rules": false}},
            "fund_compliance": {"incidents": 0, "evidence": "2019年审计报告"},
            "admin_efficiency": {"rating": "fair"},
            "economic_benefit": {"points": "5", "reason": "新增税收120万元"},
            "building_area_control": {"not_applicable": true, "reason": "项目尚未竣工"},
            "in_post_control": {"not_applicable": false}
        });
        assert_eq!(faults(fitting), []);
    }

    #[test]
    fn what_the_scheme_does_not_name_is_refused() {
        assert_eq!(
            named(&faults(json!({
                "nothing": {},
                "management_system": {"checks": {"no_such_item": true}},
                "admin_efficiency": {"rating": "no_such_level"}
            }))),
            [
                "/indicators/admin_efficiency/rating unknown_level",
                "/indicators/management_system/checks/no_such_item unknown_item",
                "/indicators/nothing unknown_indicator",
            ]
        );
    }

    #[test]
    fn an_input_that_the_rule_does_not_use_is_refused_and_the_right_one_named() {
        let faults = faults(json!({
            "in_post_control": {"points": "5"},
            "key_work": {"rating": "good"}
        }));
        assert_eq!(
            named(&faults),
            [
                "/indicators/in_post_control/points input_without_use",
                "/indicators/key_work/rating input_without_use"
            ]
        );
        assert_eq!(
            faults[0].text.zh,
            "指标“在职人员控制率”按“deduct”计分，不使用“points”：由基础数据表计算，无需评定。"
        );
        assert_eq!(
            faults[1].text.en,
            "\"key_work\" is scored by \"proportion\", which does not use \"rating\": give achieved and possible"
        );
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        assert_eq!(
            named(&faults(json!({
                "economic_benefit": {"points": "5.01"},
                "key_work": {"achieved": "101", "possible": "100"},
                "satisfaction": {"achieved": "-1", "possible": "0"}
            }))),
            [
                "/indicators/economic_benefit/points out_of_range",
                "/indicators/key_work/achieved out_of_range",
                "/indicators/satisfaction/possible out_of_range",
                "/indicators/satisfaction/achieved out_of_range",
            ]
        );
    }

    #[test]
    fn what_does_not_apply_needs_a_reason_in_words() {
        for blank in [
            json!({"not_applicable": true}),
            json!({"not_applicable": true, "reason": "  \n"}),
        ] {
            assert_eq!(
                named(&faults(json!({ "building_area_control": blank }))),
                ["/indicators/building_area_control/reason missing_field"]
            );
        }
    }

    #[test]
    fn targets_are_refused_where_the_scheme_has_no_own_rows() {
        let assessments: Assessments = from(json!({
            "targets": [{"section": "output", "name": "户数", "measure": {"kind": "quality"}}]
        }));
        let faults = assessments.faults(&builtin("hunan-2019"));
        assert_eq!(named(&faults), ["/targets/0/section unknown_section"]);
        assert_eq!(
            faults[0].text.zh,
            "“output”不是由单位自定指标的部分；该评分标准没有由单位自定指标的部分。"
        );
    }
}
