// The suite of lab-{{number}}, which is also its specification. One module for each step.

mod add;
