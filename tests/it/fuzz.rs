//! The fuzz targets, for as long as a test may take: on every seed and finding, and on mutations of these that are the same
//! each time. `tests/fuzz.sh` takes all the time that it is given.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

#[path = "../../fuzz/targets.rs"]
mod targets;

/// What numbers and texts go wrong on.
const TOKENS: &[&[u8]] = &[
    b"0",
    b"-1",
    b"9999999999.999999",
    b"-9223372036854775808",
    b"1e400",
    b"null",
    b"[]",
    b"{\"a\":0}",
    b"\"",
    b"\n",
    b"%",
    b"\x00",
    b"\xff",
    "\u{feff}".as_bytes(),
    "元".as_bytes(),
];

/// Numbers that look like chance (SplitMix64) and are the same each time.
struct Chance(u64);

impl Chance {
    /// A number below `bound`, which is more than 0.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    fn piece<'a>(&mut self, of: &'a [u8]) -> &'a [u8] {
        let at = self.below(of.len() + 1);
        let end = (at + self.below(32)).min(of.len());
        &of[at..end]
    }

    /// A seed with a few things changed in it.
    fn mutated(&mut self, seeds: &[(String, Vec<u8>)], n: usize) -> Vec<u8> {
        let mut bytes = seeds[n].1.clone();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            let end = (at + self.below(16)).min(bytes.len());
            let new = match self.below(5) {
                0 => bytes[at..end].iter().map(|byte| byte ^ (1 << self.below(8))).collect(),
                1 => Vec::new(),
                2 => self.piece(&bytes).repeat(1 << self.below(7)),
                3 => {
                    let other = self.below(seeds.len());
                    self.piece(&seeds[other].1).to_vec()
                }
                _ => TOKENS[self.below(TOKENS.len())].to_vec(),
            };
            bytes.splice(at..end, new);
        }
        bytes
    }
}

/// Every seed of a target by its name, in their order.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect();
    found.sort_unstable();
    assert!(!found.is_empty(), "{target} has no seeds");
    found
}

/// Runs a target on its seeds, and on this many mutations of them in all.
fn run(target: &str, mutations: usize) {
    let (_, run) = targets::ALL.into_iter().find(|(name, _)| *name == target).unwrap();
    let try_it = |input: &[u8], name: &str| {
        if catch_unwind(AssertUnwindSafe(|| run(input))).is_err() {
            panic!("{target} fails on {name}: {:?}", String::from_utf8_lossy(input));
        }
    };
    let seeds = seeds(target);
    for (name, seed) in &seeds {
        try_it(seed, name);
    }
    let mut chance = Chance(0);
    for n in 0..mutations {
        let input = chance.mutated(&seeds, n % seeds.len());
        try_it(&input, &format!("mutation {n}"));
    }
}

macro_rules! fuzzed {
    ($($name:ident: $mutations:expr,)*) => {
        const FUZZED: &[&str] = &[$(stringify!($name)),*];

        $(#[test]
        fn $name() {
            run(stringify!($name), $mutations);
        })*
    };
}

// As many as a debug build tries in some seconds.
fuzzed! {
    scheme: 1000,
    formula: 10_000,
    table: 1000,
    template: 1000,
    rows: 1500,
    workbook: 500,
    query: 400,
    tokens: 2000,
    files: 1000,
    requests: 400,
}

#[test]
fn every_target_is_tried_and_has_a_binary() {
    let names: Vec<_> = targets::ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, FUZZED);
    let manifest = include_str!("../../fuzz/Cargo.toml");
    for name in names {
        assert!(
            manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")),
            "{name}"
        );
    }
}
