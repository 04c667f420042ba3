//! A demo that is ended early leaves none of its keys behind.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use convenant_testkit::Program;

/// How a demo is ended.
#[derive(Clone, Copy, Debug)]
enum Cut {
    Signal(&'static str),
    /// Whoever reads what it tells goes away.
    Pipe,
}

/// Ends a demo once it has told so many lines.
fn cut_short(cut: Cut, after: usize) {
    let temporary = tempfile::tempdir().unwrap();
    let there = || temporary.path().read_dir().unwrap().count();
    let mut demo = Program::find().unwrap().command(&["demo", "--persons", "200"]);
    let demo = demo.env("TMPDIR", temporary.path());
    let mut demo = demo.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(demo.stdout.take().unwrap());
    for _ in 0..after {
        assert!(told.read_line(&mut String::new()).unwrap() > 0, "{cut:?}: it ended by itself");
    }
    assert_eq!(there(), 1, "{cut:?}");
    match cut {
        Cut::Signal(signal) => {
            let sent = Command::new("kill").args([signal, &demo.id().to_string()]).status();
            assert!(sent.unwrap().success());
            // What it says until then must not keep it.
            std::io::copy(&mut told, &mut std::io::sink()).unwrap();
        }
        Cut::Pipe => drop(told),
    }
    let ended = demo.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(there(), 0, "{cut:?} after {after} lines: {said}");
    if let Cut::Signal(_) = cut {
        assert_eq!(ended.status.code(), Some(1), "{cut:?}: {said}");
        assert!(said.contains("interrupted"), "{cut:?}: {said}");
    }
}

#[test]
fn a_demo_that_is_told_to_stop_leaves_nothing_behind() {
    for signal in ["-TERM", "-INT"] {
        for after in [1, 12] {
            cut_short(Cut::Signal(signal), after);
        }
    }
}

#[test]
fn a_demo_that_nobody_reads_leaves_nothing_behind() {
    cut_short(Cut::Pipe, 1);
    cut_short(Cut::Pipe, 12);
}
