//! What was proven, as one table.

use std::fmt;
use xtask::render::style::{BAD, BOLD, GOOD, paint};

/// One thing that was proven, or not.
#[derive(Debug)]
pub struct Row {
    pub name: String,
    /// Why it does not hold.
    pub fault: Option<String>,
    /// What its author should know of it although it holds.
    pub remark: Option<String>,
}

impl Row {
    pub fn of(name: impl Into<String>, result: anyhow::Result<()>) -> Self {
        Self { name: name.into(), fault: result.err().map(|error| format!("{error:#}")), remark: None }
    }
}

/// All of them, in groups.
#[derive(Debug, Default)]
pub struct Table {
    groups: Vec<(String, Vec<Row>)>,
}

impl Table {
    pub fn add(&mut self, whose: &str, what: &str, rows: Vec<Row>) {
        self.groups.push((format!("{whose:<8} {what}"), rows));
    }

    pub fn failed(&self) -> usize {
        self.rows().filter(|row| row.fault.is_some()).count()
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.groups.iter().flat_map(|(_, rows)| rows)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (group, rows) in &self.groups {
            for row in rows {
                if let Some(remark) = &row.remark {
                    writeln!(f, "\n· {group}: {}\n  {remark}", row.name)?;
                }
                if let Some(fault) = &row.fault {
                    writeln!(f, "\n{}\n  {fault}", paint(BAD, format_args!("✗ {group}: {}", row.name)))?;
                }
            }
        }
        writeln!(f, "\n{}", paint(BOLD, format_args!("  {:<50} passed  failed", "proven")))?;
        for (group, rows) in &self.groups {
            let failed = rows.iter().filter(|row| row.fault.is_some()).count();
            let mark = match (rows.len(), failed) {
                // Nothing was proven, and nothing disproven.
                (0, _) => "·".to_owned(),
                (_, 0) => paint(GOOD, "✓"),
                _ => paint(BAD, "✗"),
            };
            writeln!(f, "{mark} {group:<50} {:>6} {failed:>7}", rows.len() - failed)?;
        }
        let failed = self.failed();
        writeln!(f, "\n{} passed, {failed} failed", self.rows().count() - failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_stand_before_the_table_and_the_sum_is_its_last_line() {
        let mut table = Table::default();
        table.add(
            "lab-01",
            "mistakes",
            vec![Row::of("one", Ok(())), Row::of("two", Err(anyhow::anyhow!("it passed")))],
        );
        let text = anstream::adapter::strip_str(&table.to_string()).to_string();
        assert!(text.starts_with("\n✗ lab-01   mistakes: two\n  it passed\n"), "{text}");
        assert_eq!(text.lines().last(), Some("1 passed, 1 failed"));
        assert_eq!(table.failed(), 1);
    }

    #[test]
    fn a_remark_is_told_and_counts_as_passed() {
        let mut table = Table::default();
        table.add("lab-01", "mistakes", vec![Row { remark: Some("luck".into()), ..Row::of("one", Ok(())) }]);
        let text = anstream::adapter::strip_str(&table.to_string()).to_string();
        assert!(text.starts_with("\n· lab-01   mistakes: one\n  luck\n"), "{text}");
        assert_eq!(table.failed(), 0);
    }
}
