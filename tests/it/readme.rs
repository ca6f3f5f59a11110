//! The READMEs promise what their commands print; here they are run.

use std::process::Command;

use crate::support::process::Process;

/// A command of a README, and what it is said to print.
struct Promise {
    command: String,
    output: String,
}

/// The commands in the blocks marked `console`: `$ ` begins one, `> ` continues it, other lines are its output.
fn promises(readme: &str) -> Vec<Promise> {
    let mut promises: Vec<Promise> = Vec::new();
    for block in readme.split("```console\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                promises.push(Promise {
                    command: command.to_owned(),
                    output: String::new(),
                });
            } else {
                let last = promises.last_mut().expect("a block begins with a command");
                match line.strip_prefix("> ") {
                    Some(more) => last.command.extend(["\n", more]),
                    None => last.output.extend([line, "\n"]),
                }
            }
        }
    }
    promises
}

/// Whether `printed` is `promised`, in which `…` stands for anything.
fn keeps(promised: &str, printed: &str) -> bool {
    let mut parts = promised.split('…');
    let Some(mut rest) = parts.next().and_then(|first| printed.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in between {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn check(readme: &str) {
    let demo = Process::demo();
    let folder = tempfile::tempdir().unwrap();
    let promises = promises(readme);
    assert!(promises.len() > 10, "the README has commands");
    // One shell for all, since later commands use the variables of earlier ones.
    let mut script = String::new();
    for promise in &promises {
        script.push_str(&promise.command.replace("http://127.0.0.1:8080", demo.base()));
        script.push_str("\nprintf '\\036'\n");
    }
    let output = Command::new("sh")
        .arg("-c")
        .arg(script)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let printed: Vec<&str> = printed.split('\u{1e}').collect();
    assert_eq!(
        printed.len(),
        promises.len() + 1,
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let broken: Vec<String> = promises
        .iter()
        .zip(printed)
        .filter(|(promise, printed)| !keeps(promise.output.trim_end(), printed.trim_end()))
        .map(|(promise, printed)| {
            format!(
                "$ {}\npromised: {}\nprinted:  {printed}",
                promise.command, promise.output
            )
        })
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_english_readme_prints_what_it_says() {
    check(include_str!("../../README.md"));
}

#[test]
fn the_chinese_readme_prints_what_it_says() {
    check(include_str!("../../README.zh-CN.md"));
}
