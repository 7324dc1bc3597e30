//! `new-lab`: a small lab that works, for an author to replace piece by piece.

use crate::{cli, stubs};
use xtask::{
    course::Course,
    exit::{Exit, Stop},
    files::{self, Files},
};

/// The files of a new lab, by their paths from the course's root.
const TEMPLATES: [(&str, &str); 8] = [
    ("labs/{{name}}/README.md", include_str!("../../templates/lab/README.md")),
    ("labs/{{name}}/lab.toml", include_str!("../../templates/lab/lab.toml")),
    ("labs/{{name}}/tests/suite/add.rs", include_str!("../../templates/lab/tests/suite/add.rs")),
    ("labs/{{name}}/tests/suite/main.rs", include_str!("../../templates/lab/tests/suite/main.rs")),
    ("solutions/{{name}}/Cargo.toml", include_str!("../../templates/solution/Cargo.toml")),
    (
        "solutions/{{name}}/mistakes/overflow-wraps.patch",
        include_str!("../../templates/solution/mistakes/overflow-wraps.patch"),
    ),
    ("solutions/{{name}}/src/lib.rs", include_str!("../../templates/solution/src/lib.rs")),
    ("solutions/{{name}}/tests/suite.rs", include_str!("../../templates/solution/tests/suite.rs")),
];

pub fn run(course: &Course, args: &cli::NewLab) -> anyhow::Result<Exit> {
    let slug = &args.slug;
    let words = || slug.split('-');
    if !words()
        .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
    {
        let what = format!("{slug:?} is no slug");
        return Err(
            Stop::usage(what, "Lower case with hyphens, such as: cargo xtask new-lab outbox-relay").into()
        );
    }
    let next = course.labs.last().map_or(0, |lab| lab.number.parse::<u32>().unwrap_or(0) + 1);
    let number = format!("{next:02}");
    let name = format!("lab-{number}-{slug}");
    let fill = |text: &str| {
        let filled = text.replace("{{number}}", &number).replace("{{name}}", &name).replace("{{slug}}", slug);
        filled.replace("{{crate}}", &slug.replace('-', "_")).replace("{{title}}", &title(slug))
    };
    let files: Files = TEMPLATES.iter().map(|(path, text)| (fill(path), fill(text))).collect();
    files::write(&course.root, &files)?;

    let course = Course::at(&course.root)?;
    let lab = course.lab(&name)?;
    files::write(&lab.dir, &stubs::lab_files(lab)?)?;

    anstream::println!("{name} is there: a small lab that works. Make it yours:\n");
    anstream::println!("  solutions/{name}/src         the solution, with its markers");
    anstream::println!("  labs/{name}/tests/suite      the suite");
    anstream::println!("  labs/{name}/lab.toml         steps, points, hints");
    anstream::println!("  labs/{name}/README.md        the walkthrough");
    anstream::println!("  solutions/{name}/mistakes    wrong solutions and the tests that catch them");
    anstream::println!("  solutions/{name}/variants    other right solutions\n");
    anstream::println!("After each change:  cargo xtask stubs");
    anstream::println!("What is missing:    cargo xtask verify {}", lab.short());
    Ok(Exit::Passed)
}

/// `outbox-relay` as a title: `Outbox relay`.
fn title(slug: &str) -> String {
    let text = slug.replace('-', " ");
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
