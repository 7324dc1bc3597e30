//! Verdicts for a CI system: JUnit's XML. It keeps to what both common schemas allow, that of Ant
//! (windyroad/JUnit-Schema) and that of Jenkins (xunit-plugin, `junit-10.xsd`). See CONTRIBUTING for how to validate it.
//!
//! Each step is a `testsuite`. A test that failed, timed out or is not written is a `failure` of that type, one that
//! crashed an `error`, one that is not gradable here is `skipped`. A lab of which nothing could be graded is a suite
//! with one `error`.

use super::evidence::{self, plain};
use crate::verdict::{Failure, Step, Test, TestOutcome, Verdict};
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};
use std::{io, time::SystemTime};

/// One document of several verdicts. `at`: when they were given, which JUnit wants to know.
pub fn verdicts(verdicts: &[&Verdict], at: SystemTime) -> anyhow::Result<String> {
    // JUnit's times have no zone; UTC is what most readers take them for.
    let at = humantime::format_rfc3339_seconds(at).to_string().trim_end_matches('Z').to_owned();
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let mut suites = Suites { at, count: 0 };
    writer.create_element("testsuites").write_inner_content(|writer| {
        for verdict in verdicts {
            if verdict.problem.is_some() {
                suites.problem(writer, verdict)?;
            }
            for step in &verdict.steps {
                suites.step(writer, verdict, step)?;
            }
        }
        Ok(())
    })?;
    Ok(String::from_utf8(writer.into_inner())? + "\n")
}

type Xml = Writer<Vec<u8>>;

/// What is known across suites.
struct Suites {
    at: String,
    count: usize,
}

impl Suites {
    fn step(&mut self, writer: &mut Xml, verdict: &Verdict, step: &Step) -> io::Result<()> {
        let count = |wanted: fn(TestOutcome) -> Element| {
            move |element: Element| step.tests.iter().filter(|test| wanted(test.outcome) == element).count()
        };
        let count = count(Element::of);
        let seconds = step.tests.iter().map(|test| test.millis).sum::<u64>();
        let counts =
            [step.tests.len(), count(Element::Failure), count(Element::Error), count(Element::Skipped)];
        let name = format!("{} step {}: {}", verdict.short(), step.number, step.title);
        let failed_first =
            verdict.steps.iter().find(|step| step.tests.iter().any(|t| t.outcome.is_failure()));
        let names_mistakes = failed_first.is_some_and(|first| first.number == step.number);
        self.suite(writer, verdict, &name, counts, seconds, |writer| {
            writer.create_element("properties").write_inner_content(|writer| {
                for (name, value) in [
                    ("points", step.points.to_string()),
                    ("points_possible", step.points_possible.to_string()),
                    ("readme", step.readme.clone()),
                ] {
                    let property = writer.create_element("property").with_attribute(("name", name));
                    property.with_attribute(("value", clean(&value).as_str())).write_empty()?;
                }
                Ok(())
            })?;
            for test in &step.tests {
                test_case(writer, verdict, test)?;
            }
            let likely = if names_mistakes {
                plain(|text| evidence::write_likely(text, verdict))
            } else {
                String::new()
            };
            writer.create_element("system-out").write_text_content(BytesText::new(&clean(&likely)))?;
            Ok(())
        })
    }

    /// Of what could not be graded there is no test; a reader of JUnit must not take that for a pass.
    fn problem(&mut self, writer: &mut Xml, verdict: &Verdict) -> io::Result<()> {
        let Some(problem) = &verdict.problem else { return Ok(()) };
        self.suite(writer, verdict, verdict.short(), [1, 0, 1, 0], verdict.millis, |writer| {
            writer.create_element("properties").write_empty()?;
            let case = writer.create_element("testcase").with_attribute(("name", "can be graded"));
            let case = case.with_attribute(("classname", verdict.lab.as_str()));
            let case = case.with_attribute(("time", seconds(verdict.millis).as_str()));
            case.write_inner_content(|writer| {
                let outcome = serde_name(&verdict.outcome);
                let details = format!("{}\n\n{}\n", problem.details.join("\n"), problem.next);
                fault(writer, "error", &outcome, &problem.what, &details)
            })?;
            writer.create_element("system-out").write_empty()?;
            Ok(())
        })
    }

