//! The schemes that come with the program, embedded in it.

use super::scheme::SchemeDocument;

/// A scheme that comes with the program.
pub struct Builtin {
    /// Its id.
    pub id: &'static str,
    /// Its document, as JSON.
    pub json: &'static str,
}

/// The built-in schemes: two that can be scored by, and one template.
pub const BUILTINS: [Builtin; 3] = [
    Builtin {
        id: "hunan-2019",
        json: include_str!("schemes/hunan-2019.json"),
    },
    Builtin {
        id: "project-2020",
        json: include_str!("schemes/project-2020.json"),
    },
    Builtin {
        id: "mof-2013",
        json: include_str!("schemes/mof-2013.json"),
    },
];

impl Builtin {
    /// Its document.
    ///
    /// # Errors
    /// None for a program that passed its tests: each document is compiled in one.
    pub fn document(&self) -> Result<SchemeDocument, serde_json::Error> {
        serde_json::from_str(self.json)
    }
}

#[cfg(test)]
mod tests {
    use super::super::scheme::Scheme;
    use super::*;

    #[test]
    fn every_builtin_is_free_of_faults_and_only_the_template_cannot_score() {
        for builtin in &BUILTINS {
            let document = builtin.document().unwrap();
            assert_eq!(Scheme::faults(&document), [], "{}", builtin.id);
            assert_eq!(document.template, builtin.id == "mof-2013");
            assert_eq!(
                Scheme::compile(document).is_ok(),
                builtin.id != "mof-2013",
                "{}",
                builtin.id
            );
        }
    }

    #[test]
    fn every_row_says_where_it_was_read() {
        for builtin in &BUILTINS {
            for section in builtin.document().unwrap().sections {
                for indicator in section.indicators {
                    assert!(indicator.source.is_some(), "{}: {}", builtin.id, indicator.code);
                }
            }
        }
    }
}
