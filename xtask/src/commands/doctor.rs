//! `doctor`: what this machine has and lacks, each with its remedy.

use crate::{
    course::Course,
    exit::Exit,
    grade::broker::engine::Engine,
    render::style::{BAD, DIM, GOOD, paint},
};
use std::{env, fs, process::Command};

/// Something that the labs run on.
struct Tool {
    name: &'static str,
    /// Prints its version.
    probe: &'static [&'static str],
    why: &'static str,
    remedy: &'static str,
    required: bool,
}

/// What the broker program uses unless `LABS_KAFKA_IMAGE` names another.
const KAFKA_IMAGE: &str = "apache/kafka:4.3.1";

const C_COMPILER: &str = if cfg!(target_os = "macos") {
    "xcode-select --install"
} else {
    "sudo apt-get install build-essential   (Debian, Ubuntu; elsewhere the packages with gcc, g++ and make)"
};

const TOOLS: [Tool; 5] = [
    Tool {
        name: "Rust",
        probe: &["rustc", "--version"],
        why: "compiles the labs",
        remedy: "rustup update stable   (rustup itself: https://rustup.rs)",
        required: true,
    },
    Tool {
        name: "C compiler",
        probe: &["cc", "--version"],
        why: "links every Rust program",
        remedy: C_COMPILER,
        required: true,
    },
    Tool {
        name: "C++ compiler",
        probe: &["c++", "--version"],
        why: "builds librdkafka, for the labs that need Kafka",
        remedy: C_COMPILER,
        required: true,
    },
    Tool {
        name: "make",
        probe: &["make", "--version"],
        why: "builds libraries written in C",
        remedy: C_COMPILER,
        required: true,
    },
    Tool {
        name: "git",
        probe: &["git", "--version"],
        why: "puts a changed suite back (`reset --tests`)",
        remedy: "https://git-scm.com/downloads",
        required: false,
    },
];

pub fn run(course: &Course) -> anyhow::Result<Exit> {
    let mut healthy = true;
    for tool in &TOOLS {
        match version(tool.probe) {
            Some(version) if tool.name != "Rust" || is_new_enough(&version) => {
                anstream::println!("  {} {:<13} {}", paint(GOOD, "✓"), tool.name, paint(DIM, version));
            }
            found => {
                healthy &= !tool.required;
                let found = found.map_or("not found".to_owned(), |version| {
                    format!("{version} is older than {}", env!("CARGO_PKG_RUST_VERSION"))
                });
                let style = if tool.required { BAD } else { DIM };
                anstream::println!("  {} {:<13} {found}: it {}", paint(style, "✗"), tool.name, tool.why);
                anstream::println!("      get it with: {}", tool.remedy);
            }
        }
    }
    healthy &= target_is_writable(course);
    docker();
    anstream::println!();
    if healthy {
        anstream::println!("This machine can run every lab.");
        return Ok(Exit::Passed);
    }
    anstream::println!("Something is missing: see ✗ above.");
    Ok(Exit::Infrastructure)
}

/// The Docker engine and the image that it needs. No lab requires them: without, the embedded broker serves.
fn docker() {
    let image = env::var("LABS_KAFKA_IMAGE").unwrap_or_else(|_| KAFKA_IMAGE.to_owned());
    let engine = Engine::find().and_then(|engine| engine.ping().map(|()| engine));
    let engine = match engine {
        Ok(engine) => engine,
        Err(silence) => {
            anstream::println!("  {} {:<13} {silence}", paint(DIM, "✗"), "Docker");
            anstream::println!("      it runs Kafka in a container; without it labs use an embedded broker");
            anstream::println!("      {}", silence.remedy());
            return;
        }
    };
    anstream::println!(
        "  {} {:<13} {}",
        paint(GOOD, "✓"),
        "Docker",
        paint(DIM, format_args!("answers at {engine}"))
    );
    match engine.get(&format!("/images/{image}/json")) {
        Ok(200) => anstream::println!("  {} {:<13} {}", paint(GOOD, "✓"), "Kafka image", paint(DIM, image)),
        _ => {
            anstream::println!("  {} {:<13} {image} is not here yet", paint(DIM, "✗"), "Kafka image");
            anstream::println!(
                "      the first check on Docker gets it, or you do with: docker pull {image}"
            );
        }
    }
}

/// The first line that a tool prints of itself.
fn version(probe: &[&str]) -> Option<String> {
    let output = Command::new(probe[0]).args(&probe[1..]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then(|| text.lines().next().unwrap_or_default().to_owned())
}

/// Whether `rustc 1.95.0 (…)` is at least the version that the workspace asks for.
fn is_new_enough(version: &str) -> bool {
    let numbers = |text: &str| -> Option<(u32, u32)> {
        let mut parts = text.split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    };
    let found = version.split_whitespace().nth(1).and_then(numbers);
    found >= numbers(env!("CARGO_PKG_RUST_VERSION"))
}

fn target_is_writable(course: &Course) -> bool {
    let target = course.root.join("target");
    let probe =
        || fs::create_dir_all(&target).and_then(|()| tempfile::NamedTempFile::new_in(&target).map(drop));
    match probe() {
        Ok(()) => {
            anstream::println!("  {} {:<13} {}", paint(GOOD, "✓"), "target", paint(DIM, "can be written"));
            true
        }
        Err(error) => {
            anstream::println!(
                "  {} {:<13} {} cannot be written: {error}",
                paint(BAD, "✗"),
                "target",
                target.display()
            );
            anstream::println!(
                "      look at the disk's space (df -h .) and the folder's owner (ls -ld target)"
            );
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_compiler_is_told_from_a_new_one() {
        assert!(is_new_enough("rustc 1.95.0 (59807616e 2026-04-14)"));
        assert!(is_new_enough("rustc 2.0.0"));
        assert!(is_new_enough("rustc 1.100.0-nightly (x)"));
        assert!(!is_new_enough("rustc 1.94.9 (x)"));
        assert!(!is_new_enough("strange"));
    }
}
