//! The codes that things are known by (DOMAIN: 编码), as types that cannot hold a wrong one.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{Number, PartialSchema, ToSchema};

use crate::fault::LANGUAGES;
use crate::scoring::text::text_type;

text_type!(
    /// Budget unit code (预算单位编码): the county's own, 3 to 20 digits, often hierarchical by threes (219 → 219001).
    UnitCode,
    3..=20,
    r"^[0-9]{3,20}$",
    |text| text.bytes().all(|b| b.is_ascii_digit()),
    "Budget unit code (预算单位编码): 3 to 20 digits.",
    "219001",
    "3至20位数字的预算单位编码",
    "a budget unit code of 3 to 20 digits"
);

text_type!(
    /// Unified social credit code (统一社会信用代码, GB 32100-2015): 18 characters, the last of which checks the others.
    Uscc,
    18..=18,
    r"^[0-9A-HJ-NPQRTUWXY]{18}$",
    is_uscc,
    "Unified social credit code (统一社会信用代码, GB 32100-2015): 18 digits and capitals without I, O, S, V and Z; the last is the check character.",
    "91110000802100433B",
    "18位统一社会信用代码（GB 32100-2015，不含字母I、O、S、V、Z，末位为校验码，请核对是否抄错）",
    "a unified social credit code of 18 characters (GB 32100-2015, without I, O, S, V and Z) whose last one checks the others; one may be mistyped"
);

text_type!(
    /// Division code (行政区划代码, GB/T 2260): 6 digits for a county, 9 for a town, 12 for a village.
    DivisionCode,
    6..=12,
    r"^[1-9][0-9]{5}([0-9]{3}){0,2}$",
    |text| matches!(text.len(), 6 | 9 | 12) && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit()),
    "Division code (行政区划代码, GB/T 2260): 6 digits for a county, 9 for a town, 12 for a village.",
    "430423",
    "6位、9位或12位的行政区划代码",
    "a division code of 6, 9 or 12 digits"
);

text_type!(
    /// The id of a special fund: chosen by the client, or a UUID given by the service.
    FundId,
    1..=64,
    r"^[A-Za-z0-9][A-Za-z0-9_-]*$",
    |text| text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'),
    "The id of a special fund: letters, digits, hyphens and underscores; at most 64.",
    "kaiyun-2019-dilapidated-housing",
    "由字母、数字、连字符、下划线组成的专项资金编号（最长64位）",
    "a special fund's id of letters, digits, hyphens and underscores, at most 64 long"
);

text_type!(
    /// The id of an import: chosen by the client, or a UUID given by the service.
    ImportId,
    1..=64,
    r"^[A-Za-z0-9][A-Za-z0-9_-]*$",
    |text| text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'),
    "The id of an import: letters, digits, hyphens and underscores; at most 64.",
    "units-2026",
    "由字母、数字、连字符、下划线组成的导入编号（最长64位）",
    "an import's id of letters, digits, hyphens and underscores, at most 64 long"
);

text_type!(
    /// The name of a token: whose it is.
    TokenName,
    1..=60,
    r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$",
    |text| text.trim() == text && !text.chars().any(char::is_control),
    "The name of a token: 1 to 60 characters on one line.",
    "开云镇财政所",
    "1至60个字符的令牌名称（首尾不留空格，不含控制字符）",
    "a name of 1 to 60 characters on one line, without space at either end"
);

text_type!(
    /// The id of a token: the part that is no secret.
    TokenId,
    16..=16,
    r"^[0-9a-f]{16}$",
    |text| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
    "The id of a token, the part between `jx_` and the second underscore: 16 hexadecimal digits in lower case.",
    "0123456789abcdef",
    "16位小写十六进制的令牌编号（jx_与第二个下划线之间的部分）",
    "a token's id of 16 hexadecimal digits in lower case, the part between jx_ and the second underscore"
);

text_type!(
    /// The id of a webhook.
    WebhookId,
    16..=16,
    r"^[0-9a-f]{16}$",
    |text| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
    "The id of a webhook: 16 hexadecimal digits in lower case.",
    "89abcdef01234567",
    "16位小写十六进制的推送编号",
    "a webhook's id of 16 hexadecimal digits in lower case"
);

