//! The process as the operating system sees it, under the names that Prometheus has for it.

use std::fs;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use prometheus::{Counter, Gauge, IntGauge, Registry, Result};

static STARTED: OnceLock<SystemTime> = OnceLock::new();

/// The process starts now.
pub fn started() {
    STARTED.get_or_init(SystemTime::now);
}

/// How many of the kernel's ticks are a second, in what it tells of processes: 100 on all that Linux runs on.
const TICK: Duration = Duration::from_millis(10);

/// The size of a page, as `statm` counts: 4 KiB where this is built for.
const PAGE: u64 = 4096;

/// Adds what `/proc` says at this moment; what cannot be read is left out.
///
/// # Errors
/// None: the names are constants.
pub fn add(registry: &Registry) -> Result<()> {
    let started = STARTED.get_or_init(SystemTime::now);
    let since = started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let start = Gauge::new(
        "process_start_time_seconds",
        "When the process started, in seconds since 1970.",
    )?;
    start.set(since.as_secs_f64());
    registry.register(Box::new(start))?;
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program, in parentheses, may have spaces.
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .map_or("", |(_, rest)| rest)
        .split_whitespace()
        .collect();
    // Counted from the state, which is field 3 of proc(5): user and system time are 14 and 15, threads 20.
    let field = |number: usize| fields.get(number - 3).and_then(|field| field.parse::<u32>().ok());
    if let (Some(user), Some(system)) = (field(14), field(15)) {
        let cpu = Counter::new("process_cpu_seconds_total", "Processor time used, in seconds.")?;
        cpu.inc_by((TICK * user.saturating_add(system)).as_secs_f64());
        registry.register(Box::new(cpu))?;
    }
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = |index: usize| statm.split_whitespace().nth(index)?.parse::<u64>().ok();
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let open = fs::read_dir("/proc/self/fd").map(|files| files.count() as u64).ok();
    for (name, help, value) in [
        (
            "process_resident_memory_bytes",
            "Memory in use, in bytes.",
            pages(1).map(|pages| pages * PAGE),
        ),
        (
            "process_virtual_memory_bytes",
            "Memory reserved, in bytes.",
            pages(0).map(|pages| pages * PAGE),
        ),
        ("process_threads", "Threads.", field(20).map(u64::from)),
        ("process_open_fds", "Open files and sockets.", open),
        (
            "process_max_fds",
            "How many there may be.",
            files.and_then(|line| line.split_whitespace().next()?.parse().ok()),
        ),
    ] {
        let Some(value) = value.and_then(|value| i64::try_from(value).ok()) else {
            continue;
        };
        let gauge = IntGauge::new(name, help)?;
        gauge.set(value);
        registry.register(Box::new(gauge))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_has_memory_files_threads_and_a_start() {
        let registry = Registry::new();
        add(&registry).unwrap();
        for family in registry.gather() {
            let metric = &family.get_metric()[0];
            let value = metric.get_gauge().get_value().max(metric.get_counter().get_value());
            assert!(
                value > 0.0 || family.name() == "process_cpu_seconds_total",
                "{}",
                family.name()
            );
        }
        assert_eq!(registry.gather().len(), 7);
    }
}
