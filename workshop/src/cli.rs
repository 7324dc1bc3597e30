//! The command line, as clap reads it: of those commands that `cargo xtask` hands on to this program.

use clap::{Args, Parser, Subcommand, ValueEnum};
use xtask::{course::LAB, exit};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = exit::HELP)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compare your code with the solution, once the lab is passed
    Compare(Compare),
    /// Write each lab's stub from its solution
    Stubs(Stubs),
    /// Prove every lab and the grader itself
    Verify(Verify),
    /// Have `cargo mutants` change the solutions, and see whether the suites notice
    Mutants(Mutants),
    /// Measure how long people wait, beside bare cargo
    Bench(Bench),
    /// Begin a new lab
    NewLab(NewLab),
    /// Kill what a grader left behind when it ended (run by the grader, not by people)
    #[command(hide = true)]
    Guard,
}

#[derive(Debug, Args)]
pub struct Compare {
    #[arg(value_name = "LAB", help = LAB)]
    pub lab: String,
    /// Show the solution although the lab has not passed yet
    #[arg(long)]
    pub spoil: bool,
    /// Both versions next to each other
    #[arg(long)]
    pub side_by_side: bool,
}

#[derive(Debug, Args)]
pub struct Stubs {
    /// Write nothing; fail when a stub differs from its solution
    #[arg(long)]
    pub check: bool,
}

#[derive(Debug, Args)]
pub struct Verify {
    #[arg(value_name = "LAB", help = "Only this lab; without it, all of them and the grader's own tests")]
    pub lab: Option<String>,
    /// Prove labs that need Kafka on this kind of broker only; without it, on both where a Docker engine answers
    #[arg(long, value_enum, value_name = "BROKER")]
    pub broker: Option<Proof>,
    /// Prove only the mistakes and variants with this in their names, and nothing else of the lab
    #[arg(long, value_name = "NAME", requires = "lab")]
    pub only: Option<String>,
    /// Write down what was proven: the kill matrix of each lab (which test catches which mistake), and docs/trust.md
    #[arg(long, conflicts_with = "only")]
    pub write: bool,
    /// Run every solution and variant so often on each broker instead, every other time with all cores busy, and say how
    /// often right code failed
    #[arg(long, value_name = "N", conflicts_with = "only")]
    pub flake: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Proof {
    /// Kafka in a container
    Docker,
    /// The cluster in each test's process
    Embedded,
}

#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub struct Mutants {
    #[arg(value_name = "LAB", help = "Only this lab; without it, all of them")]
    pub lab: Option<String>,
    /// Only the mutants with this in their names, such as a file's or a function's
    #[arg(long, value_name = "NAME", requires = "lab")]
    pub only: Option<String>,
    /// Write the figures down, beside each solution, when no mutant is left unexplained
    #[arg(long, conflicts_with = "only")]
    pub write: bool,
}

#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub struct Bench {
    /// Leave out the fresh clones, which take minutes
    #[arg(long)]
    pub quick: bool,
}

#[derive(Debug, Args)]
pub struct NewLab {
    /// What the lab is about, in lower case with hyphens, such as `outbox-relay`
    pub slug: String,
}
