use super::*;

#[test]
fn a_package_is_known_by_its_name() {
    assert_eq!(package_name("path+file:///course/labs/lab-01-x#0.1.0"), "lab-01-x");
    assert_eq!(package_name("path+file:///course/target/a#lab-01-x@0.1.0"), "lab-01-x");
}

#[test]
fn a_contract_that_does_not_compile_is_told_in_the_words_of_its_compiler() {
    let lab = |name: &str| Lab {
        number: "00".into(),
        name: name.into(),
        dir: PathBuf::new(),
        solution: PathBuf::new(),
    };
    let stderr = "error: failed to run custom build command for `lab-00-x v0.1.0 (/course/labs/lab-00-x)`\n\n\
                  Caused by:\n  process didn't exit successfully: `/build-script-build` (exit status: 1)\n  \
                  --- stdout\n  cargo:rerun-if-changed=proto\n\n  --- stderr\n  \
                  proto/x.proto:3:1: field number '4' conflicts\n\
                  warning: build failed, waiting for other jobs to finish...\n";
    let told = of_contract(&lab("lab-00-x"), stderr);
    assert_eq!(told.as_deref(), Some("proto/x.proto:3:1: field number '4' conflicts\n"));
    assert_eq!(of_contract(&lab("lab-00-y"), stderr), None, "somebody else's");
}

#[test]
fn errors_and_suites_are_found_among_other_messages() {
    let read = |json: &str| serde_json::from_str(json).ok().and_then(of_message);
    let error = r#"{"reason":"compiler-message","package_id":"path+file:///p/a#0.1.0","target":{},
        "message":{"level":"error","rendered":"error: x"}}"#;
    assert!(matches!(read(error), Some(Built::Error { package, .. }) if package == "a"));
    assert!(read(&error.replace(r#""error""#, r#""warning""#)).is_none());
    let suite = r#"{"reason":"compiler-artifact","package_id":"path+file:///p/a#0.1.0",
        "target":{"kind":["test"],"name":"suite","src_path":"/s"},"filenames":[],"executable":"/t/suite-1"}"#;
    assert!(matches!(read(suite), Some(Built::Suite { package, .. }) if package == "a"));
    assert!(read(r#"{"reason":"build-finished","success":true}"#).is_none());
}
