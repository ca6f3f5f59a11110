//! The demonstration: the examples, loaded over HTTP as their scripts do it, into a database that is thrown away.

use std::fmt::Write;

/// An example: its script, and the files that the script sends.
struct Example {
    script: &'static str,
    files: &'static [(&'static str, &'static str)],
}

macro_rules! example {
    ($folder:literal: $($file:literal),*) => {
        Example {
            script: include_str!(concat!("../examples/", $folder, "/run.sh")),
            files: &[$(($file, include_str!(concat!("../examples/", $folder, "/", $file)))),*],
        }
    };
}

const EXAMPLES: [Example; 2] = [
    example!("kaiyun-2019": "unit.json", "fiscal-year.json", "base-data.json", "fund-village-running.json",
        "fund-community-running.json", "fund-dilapidated-housing.json", "narrative.json"),
    example!("published-2018": "unit.json", "scheme.json", "fiscal-year.json", "base-data.json"),
];

/// Why the examples could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A script sends a file that the program does not have.
    #[error("an example sends {0}, which is not part of the program")]
    File(String),
    /// The server refused a request, or did not answer.
    #[error("{0}: {1}")]
    Http(String, Box<ureq::Error>),
}

/// Does what the examples' scripts do against the server at `base`, and returns what they print.
///
/// The scripts' lines `send METHOD PATH FILE` and `show PATH` are read, so that the two cannot differ.
///
/// # Errors
/// When the server refuses a request.
pub fn load(base: &str) -> Result<String, DemoError> {
    let mut shown = String::new();
    for example in &EXAMPLES {
        for line in example.script.lines() {
            match line.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["send", "PUT", path, file] => {
                    let (_, body) = example
                        .files
                        .iter()
                        .find(|(name, _)| name == file)
                        .ok_or_else(|| DemoError::File((*file).to_owned()))?;
                    ureq::put(format!("{base}/api/v1{path}"))
                        .content_type("application/json")
                        .send(*body)
                        .map_err(|error| DemoError::Http((*path).to_owned(), Box::new(error)))?;
                }
                ["show", path] => {
                    let table = ureq::get(format!("{base}/api/v1{path}"))
                        .header("Accept", "text/plain")
                        .call()
                        .and_then(|mut response| response.body_mut().read_to_string())
                        .map_err(|error| DemoError::Http((*path).to_owned(), Box::new(error)))?;
                    // A String takes all that is written.
                    let _ = writeln!(shown, "{table}");
                }
                _ => {}
            }
        }
    }
    Ok(shown)
}
