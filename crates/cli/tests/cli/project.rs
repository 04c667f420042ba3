//! From a suspension in one line to what the register takes.

use std::fs;

use crate::{code, convenant, done, new_key, stderr, stdout, text};

const PROJECT: &str = "P-2026-001";
const OIN: &str = "00000099000000000599";

#[test]
fn a_suspension_is_written_signed_and_ended() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let (key, _) = new_key(dir.path(), "key", "ed25519");
    let (suspension, signed) = (file("suspension.toml"), file("suspension.jws"));
    let (from, reason) = ("2026-03-02T09:00:00.000Z", "fout in de levering");
    let out = text(&suspension);
    let suspend = ["project", "suspend", PROJECT, "--partner", OIN, "--from", from];
    let suspend = [&suspend[..], &["--reason", reason, "--out", out]].concat();
    let suspended = done(&suspend);
    assert_eq!(stdout(&suspended).trim(), out);
    let next = stderr(&suspended);
    assert!(next.contains(&format!("\n  convenant sign {out} --key KEY\n")), "{next}");
    let submit = format!("\n  convenant register submit {} --config client.toml\n", text(&signed));
    assert!(next.contains(&submit), "{next}");
    let written: toml::Table = fs::read_to_string(&suspension).unwrap().parse().unwrap();
    let said = ["document", "project", "partner", "from", "reason"];
    let said = said.map(|member| written[member].as_str().unwrap());
    assert_eq!(said, ["suspension", PROJECT, OIN, from, reason]);
    // What was written is not written over.
    let again = convenant(&suspend);
    assert_eq!(code(&again), 2);
    assert!(stderr(&again).contains("cannot be written"), "{}", stderr(&again));

    let hash = stdout(&done(&["sign", out, "--key", text(&key)]));
    let resumption = file("resumption.toml");
    let resume = ["project", "resume", "--suspension", text(&signed), "--reason", "hersteld"];
    let resume = [&resume[..], &["--out", text(&resumption)]].concat();
    done(&resume);
    let written: toml::Table = fs::read_to_string(&resumption).unwrap().parse().unwrap();
    assert_eq!(written["suspension"].as_str().unwrap(), hash.trim());
    assert_eq!(written["project"].as_str().unwrap(), PROJECT);
    done(&["sign", text(&resumption), "--key", text(&key)]);

    // Its end is no suspension to end.
    let wrong = file("resumption.jws");
    let resume = ["project", "resume", "--suspension", text(&wrong), "--reason", "x"];
    let output = convenant(&[&resume[..], &["--out", text(&file("other.toml"))]].concat());
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("no signed suspension"), "{}", stderr(&output));
}

#[test]
fn an_instant_is_said_as_it_has_to_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("suspension.toml");
    let suspend = ["project", "suspend", PROJECT, "--from", "morgen", "--reason", "x", "--out"];
    let output = convenant(&[&suspend[..], &[text(&out)]].concat());
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("2026-01-31T12:00:00.000Z"), "{}", stderr(&output));
    assert!(!out.exists());
}