text_type!(
    /// Where a webhook sends to: an address of http or https, without a user name or password.
    WebhookUrl,
    8..=2000,
    r#"^https?://([A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?([/?][!"$-~]*)?$"#,
    is_webhook_url,
    "Where a webhook sends to: an address of https or http in ASCII, without a user name, password or fragment.",
    "https://oa.example.gov.cn/hooks/jixiao",
    "https或http地址，仅含ASCII字符，不含用户名、密码和#片段，最长2000个字符",
    "an address of https or http in ASCII characters, without a user name, password or fragment, at most 2000 long"
);

text_type!(
    /// The SHA-256 of a text: 64 hexadecimal digits in lower case.
    Digest,
    64..=64,
    r"^[0-9a-f]{64}$",
    |text| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
    "A SHA-256 (摘要): 64 hexadecimal digits in lower case.",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "64位小写十六进制的SHA-256摘要",
    "a SHA-256 of 64 hexadecimal digits in lower case"
);

/// What the pattern says; and the two libraries that meet it, one that judges it and one that sends, both read it.
fn is_webhook_url(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let (host, port) = match authority.strip_prefix('[').and_then(|address| address.split_once(']')) {
        Some((address, port)) => (
            address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.'),
            port,
        ),
        None => {
            let (name, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            let named = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
            let begun = name.starts_with(|c: char| c.is_ascii_alphanumeric());
            (begun && name.bytes().all(named), port)
        }
    };
    let digits = port.strip_prefix(':').unwrap_or("0");
    host && matches!(digits.len(), 1..=5)
        && (port.is_empty() || port.starts_with(':'))
        && digits.bytes().all(|b| b.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_graphic() && b != b'#')
        && url::Url::parse(text).is_ok_and(|url| url.as_str().parse::<actix_web::http::Uri>().is_ok())
}

/// Which one of several that are counted from 1 (序号): a submission of a unit's year, or an entry of its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ordinal(i64);

impl Ordinal {
    /// The number.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl std::str::FromStr for Ordinal {
    /// The refusal in Chinese and English.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse() {
            Ok(number @ 1..=1_000_000_000) if plain => Ok(Self(number)),
            _ => Err(format!(
                "序号应为1至1000000000的整数。{LANGUAGES}a number is a whole number from 1 to 1000000000"
            )),
        }
    }
}

impl fmt::Display for Ordinal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// It stands in paths and queries only, which hold texts.
impl<'de> Deserialize<'de> for Ordinal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl PartialSchema for Ordinal {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::Integer))
            .minimum(Some(Number::Int(1)))
            .maximum(Some(Number::Int(1_000_000_000)))
            .description(Some("Which one of several that are counted from 1."))
            .examples([serde_json::Value::from(1)])
            .into()
    }
}

impl ToSchema for Ordinal {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Ordinal")
    }
}

/// The characters of a unified social credit code in the order of their values.
const USCC_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// GB 32100-2015: 31 − (Σ value × 3^(i−1) mod 31), taken mod 31, over the first 17 is the value of the 18th.
fn is_uscc(text: &str) -> bool {
    let values: Option<Vec<usize>> = text
        .bytes()
        .map(|b| USCC_ALPHABET.iter().position(|known| *known == b))
        .collect();
    let Some((check, body)) = values.as_deref().and_then(<[usize]>::split_last) else {
        return false;
    };
    let mut weight = 1;
    let mut sum = 0;
    for value in body {
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    body.len() == 17 && (31 - sum % 31) % 31 == *check
}

/// A fiscal year (年度): 1990 to 2100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct FiscalYear(i64);

impl FiscalYear {
    /// The year as a number.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for FiscalYear {
    /// The refusal in Chinese and English.
    type Error = String;

    fn try_from(year: i64) -> Result<Self, String> {
        match year {
            1990..=2100 => Ok(Self(year)),
            _ => Err(format!(
                "年度应为1990至2100的整数。{LANGUAGES}a fiscal year is a whole number from 1990 to 2100"
            )),
        }
    }
}

impl std::str::FromStr for FiscalYear {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
        Self::try_from(text.parse().ok().filter(|_| plain).unwrap_or(0))
    }
}

impl fmt::Display for FiscalYear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for FiscalYear {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Year;

        impl<'de> de::Visitor<'de> for Year {
            type Value = FiscalYear;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a fiscal year")
            }

            fn visit_i64<E: de::Error>(self, year: i64) -> Result<FiscalYear, E> {
                FiscalYear::try_from(year).map_err(E::custom)
            }

            fn visit_u64<E: de::Error>(self, year: u64) -> Result<FiscalYear, E> {
                self.visit_i64(i64::try_from(year).unwrap_or(0))
            }

