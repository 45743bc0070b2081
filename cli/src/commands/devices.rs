//! `devices`: GPU adapters, and which one `--engine auto` takes.

use crate::console::Console;
use crate::failure::Outcome;
use crate::table::{Side, Table};
use serde_json::json;
use synfire_runtime::engine::gpu::{AdapterInfo, adapters};

/// See the module.
pub fn devices(console: &Console) -> Outcome {
    let all = adapters();
    let auto = all.iter().position(AdapterInfo::is_real);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if console.is_json() {
        let list: Vec<_> = all
            .iter()
            .enumerate()
            .map(|(i, a)| json!({ "name": a.name, "backend": a.backend, "type": a.device_type, "driver": a.driver, "software": !a.is_real(), "auto": Some(i) == auto }))
            .collect();
        console.json(&json!({ "auto": if auto.is_some() { "gpu" } else { "cpu" }, "adapters": list, "cpu_threads": threads }));
        return Ok(());
    }
    let mut table = Table::new(&[
        ("adapter", Side::Left),
        ("type", Side::Left),
        ("API", Side::Left),
        ("driver", Side::Left),
    ]);
    for (i, a) in all.iter().enumerate() {
        let mark = if Some(i) == auto { " (auto)" } else { "" };
        let kind = if a.is_real() {
            a.device_type.clone()
        } else {
            "software".into()
        };
        table.row([
            format!("{}{mark}", a.name),
            kind,
            a.backend.clone(),
            a.driver.clone(),
        ]);
    }
    let mut text = if table.is_empty() {
        "No GPU adapter.\n".into()
    } else {
        table.render(console)
    };
    text += &match auto.and_then(|i| all.get(i)) {
        Some(a) => format!("\n--engine auto takes {}.\n", a.name),
        None if all.is_empty() => format!("\n--engine auto takes the CPU ({threads} threads).\n"),
        None => format!(
            "\n--engine auto takes the CPU ({threads} threads): software adapters run only with --engine gpu.\n"
        ),
    };
    console.print(&text);
    Ok(())
}
