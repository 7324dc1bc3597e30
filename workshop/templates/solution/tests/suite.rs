//! The lab's suite, over the solution.

extern crate solution_{{number}}_{{crate}} as lab_{{number}}_{{crate}};
include!("../../../labs/lab-{{number}}-{{slug}}/tests/suite/main.rs");