            // Queries hold texts only.
            fn visit_str<E: de::Error>(self, year: &str) -> Result<FiscalYear, E> {
                year.parse().map_err(E::custom)
            }

            // serde_json hands over a number that keeps its digits as a map.
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<FiscalYear, A::Error> {
                let number = serde_json::Number::deserialize(de::value::MapAccessDeserializer::new(map))?;
                self.visit_i64(crate::scoring::values::whole(&number).unwrap_or(0))
            }
        }

        deserializer.deserialize_any(Year)
    }
}

impl PartialSchema for FiscalYear {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::Integer))
            .minimum(Some(Number::Int(1990)))
            .maximum(Some(Number::Int(2100)))
            .description(Some("A fiscal year (年度)."))
            .examples([serde_json::Value::from(2019)])
            .into()
    }
}

impl ToSchema for FiscalYear {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("FiscalYear")
    }
}

/// A day (日期): `2020-03-31`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Date(jiff::civil::Date);

impl std::str::FromStr for Date {
    /// The refusal in Chinese and English.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The library also reads times and other forms; one form is enough for a file that people compare.
        let date = (text.len() == 10)
            .then(|| text.parse::<jiff::civil::Date>().ok())
            .flatten();
        date.filter(|date| (1990..=2199).contains(&date.year())).map(Self).ok_or_else(|| {
            format!("应为YYYY-MM-DD形式的日期，如2020-03-31。{LANGUAGES}expected a day as YYYY-MM-DD, such as 2020-03-31")
        })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl PartialSchema for Date {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .format(Some(utoipa::openapi::SchemaFormat::Custom("date".to_owned())))
            .pattern(Some("^(199[0-9]|2[01][0-9]{2})-[0-9]{2}-[0-9]{2}$"))
            .description(Some("A day, YYYY-MM-DD, from 1990 to 2199."))
            .examples([serde_json::Value::from("2020-03-31")])
            .into()
    }
}

impl ToSchema for Date {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Date")
    }
}

/// A moment (时刻), RFC 3339 with its offset, such as `2027-01-05T00:00:00+08:00`; kept in UTC to the microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(jiff::Timestamp);

impl Moment {
    /// Whether it is over.
    pub fn is_past(self) -> bool {
        self.0 <= jiff::Timestamp::now()
    }
}

impl std::str::FromStr for Moment {
    /// The refusal in Chinese and English.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The library also reads other forms, such as a space for the T; one form is enough.
        let digits: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        let rest = digits
            .strip_prefix("0000-00-00T00:00:00")
            .map(|rest| match rest.strip_prefix('.') {
                Some(fraction) => fraction
                    .strip_prefix('0')
                    .map_or("", |rest| rest.trim_start_matches('0')),
                None => rest,
            });
        let formed = matches!(rest, Some("Z" | "+00:00" | "-00:00")) && text.len() <= 35;
        let moment = formed.then(|| text.parse::<jiff::Timestamp>().ok()).flatten();
        let year = |moment: &jiff::Timestamp| moment.to_zoned(jiff::tz::TimeZone::UTC).year();
        let moment = moment.and_then(|moment| moment.round(jiff::Unit::Microsecond).ok());
        moment.filter(|moment| (1990..=2199).contains(&year(moment))).map(Self).ok_or_else(|| {
            format!(
                "应为带时区的时刻，如2027-01-05T00:00:00+08:00。{LANGUAGES}expected a moment with its offset, such as 2027-01-05T00:00:00+08:00"
            )
        })
    }
}

/// As it is stored, which sorts as time does: in UTC, with six decimals.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.0)
    }
}

impl Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(
                utoipa::openapi::KnownFormat::DateTime,
            )))
            .pattern(Some(
                "^(199[0-9]|2[01][0-9]{2})-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$",
            ))
            .description(Some("A moment (RFC 3339) with its offset, from 1990 to 2199."))
            .examples([serde_json::Value::from("2027-01-05T00:00:00+08:00")])
            .into()
    }
}