    /// `counts`: all tests, and of these failures, errors and skipped ones.
    fn suite(
        &mut self,
        writer: &mut Xml,
        verdict: &Verdict,
        name: &str,
        counts: [usize; 4],
        millis: u64,
        content: impl FnOnce(&mut Xml) -> io::Result<()>,
    ) -> io::Result<()> {
        let [tests, failures, errors, skipped] = counts.map(|count| count.to_string());
        let id = self.count.to_string();
        self.count += 1;
        writer
            .create_element("testsuite")
            .with_attributes([
                ("id", id.as_str()),
                ("name", &clean(name)),
                ("package", &verdict.lab),
                ("timestamp", &self.at),
                // "'localhost' should be used if the hostname cannot be determined", says Ant's schema. Whose machine
                // it was plays no part in a verdict.
                ("hostname", "localhost"),
                ("tests", &tests),
                ("failures", &failures),
                ("errors", &errors),
                ("skipped", &skipped),
                ("time", &seconds(millis)),
            ])
            .write_inner_content(|writer| {
                content(writer)?;
                writer.create_element("system-err").write_empty()?;
                Ok(())
            })?;
        Ok(())
    }
}

/// What JUnit makes of a test.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Element {
    Passed,
    Failure,
    Error,
    Skipped,
}

impl Element {
    fn of(outcome: TestOutcome) -> Self {
        match outcome {
            TestOutcome::Passed => Self::Passed,
            TestOutcome::Failed | TestOutcome::TimedOut | TestOutcome::NotImplemented => Self::Failure,
            TestOutcome::Crashed => Self::Error,
            TestOutcome::NotGradable => Self::Skipped,
        }
    }
}

fn test_case(writer: &mut Xml, verdict: &Verdict, test: &Test) -> io::Result<()> {
    let (module, name) = test.name.rsplit_once("::").unwrap_or(("", &test.name));
    let class =
        [&verdict.lab, module].iter().filter(|part| !part.is_empty()).fold(String::new(), |class, part| {
            if class.is_empty() { (*part).to_owned() } else { format!("{class}.{}", part.replace("::", ".")) }
        });
    let case = writer.create_element("testcase").with_attribute(("name", name));
    let case = case.with_attribute(("classname", class.as_str()));
    let case = case.with_attribute(("time", seconds(test.millis).as_str()));
    let nothing = Failure::default();
    let failure = test.failure.as_ref().unwrap_or(&nothing);
    let element = match Element::of(test.outcome) {
        Element::Passed => return case.write_empty().map(drop),
        Element::Failure => "failure",
        Element::Error => "error",
        Element::Skipped => "skipped",
    };
    case.write_inner_content(|writer| {
        if element == "skipped" {
            return writer.create_element(element).write_empty().map(drop);
        }
        let evidence = plain(|text| evidence::write(text, failure));
        fault(writer, element, &serde_name(&test.outcome), &failure.what, &evidence)
    })
    .map(drop)
}

fn fault(writer: &mut Xml, element: &str, kind: &str, message: &str, details: &str) -> io::Result<()> {
    let element = writer.create_element(element).with_attribute(("type", kind));
    let element = element.with_attribute(("message", clean(message).as_str()));
    element.write_text_content(BytesText::new(&clean(details))).map(drop)
}

fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1000, millis % 1000)
}

/// An outcome by the name that it has in JSON.
fn serde_name(outcome: &impl serde::Serialize) -> String {
    serde_json::to_value(outcome).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// XML 1.0 has no way to write most control characters, and a learner's code may print any of them (XML 1.0, 2.2).
fn clean(text: &str) -> String {
    let allowed = |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    text.chars().map(|c| if allowed(&c) { c } else { '\u{fffd}' }).collect()
}
