//! What must hold of the source itself: which room knows what.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The files of `src/<folder>`, with their code: without comments and without what stands in quotes.
fn sources(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap().display().to_string();
                found.push((name, code_of(&std::fs::read_to_string(&path).unwrap())));
            }
        }
    }
    assert!(!found.is_empty(), "src/{folder} has no files");
    found.sort();
    found
}

/// A source without comments; of literals only the quotes are left.
fn code_of(source: &str) -> String {
    let mut code = String::new();
    let mut rest = source.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '/' if rest.peek() == Some(&'/') => while rest.next_if(|c| *c != '\n').is_some() {},
            '"' => {
                // A raw text ends with as many signs as it began with; its backslashes are just that.
                let signs = code.chars().rev().take_while(|c| *c == '#').count();
                let raw = code.trim_end_matches('#').ends_with('r');
                code.push('"');
                let mut inside = String::new();
                while let Some(c) = rest.next() {
                    if c == '\\' && !raw {
                        rest.next();
                        continue;
                    }
                    inside.push(c);
                    if inside.ends_with(&format!("\"{}", "#".repeat(if raw { signs } else { 0 }))) {
                        break;
                    }
                }
                code.push('"');
            }
            '\'' => {
                // A character, or the name of a lifetime.
                let next: Vec<char> = rest.clone().take(2).collect();
                match next.as_slice() {
                    ['\\', _] => {
                        rest.next();
                        rest.next();
                        while rest.next_if(|c| *c != '\'').is_some() {}
                        rest.next();
                    }
                    [_, '\''] => {
                        rest.next();
                        rest.next();
                    }
                    _ => code.push('\''),
                }
            }
            c => code.push(c),
        }
    }
    code
}

/// Whether `code` has `word`, not as a part of a longer name.
fn mentions(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

#[test]
fn comments_and_texts_are_no_code() {
    let source = "let a = \"diesel \\\" x\"; // tokio\nlet r = r#\"f64 \" f32\"#; let q = '\"'; fn f<'a>(b: &'a str) {} use jiff;";
    let code = code_of(source);
    for word in ["diesel", "tokio", "f64", "f32"] {
        assert!(!mentions(&code, word), "{word}: {code}");
    }
    assert!(mentions(&code, "jiff") && !mentions(&code, "jif"), "{code}");
}

#[test]
fn the_core_knows_no_http_no_database_no_clock_and_no_files() {
    let foreign = [
        "actix_web",
        "actix_http",
        "diesel",
        "tokio",
        "futures_util",
        "jiff",
        "chrono",
        "Instant",
        "SystemTime",
        "std::time",
        "std::fs",
        "std::net",
        "std::io",
        "std::env",
        "std::process",
        "std::thread",
        "std::path",
    ];
    for (file, code) in sources("scoring").into_iter().chain(sources("checks")) {
        for word in foreign {
            assert!(!mentions(&code, word), "{file} has {word}");
        }
        // `use std::{fs, …}` would say the same in other words.
        assert!(
            !code.contains("std::{"),
            "{file} imports from std in a group, which this test cannot read"
        );
    }
}

#[test]
fn the_core_uses_no_other_room_but_what_is_wrong_with_a_document() {
    let cores = [
        ("scoring", ["fault", "scoring"].as_slice()),
        ("checks", &["fault", "scoring", "checks"]),
    ];
    for ((file, code), known) in cores
        .into_iter()
        .flat_map(|(core, known)| sources(core).into_iter().map(move |source| (source, known)))
    {
        for (at, path) in code.match_indices("crate::") {
            let room = &code[at + path.len()..];
            assert!(
                known.iter().any(|known| room.starts_with(known)),
                "{file} reaches out to crate::{}",
                room.chars().take(30).collect::<String>()
            );
        }
    }
}

#[test]
fn no_float_is_in_the_core() {
    for (file, code) in sources("scoring").into_iter().chain(sources("checks")) {
        for word in ["f32", "f64"] {
            assert!(!mentions(&code, word), "{file} has {word}");
        }
    }
}

#[test]
fn sql_is_in_stores_and_in_db_only() {
    // What asks the database, beyond the derives of rows and the type of a connection that handlers pass on.
    let asking = [
        "QueryDsl",
        "ExpressionMethods",
        "RunQueryDsl",
        "sql_query",
        "insert_into",
        "dsl",
        "into_boxed",
        "get_result",
        "get_results",
        "QueryResult",
        "execute",
        "optional",
    ];
    for (file, code) in sources("") {
        let allowed = file.ends_with("store.rs") || file.starts_with("db/") || file == "health.rs";
        if allowed {
            continue;
        }
        for word in asking {
            assert!(!mentions(&code, word), "{file} has {word}");
        }
        for table in ["update(", "delete("] {
            assert!(
                !code.contains(&format!("diesel::{table}")),
                "{file} has diesel::{table}"
            );
        }
    }
}

#[test]
fn rooms_do_not_use_each_others_sql() {
    let rooms = [
        "units",
        "fiscal_years",
        "schemes",
        "special_funds",
        "evaluations",
        "rankings",
    ];
    for room in rooms {
        for (file, code) in sources(room) {
            for other in rooms.iter().filter(|other| **other != room) {
                let store = format!("crate::{other}::store");
                assert!(!code.contains(&store), "{file} uses {store}");
            }
        }
    }
}

#[test]
fn no_two_types_have_a_schema_of_the_same_name() {
    let word = |text: &str| {
        text.trim_start()
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
            .map(str::to_owned)
    };
    let mut holders = BTreeMap::new();
    for (file, code) in sources("") {
        // Up to its name or its body, a type has its attributes.
        let derived = code.split("#[derive(").skip(1).filter_map(|item| {
            let (derives, rest) = item.split_once(")]")?;
            let (attributes, body) = rest
                .split_once("pub struct ")
                .or_else(|| rest.split_once("pub enum "))?;
            let name = attributes.split_once("schema(as = ").map_or(body, |(_, name)| name);
            word(name).filter(|_| mentions(derives, "ToSchema"))
        });
        let written = code.split("impl ToSchema for ").skip(1).filter_map(word);
        for name in derived.chain(written).filter(|name| !name.is_empty()) {
            if let Some(other) = holders.insert(name.clone(), file.clone()) {
                panic!(
                    "{name} is the schema of a type in {other} and of one in {file}: name one of them with `schema(as = …)`"
                );
            }
        }
    }
    assert!(holders.len() > 100);
}

/// What is sent most must be read straight into its type. A name that is a list here and an object there would send each
/// body the long way, at half the speed, and no other test would see it.
#[test]
fn the_usual_bodies_are_read_without_the_schemas() {
    let contract = jixiao::http::contract::Contract::new(jixiao::app::openapi_json().unwrap().leak());
    let bodies = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/http");
    for (schema, file) in [("BaseData", "base-data.json"), ("Assessments", "assessments.json")] {
        let body = std::fs::read_to_string(bodies.join(file)).unwrap();
        assert!(contract.arrays_are_lists(schema, body.as_bytes()), "{file}");
        let preview = match schema {
            "BaseData" => format!(r#"{{"scheme": "hunan-2019", "base_data": {body}}}"#),
            _ => format!(r#"{{"scheme": "hunan-2019", "assessments": {body}}}"#),
        };
        assert!(
            contract.arrays_are_lists("PreviewInput", preview.as_bytes()),
            "{file} in a preview"
        );
    }
}