impl ToSchema for Moment {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Moment")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn uscc(text: &str) -> Result<Uscc, String> {
        Uscc::try_from(text.to_owned())
    }

    #[test]
    fn published_credit_codes_pass_and_one_wrong_character_does_not() {
        // Baidu, Tencent, the Supreme People's Court: as printed on their sites.
        for good in ["91110000802100433B", "9144030071526726XG"] {
            assert!(uscc(good).is_ok(), "{good}");
        }
        for bad in [
            "91110000802100433A",
            "91110000802100433b",
            "9111000080210043IB",
            "",
            "91110000802100433",
        ] {
            assert!(uscc(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn exactly_one_check_character_fits_and_no_single_slip_goes_unseen(
            body in "[0-9A-HJ-NPQRTUWXY]{17}", place in 0usize..17, other in 0usize..31,
        ) {
            let fitting: Vec<String> = USCC_ALPHABET
                .iter()
                .map(|check| format!("{body}{}", char::from(*check)))
                .filter(|code| uscc(code).is_ok())
                .collect();
            prop_assert_eq!(fitting.len(), 1);
            let mut slipped = fitting[0].clone().into_bytes();
            if slipped[place] != USCC_ALPHABET[other] {
                slipped[place] = USCC_ALPHABET[other];
                prop_assert!(uscc(&String::from_utf8(slipped).unwrap()).is_err());
            }
        }
    }

    #[test]
    fn where_a_webhook_sends_to_is_an_address_of_http_without_credentials() {
        let url = |text: &str| WebhookUrl::try_from(text.to_owned());
        for good in [
            "https://oa.example.gov.cn/hooks/jixiao?of=219&to=@",
            "http://10.1.2.3:8080",
            "https://[fd00::1]:443/",
            "https://hooks_1/",
        ] {
            assert!(url(good).is_ok(), "{good}");
        }
        for bad in [
            "https://",
            "https:///",
            "ftp://a/",
            "HTTPS://a/",
            "https://me@a/",
            "https://me:b@a/",
            "https://a/#b",
            "https://a b/",
            "https://a!b/",
            "https://a%2e/",
            "https://-a/",
            "https://a:/",
            "https://a:b/",
            "https://a:99999/",
            "https://[::g]/",
            "https://[::1/",
            "https://[::1]a/",
            "https://1.2.3.4.5/",
            "https://a\\b",
            "https://例/",
            "https://a/例",
        ] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }

    /// The schema refuses by the pattern, the type by hand: what one refuses the other does too.
    #[test]
    fn the_pattern_of_a_webhooks_address_says_what_the_type_does() {
        let RefOr::T(Schema::Object(schema)) = WebhookUrl::schema() else {
            panic!("a schema of its own");
        };
        let judge = jsonschema::validator_for(&serde_json::to_value(schema).unwrap()).unwrap();
        proptest!(|(text in "https?:/{1,3}[]\\[a0.:_@!%/?# -]{0,12}")| {
            if WebhookUrl::try_from(text.clone()).is_ok() {
                prop_assert!(judge.is_valid(&text.as_str().into()), "{}", text);
            }
        });
    }

    #[test]
    fn a_day_has_one_form_and_exists() {
        assert_eq!("2020-02-29".parse::<Date>().unwrap().to_string(), "2020-02-29");
        for bad in [
            "2019-02-29",
            "2020-2-9",
            "20200229",
            "2020-02-29T00:00",
            "1989-12-31",
            "+02020-2-1",
            "",
        ] {
            assert!(bad.parse::<Date>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_moment_has_an_offset_and_is_kept_in_utc() {
        let kept = |text: &str| text.parse::<Moment>().unwrap().to_string();
        // Midnight in China is 16:00 of the day before in UTC.
        assert_eq!(kept("2027-01-05T00:00:00+08:00"), "2027-01-04T16:00:00.000000Z");
        assert_eq!(kept("2027-01-05T00:00:00.25Z"), "2027-01-05T00:00:00.250000Z");
        for bad in [
            "2027-01-05T00:00:00",
            "2027-01-05 00:00:00Z",
            "2027-01-05T00:00:00.Z",
            "2027-01-05T00:00:00+0800",
            "2027-02-30T00:00:00Z",
            "2027-01-05T00:00:00Z[UTC]",
            "2027-01-05",
            "1989-01-05T00:00:00Z",
            "",
        ] {
            assert!(bad.parse::<Moment>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_fiscal_year_is_a_plain_whole_number() {
        assert_eq!("2019".parse::<FiscalYear>().unwrap().get(), 2019);
        assert_eq!(serde_json::from_str::<FiscalYear>("2019").unwrap().get(), 2019);
        for bad in ["1989", "2101", "\"x\"", "2019.5", "null", "-2019"] {
            assert!(serde_json::from_str::<FiscalYear>(bad).is_err(), "{bad}");
        }
        for bad in ["02019", "+2019", " 2019", "２０１９"] {
            assert!(bad.parse::<FiscalYear>().is_err(), "{bad}");
        }
    }
}
