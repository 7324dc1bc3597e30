// Snapshots with insta, whose comparison is told by a rule: expected against seen, as every other failure.

use insta::{
    Comparator, DefaultComparator, Settings, Snapshot,
    internals::{SnapshotContents, TextSnapshotContents},
};
use std::{
    env,
    sync::{Arc, Mutex, PoisonError},
};
use testkit::Rule;

/// Holds a text against what stands here. Authors change what stands here with `cargo insta test --review`.
macro_rules! reads {
    ($rule:expr, $seen:expr, @$expected:literal) => {{
        let seen: String = $seen;
        let compared = $crate::snapshot::Compared::default();
        compared.settings().bind(|| insta::assert_snapshot!(seen, @$expected));
        compared.judge(&$rule);
    }};
}

/// What insta compared in one assertion.
#[derive(Clone, Default)]
pub struct Compared {
    /// Expected and seen, when they are not the same.
    differ: Arc<Mutex<Option<(String, String)>>>,
}

impl Compared {
    /// With these insta asks us whether two texts are the same.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::clone_current();
        settings.set_comparator(self.dyn_clone());
        settings
    }

    /// Ends the test when they were not.
    #[track_caller]
    pub fn judge(&self, rule: &Rule<'_>) {
        if let Some((expected, seen)) = self.differ.lock().unwrap_or_else(PoisonError::into_inner).take() {
            rule.broken(expected, seen);
        }
    }
}

impl Comparator for Compared {
    fn matches(&self, reference: &Snapshot, test: &Snapshot) -> bool {
        let same = DefaultComparator.matches(reference, test);
        let an_author_updates = env::var("INSTA_UPDATE").is_ok_and(|update| update != "no");
        if same || an_author_updates {
            return same;
        }
        let texts = Some((text(reference), text(test)));
        *self.differ.lock().unwrap_or_else(PoisonError::into_inner) = texts;
        // To insta all is well: it writes no file and draws no difference. The rule tells of it.
        true
    }

    fn dyn_clone(&self) -> Box<dyn Comparator> {
        Box::new(self.clone())
    }
}

fn text(snapshot: &Snapshot) -> String {
    match snapshot.contents() {
        SnapshotContents::Text(text) => TextSnapshotContents::to_string(text),
        SnapshotContents::Binary(_) => "bytes".to_owned(),
    }
}
