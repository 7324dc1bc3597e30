//! The command line, as clap reads it.

use crate::{course::LAB, exit, grade::broker::Choice};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;

/// Learn gRPC and Kafka in Rust: grade labs, get hints, see where you are.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = exit::HELP)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the labs: your state, points, time, what each needs
    List,
    /// Grade a lab
    Check(Check),
    /// Show the next hint for a step
    Hint(Hint),
    /// Compare your code with the solution, once the lab is passed
    Compare(Anything),
    /// Put the stub back; your work is kept
    Reset(Reset),
    /// Show where you are in each lab
    Progress,
    /// Say what comes next
    Next,
    /// Keep a Kafka in a container warm, so that checks need not start one
    Broker(Broker),
    /// Look at what this machine has and lacks
    Doctor,
    /// For authors: write each lab's stub from its solution
    Stubs(Anything),
    /// For authors: prove every lab and the grader itself
    Verify(Anything),
    /// For authors: have `cargo mutants` change the solutions, and see whether the suites notice
    Mutants(Anything),
    /// For authors: measure how long people wait, beside bare cargo
    Bench(Anything),
    /// For authors: begin a new lab
    NewLab(Anything),
    /// Kill what a grader left behind when it ended (run by the grader, not by people)
    #[command(hide = true)]
    Guard,
}

/// What another program reads. Asked for help, too, it answers itself.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, after_help = "To see its arguments, add --help to the command itself.")]
pub struct Anything {
    #[arg(allow_hyphen_values = true, hide = true, trailing_var_arg = true)]
    arguments: Vec<OsString>,
}

#[derive(Debug, Args)]
#[command(
    after_help = exit::HELP,
    override_usage = "cargo xtask check <LAB> [OPTIONS]\n       cargo xtask check --all-labs [OPTIONS]"
)]
pub struct Check {
    #[arg(value_name = "LAB", help = LAB, required_unless_present = "all_labs")]
    pub lab: Option<String>,
    /// Grade every lab, and print one summary
    #[arg(long, conflicts_with_all = ["lab", "step", "test", "seed", "all", "watch"])]
    pub all_labs: bool,
    /// Grade one step only
    #[arg(long, value_name = "N")]
    pub step: Option<usize>,
    /// Run one test only, by its name or a part of it
    #[arg(long, value_name = "NAME")]
    pub test: Option<String>,
    /// What the tests talk to, in a lab that needs Kafka: docker, embedded, or HOST:PORT of a Kafka of your own.
    /// Without it: $LABS_KAFKA_BOOTSTRAP, else docker where an engine answers, else embedded
    #[arg(long, value_name = "BROKER")]
    pub broker: Option<Choice>,
    /// Run the tests over generated schedules on this one schedule; a failure on one says its number. Earns nothing
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Show every failure in full, not only the first
    #[arg(long)]
    pub all: bool,
    /// Grade again after each change of your files, on a broker that stays warm; Ctrl-C ends it
    #[arg(long)]
    pub watch: bool,
    /// How to print the verdict
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs: one versioned JSON object, as docs/verdict.schema.json describes it
    Json,
    /// For CI systems: JUnit's XML
    Junit,
    /// For GitHub Actions: the text, annotations at your lines, and a summary of the job
    Github,
}

#[derive(Debug, Args)]
pub struct Hint {
    #[arg(value_name = "LAB", help = LAB)]
    pub lab: String,
    /// The step; without it, the first that has not passed
    #[arg(long, value_name = "N")]
    pub step: Option<usize>,
}

#[derive(Debug, Args)]
pub struct Reset {
    #[arg(value_name = "LAB", help = LAB)]
    pub lab: String,
    /// Mend the suite instead: put its test files and lab.toml back, leave your code alone
    #[arg(long)]
    pub tests: bool,
}

#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub struct Broker {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Action {
    /// Start one; checks and `cargo test` find it, and it ends by itself after two hours
    Up,
    /// End it
    Down,
    /// Say whether it is up and where; exit code 4 when it is not
    Status,
}
